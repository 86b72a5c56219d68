-- description: Open interest as the venue states it: both sides summed, in base currency.
-- grain: one row per symbol and sample (every five minutes unless the setting says otherwise)
-- keys: symbol, ts
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, instant of the sample
--   open_interest: base currency, longs plus shorts
--   available_at: ns UTC, first instant the row could be known
select
    symbol,
    ts,
    open_interest,
    available_at
from raw_bybit__5m_open_interest
where isfinite(open_interest)
