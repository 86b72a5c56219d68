-- description: Funding rates the venue has settled. Stamps carry the venue's jitter of some milliseconds and are
--   rounded to the second.
-- grain: one row per symbol and settlement
-- keys: symbol, settlement_ts
-- columns:
--   symbol: the venue's name of the perpetual
--   settlement_ts: ns UTC, instant of the settlement
--   funding_rate: fraction of notional, longs pay when positive
--   available_at: ns UTC, first instant the row could be known
select
    symbol,
    (ts + 500000000) // 1000000000 * 1000000000 as settlement_ts,
    funding_rate,
    greatest(available_at, settlement_ts) as available_at
from raw_binance__settlement_funding
where isfinite(funding_rate)
