-- description: The last open interest received in each minute of a recording.
-- grain: one row per symbol and minute recorded
-- keys: symbol, ts
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, when it was received
--   open_interest: base currency, longs plus shorts as the venue sums them
--   available_at: ns UTC, when it was received
select
    symbol,
    ts,
    open_interest,
    available_at
from raw_bybit__60s_open_interest
