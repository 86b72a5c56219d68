-- description: The archive's daily metrics: open interest and ratios of longs to shorts. A ratio is longs over
--   shorts, not a share; blank cells of the file are null.
-- grain: one row per symbol and five minutes
-- keys: symbol, ts
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, instant of the sample
--   open_interest: units of the contract's base
--   open_interest_usd: quote currency
--   top_account_ratio: longs / shorts, accounts of the top fifth by margin
--   top_position_ratio: longs / shorts, positions of these
--   account_ratio: longs / shorts, all accounts
--   taker_volume_ratio: volume takers bought / sold
--   available_at: ns UTC, first instant the row could be known
select
    symbol,
    ts,
    open_interest,
    open_interest_usd,
    top_account_ratio,
    top_position_ratio,
    account_ratio,
    taker_volume_ratio,
    available_at
from raw_binance__5m_metrics
