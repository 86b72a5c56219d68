-- description: Open interest as the venue states it, in contracts and in money; REST knows the last 30 days.
-- grain: one row per symbol and five minutes
-- keys: symbol, ts
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, instant of the sample
--   open_interest: units of the contract's base
--   open_interest_usd: quote currency
--   available_at: ns UTC, first instant the row could be known
select
    symbol,
    ts,
    open_interest,
    open_interest_usd,
    available_at
from raw_binance__5m_open_interest
where isfinite(open_interest)
