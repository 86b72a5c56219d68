-- description: Five-minute bars of the perpetual; closed bars only.
-- grain: one row per symbol and five minutes
-- keys: symbol, ts
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, open of the bar
--   open: quote currency per unit
--   high: quote currency per unit
--   low: quote currency per unit
--   close: quote currency per unit
--   volume: base currency
--   turnover_usd: quote currency
--   taker_buy_volume: base currency that takers bought
--   available_at: ns UTC, close of the bar
select
    symbol,
    ts,
    open,
    high,
    low,
    close,
    volume,
    turnover as turnover_usd,
    taker_buy_volume,
    available_at
from raw_binance__5m_perp_klines
where isfinite(close) and close > 0
