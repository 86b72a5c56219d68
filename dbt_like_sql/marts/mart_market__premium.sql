-- description: The premium of every venue by hour: of the venue's premium index where it publishes one, of perpetual
--   against spot bars, or of mark against index price each time they were looked at (few values an hour, not a mean over
--   time). Sources are rows of their own, so that a reader chooses and none is mixed.
-- grain: one row per venue, symbol, hour and source
-- keys: venue, symbol, ts, source
-- columns:
--   venue: bybit, binance or okx
--   symbol: the venue's own name
--   canonical: coin/quote, the same on every venue
--   ts: ns UTC, begin of the hour
--   source: premium_index, perp_spot or mark_index
--   premium_mean: fraction, unweighted mean of the values
--   premium_last: fraction, last value
--   samples: values in the hour
--   available_at: ns UTC, when the last value was known
with bars as (
    select 'bybit' as venue, symbol, ts, premium, source, available_at from mart_bybit__bar_premium
    union all
    select 'binance', symbol, ts, close, 'premium_index', available_at from stg_binance__premium_index
    union all
    select 'binance', symbol, ts, perp.close / spot.close - 1, 'perp_spot', greatest(perp.available_at, spot.available_at)
    from stg_binance__perp_klines as perp
    inner join stg_binance__spot_klines as spot using (symbol, ts)
    union all
    select 'binance', symbol, seen_at, mark_price / index_price - 1, 'mark_index', available_at
    from stg_binance__funding_now
    where index_price > 0
    union all
    select 'okx', symbol, seen_at, mark_price / index_price - 1, 'mark_index', available_at
    from stg_okx__funding_now
    where index_price > 0
)

select
    venue,
    symbol,
    canonical,
    ts // 3600000000000 * 3600000000000 as ts,
    source,
    avg(premium order by bars.ts) as premium_mean,
    arg_max(premium, bars.ts) as premium_last,
    count(*) as samples,
    max(bars.available_at) as available_at
from bars
inner join mart_market__symbols as symbols using (venue, symbol)
where isfinite(premium)
group by all
