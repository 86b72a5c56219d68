-- description: Open interest, both sides summed.
-- grain: one row per symbol and sample
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
from stg_bybit__open_interest
