-- description: Accounts net long by exchange and period, as first seen: what CoinGlass said of a period later is not what it
--   said then. `age_s` is how old the period's stamp was when it was seen.
-- grain: one row per symbol, exchange and period
-- keys: symbol, exchange, ts, interval_s
-- columns:
--   symbol: our name of the perpetual
--   exchange: as CoinGlass calls it
--   ts: ns UTC, stamp of the period
--   interval_s: seconds, the period
--   long_ratio: fraction of the accounts that is net long
--   age_s: seconds from the stamp to the first look
--   available_at: ns UTC, the first look
select
    symbol,
    exchange,
    ts,
    interval_s,
    arg_min(long_ratio, seen_at) as long_ratio,
    (min(seen_at) - ts) / 1e9 as age_s,
    min(available_at) as available_at
from stg_coinglass__long_short
group by symbol, exchange, ts, interval_s
