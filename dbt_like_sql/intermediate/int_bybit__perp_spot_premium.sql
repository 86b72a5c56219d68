-- description: Perpetual against spot from five-minute bars, (perp − spot) / spot: the stand-in for the venue's premium
--   index where that is missing. It is biased against it (impact prices, index of several venues). A bar's price is half
--   its close and half the mean of its four prices, as in models/funding/proxy.py.
-- grain: one row per symbol and five minutes in which both were quoted
-- keys: symbol, ts
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, open of the bar
--   premium: fraction of the spot price
--   available_at: ns UTC, when both bars had closed
with priced as (
    select
        symbol,
        ts,
        0.5 * perp.close + 0.125 * (perp.open + perp.high + perp.low + perp.close) as perp_price,
        0.5 * spot.close + 0.125 * (spot.open + spot.high + spot.low + spot.close) as spot_price,
        greatest(perp.available_at, spot.available_at) as available_at
    from stg_bybit__perp_klines as perp
    inner join stg_bybit__spot_klines as spot using (symbol, ts)
)

select
    symbol,
    ts,
    perp_price / spot_price - 1 as premium,
    available_at
from priced
