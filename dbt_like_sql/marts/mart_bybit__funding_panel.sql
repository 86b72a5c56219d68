-- description: Everything known at a settlement, in one row: the rate in comparable units, the premium of the interval
--   it covers, and positioning as of the settlement. Joins are as-of on available_at, backward.
-- grain: one row per symbol and settlement
-- keys: symbol, settlement_ts
-- columns:
--   symbol: the venue's name of the perpetual
--   settlement_ts: ns UTC, instant of the settlement
--   funding_rate: fraction of notional, longs pay when positive
--   interval_h: hours this settlement covers; null for the first and where not known
--   is_gap: true where settlements are missing before this one
--   rate_per_hour: fraction per hour, by its own interval
--   rate_annualised: fraction per year of 8760 h, not compounded, by its own interval
--   premium_source: premium_index or perp_spot; null without bars
--   premium_bars: bars inside the interval
--   premium_mean: fraction, unweighted mean over the interval
--   premium_last: fraction, last bar of the interval
--   open_interest: base currency, as of the settlement
--   open_interest_ts: ns UTC, instant of that sample
--   long_ratio: fraction of accounts that are net long, as of the settlement
--   long_ratio_ts: ns UTC, open of that period
--   cap_upper: fraction, as last seen before the settlement
--   cap_lower: fraction, as last seen before the settlement
--   is_at_cap: true where the rate equals one of these caps; null without caps
--   available_at: ns UTC, when the last of these was known
with attributed as (
    select
        bars.symbol,
        settlements.settlement_ts,
        bars.ts,
        bars.premium,
        bars.source,
        bars.available_at
    from mart_bybit__bar_premium as bars
    asof inner join mart_bybit__settlement_funding as settlements
        on bars.symbol = settlements.symbol and bars.ts < settlements.settlement_ts
    where bars.ts >= settlements.settlement_ts - settlements.interval_h * 3600000000000
),

premiums as (
    select
        symbol,
        settlement_ts,
        min(source) as premium_source,
        count(*) as premium_bars,
        avg(premium order by ts) as premium_mean,
        arg_max(premium, ts) as premium_last,
        max(available_at) as available_at
    from attributed
    group by symbol, settlement_ts
),

caps as (
    select
        *,
        greatest(seen_at, available_at) as known_at
    from mart_bybit__funding_caps
)

select
    funding.symbol,
    funding.settlement_ts,
    funding.funding_rate,
    funding.interval_h,
    funding.is_gap,
    funding.funding_rate / funding.interval_h as rate_per_hour,
    funding.funding_rate / funding.interval_h * 8760 as rate_annualised,
    premiums.premium_source,
    coalesce(premiums.premium_bars, 0) as premium_bars,
    premiums.premium_mean,
    premiums.premium_last,
    interest.open_interest,
    interest.ts as open_interest_ts,
    ratio.long_ratio,
    ratio.ts as long_ratio_ts,
    caps.upper as cap_upper,
    caps.lower as cap_lower,
    abs(funding.funding_rate - caps.upper) < 1e-9 or abs(funding.funding_rate - caps.lower) < 1e-9 as is_at_cap,
    greatest(
        funding.available_at, premiums.available_at, interest.available_at, ratio.available_at, caps.known_at
    ) as available_at
from mart_bybit__settlement_funding as funding
left join premiums
    on funding.symbol = premiums.symbol and funding.settlement_ts = premiums.settlement_ts
asof left join mart_bybit__5m_open_interest as interest
    on funding.symbol = interest.symbol and funding.settlement_ts >= interest.available_at
asof left join mart_bybit__account_ratio as ratio
    on funding.symbol = ratio.symbol and funding.settlement_ts >= ratio.available_at
asof left join caps
    on funding.symbol = caps.symbol and funding.settlement_ts >= caps.known_at
