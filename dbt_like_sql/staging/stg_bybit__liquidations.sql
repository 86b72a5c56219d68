-- description: Forced orders from recorded streams.
-- grain: one row per forced order
-- keys: symbol, ts, seq
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, when it was forced
--   seq: number within the day's recording
--   liquidated_side: +1 a long was closed by force, -1 a short
--   price: quote currency per unit, bankruptcy price
--   size: units of the contract's base
--   available_at: ns UTC, when the recorder had it
select
    symbol,
    exch_ts as ts,
    seq,
    -side as liquidated_side,
    price,
    size,
    available_at
from raw_bybit__liquidations
where size > 0 and price > 0
