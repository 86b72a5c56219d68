-- description: What takers bought and sold over the span before each look, by exchange, as CoinGlass said then.
-- grain: one row per symbol, look and exchange
-- keys: symbol, seen_at, exchange
-- columns:
--   symbol: our name of the perpetual whose coin was asked for
--   seen_at: ns UTC, when it was asked
--   exchange: as CoinGlass calls it
--   range_s: seconds, the span that ended when it was asked
--   buy_usd: USD
--   sell_usd: USD
--   available_at: ns UTC, when it was asked
select
    symbol,
    seen_at,
    exchange,
    range_s,
    buy_usd,
    sell_usd,
    available_at
from raw_coinglass__snapshot_taker_volume
