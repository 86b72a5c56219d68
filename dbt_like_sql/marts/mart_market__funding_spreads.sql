-- description: Pairs of venues whose settled rates of one coin and quote differ by more than 3 bps per 8 hours (strategy S17's input). At
--   every instant a settled rate becomes known, each venue's last known rate is compared; one older than `stale_h` is not.
--   Rates are compared per hour, since intervals differ; per 8 h is the same times eight. Long where longs pay less, short
--   where they pay more. Quotes are not mixed: USDT, USDC and inverse are different positions.
-- grain: one row per coin and quote, instant, and pair of symbols
-- keys: canonical, ts, long_venue, long_symbol, short_venue, short_symbol
-- parameters:
--   threshold_bps = 3: basis points per 8 h above which a pair is listed
--   stale_h = 9: hours a settled rate is taken for the present one
-- columns:
--   canonical: coin/quote, the same on every venue
--   ts: ns UTC, when the later of the two rates became known
--   long_venue: venue with the lower rate
--   long_symbol: its name of the perpetual
--   long_rate_per_hour: fraction per hour
--   long_settlement_ts: ns UTC, settlement of that rate
--   short_venue: venue with the higher rate
--   short_symbol: its name of the perpetual
--   short_rate_per_hour: fraction per hour
--   short_settlement_ts: ns UTC, settlement of that rate
--   spread_per_hour_bps: basis points per hour
--   spread_per_8h_bps: basis points per 8 h
--   exceeds_per_hour: true where one hour alone gives more than 3 bps
--   available_at: ns UTC, as ts
with rates as (
    select
        canonical,
        venue,
        symbol,
        available_at,
        max(settlement_ts) as settlement_ts,
        arg_max(rate_per_hour, settlement_ts) as rate_per_hour
    from mart_market__funding_panel
    where rate_per_hour is not null
    group by canonical, venue, symbol, available_at
),

instants as (
    select distinct canonical, available_at as ts
    from rates
),

contracts as (
    select distinct canonical, venue, symbol
    from rates
),

grid as (
    select canonical, ts, venue, symbol
    from instants
    inner join contracts using (canonical)
),

known as (
    select
        grid.canonical,
        grid.ts,
        grid.venue,
        grid.symbol,
        rates.rate_per_hour,
        rates.settlement_ts
    from grid
    asof inner join rates
        on
            grid.canonical = rates.canonical
            and grid.venue = rates.venue
            and grid.symbol = rates.symbol
            and grid.ts >= rates.available_at
    where grid.ts - rates.settlement_ts <= $stale_h * 3600000000000
)

select
    low.canonical,
    low.ts,
    low.venue as long_venue,
    low.symbol as long_symbol,
    low.rate_per_hour as long_rate_per_hour,
    low.settlement_ts as long_settlement_ts,
    high.venue as short_venue,
    high.symbol as short_symbol,
    high.rate_per_hour as short_rate_per_hour,
    high.settlement_ts as short_settlement_ts,
    (high.rate_per_hour - low.rate_per_hour) * 10000 as spread_per_hour_bps,
    spread_per_hour_bps * 8 as spread_per_8h_bps,
    spread_per_hour_bps > $threshold_bps as exceeds_per_hour,
    low.ts as available_at
from known as low
inner join known as high
    on
        low.canonical = high.canonical
        and low.ts = high.ts
        and low.venue <> high.venue
        and low.rate_per_hour < high.rate_per_hour
where spread_per_8h_bps > $threshold_bps
