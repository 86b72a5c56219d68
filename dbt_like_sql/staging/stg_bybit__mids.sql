-- description: Best bid and ask of perpetual and spot each time both were looked at, one right after the other.
-- grain: one row per symbol and look
-- keys: symbol, seen_at
-- columns:
--   symbol: the venue's name of the perpetual and of its spot market
--   seen_at: ns UTC, when both were known
--   bid1_price: quote currency per unit, perpetual
--   ask1_price: quote currency per unit, perpetual
--   spot_seen_at: ns UTC, the venue's time of the spot reply; null without a spot market
--   spot_bid1_price: quote currency per unit
--   spot_ask1_price: quote currency per unit
--   available_at: ns UTC, when both were known
select
    symbol,
    seen_at,
    bid1_price,
    ask1_price,
    spot_seen_at,
    spot_bid1_price,
    spot_ask1_price,
    available_at
from raw_bybit__snapshot_mids
