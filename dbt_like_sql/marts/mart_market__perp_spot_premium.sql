-- description: Perpetual against spot from five-minute bars, (perp - spot) / spot, for every pair of a venue's perpetual and a
--   venue's spot market: what a premium proxy can choose from where one venue's spot is gappy or missing. A bar's price is
--   half its close and half the mean of its four prices, as in models/funding/proxy.py. Prices are of one coin: a perpetual
--   on a thousand coins meets the coin's own spot market too.
-- grain: one row per perpetual, spot venue and five minutes in which both were quoted
-- keys: perp_venue, symbol, spot_venue, ts
-- columns:
--   perp_venue: bybit or binance
--   symbol: the perpetual's name on its venue
--   canonical: coin/quote, the same on every venue
--   spot_venue: bybit or binance
--   ts: ns UTC, open of the bar
--   premium: fraction of the spot price
--   available_at: ns UTC, when both bars had closed
with perps as (
    select 'bybit' as venue, symbol, ts, open, high, low, close, available_at from stg_bybit__perp_klines
    union all
    select 'binance', symbol, ts, open, high, low, close, available_at from stg_binance__perp_klines
),

spots as (
    select 'bybit' as venue, symbol, ts, open, high, low, close, available_at from stg_bybit__spot_klines
    union all
    select 'binance', symbol, ts, open, high, low, close, available_at from stg_binance__spot_klines
),

perp_prices as (
    select
        perps.venue,
        symbol,
        canonical,
        coin || quote as spot_symbol,
        ts,
        (0.5 * close + 0.125 * (open + high + low + close)) / multiplier as price,
        perps.available_at
    from perps
    inner join mart_market__symbols as symbols using (venue, symbol)
),

spot_prices as (
    select
        venue,
        symbol,
        ts,
        0.5 * close + 0.125 * (open + high + low + close) as price,
        available_at
    from spots
)

select
    perp.venue as perp_venue,
    perp.symbol,
    canonical,
    spot.venue as spot_venue,
    perp.ts,
    perp.price / spot.price - 1 as premium,
    greatest(perp.available_at, spot.available_at) as available_at
from perp_prices as perp
inner join spot_prices as spot on perp.spot_symbol = spot.symbol and perp.ts = spot.ts
where spot.price > 0
