-- description: Share of accounts that are net long.
-- grain: one row per symbol and hour
-- keys: symbol, ts
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, open of the period
--   long_ratio: fraction of accounts that are net long
--   available_at: ns UTC, end of the period
select
    symbol,
    ts,
    long_ratio,
    available_at
from stg_bybit__account_ratio
