-- description: Depth bands as published: all that rests within a percentage of the mid, negative below it. Not a book.
-- grain: one row per symbol, instant and band
-- keys: symbol, ts, band_pct
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, instant of the sample
--   band_pct: percent from the mid, negative for bids
--   depth: units of the contract's base
--   notional_usd: quote currency
--   available_at: ns UTC, first instant the row could be known
select
    symbol,
    ts,
    band_pct,
    depth,
    notional_usd,
    available_at
from raw_binance__book_depth_bands
