-- description: How much rests on either side within a percentage of the mid, and which side is heavier. Bands are cumulative:
--   that of 5 percent holds that of 1. An instant or band that lacks a side is left out.
-- grain: one row per symbol, instant and band
-- keys: symbol, ts, band_pct
-- columns:
--   symbol: the venue's name of the perpetual
--   canonical: coin/quote, the same on every venue
--   ts: ns UTC, instant of the sample
--   band_pct: percent from the mid, on either side
--   bid_usd: quote currency that bids within the band
--   ask_usd: quote currency that is asked for within the band
--   imbalance: (bid - ask) / (bid + ask), from -1 to +1
--   available_at: ns UTC, first instant both sides could be known
select
    bids.symbol,
    canonical,
    bids.ts,
    asks.band_pct,
    bids.notional_usd as bid_usd,
    asks.notional_usd as ask_usd,
    (bid_usd - ask_usd) / (bid_usd + ask_usd) as imbalance,
    greatest(bids.available_at, asks.available_at) as available_at
from stg_binance__book_depth as bids
inner join stg_binance__book_depth as asks on bids.symbol = asks.symbol and bids.ts = asks.ts and bids.band_pct = -asks.band_pct
inner join mart_market__symbols as symbols on bids.symbol = symbols.symbol and symbols.venue = 'binance'
where bids.band_pct < 0 and bids.notional_usd + asks.notional_usd > 0
