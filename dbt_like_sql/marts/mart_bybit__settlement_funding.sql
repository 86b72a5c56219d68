-- description: Settled funding rates with the interval each one covers.
-- grain: one row per symbol and settlement
-- keys: symbol, settlement_ts
-- columns:
--   symbol: the venue's name of the perpetual
--   settlement_ts: ns UTC, instant of the settlement
--   funding_rate: fraction of notional, longs pay when positive
--   interval_h: hours this settlement covers, one of 1, 2, 4, 8; null for the first and where not known
--   is_gap: true where settlements are missing before this one
--   available_at: ns UTC, first instant the row could be known
select
    symbol,
    settlement_ts,
    funding_rate,
    interval_h,
    is_gap,
    available_at
from int_bybit__funding_intervals
