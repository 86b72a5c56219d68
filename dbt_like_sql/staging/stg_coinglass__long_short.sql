-- description: Accounts of an exchange net long and net short, as CoinGlass had them at each look.
-- grain: one row per symbol, look, exchange and period
-- keys: symbol, seen_at, exchange, ts
-- columns:
--   symbol: our name of the perpetual
--   seen_at: ns UTC, when it was asked
--   exchange: as CoinGlass calls it
--   interval_s: seconds, the period
--   ts: ns UTC, stamp of the period
--   long_ratio: fraction of the accounts that is net long
--   available_at: ns UTC, when it was asked
select
    symbol,
    seen_at,
    exchange,
    interval_s,
    ts,
    long_pct / 100 as long_ratio,
    available_at
from raw_coinglass__snapshot_long_short
