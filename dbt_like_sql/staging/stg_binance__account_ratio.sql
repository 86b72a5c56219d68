-- description: Shares of accounts net long and net short over a period.
-- grain: one row per symbol and hour
-- keys: symbol, ts
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, open of the period
--   long_ratio: fraction of accounts that are net long
--   short_ratio: fraction of accounts that are net short
--   available_at: ns UTC, end of the period
select
    symbol,
    ts,
    buy_ratio as long_ratio,
    sell_ratio as short_ratio,
    available_at
from raw_binance__1h_account_ratio
where isfinite(buy_ratio)
