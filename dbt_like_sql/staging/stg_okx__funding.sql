-- description: Funding rates the venue has settled.
-- grain: one row per symbol and settlement
-- keys: symbol, settlement_ts
-- columns:
--   symbol: the venue's name of the perpetual
--   settlement_ts: ns UTC, instant of the settlement
--   funding_rate: fraction of notional, longs pay when positive
--   available_at: ns UTC, first instant the row could be known
select
    symbol,
    ts as settlement_ts,
    funding_rate,
    available_at
from raw_okx__settlement_funding
where isfinite(funding_rate)
