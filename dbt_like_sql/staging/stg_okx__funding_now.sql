-- description: The rate in progress and the prices behind it, each time they were looked at. Not settled: it still
--   moves.
-- grain: one row per symbol and look
-- keys: symbol, seen_at
-- columns:
--   symbol: the venue's name of the perpetual
--   seen_at: ns UTC, when it was asked
--   indicative_rate: fraction, the rate in progress
--   settlement_ts: ns UTC, settlement it is for
--   next_settlement_ts: ns UTC, the one after; null where the venue does not say
--   cap_upper: fraction, highest rate of one settlement
--   cap_lower: fraction, lowest rate of one settlement
--   mark_price: quote currency per unit
--   index_price: quote currency per unit
--   available_at: ns UTC, when it was asked
select
    symbol,
    seen_at,
    funding_rate as indicative_rate,
    funding_ts as settlement_ts,
    next_funding_ts as next_settlement_ts,
    upper_funding_rate as cap_upper,
    lower_funding_rate as cap_lower,
    mark_price,
    index_price,
    available_at
from raw_okx__snapshot_funding
