-- description: One-minute bars of the venue's premium index, the input of its funding formula.
--   Open may lie outside [low, high] here: the venue publishes it so.
-- grain: one row per symbol and minute
-- keys: symbol, ts
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, open of the bar
--   open: premium as a fraction of the index, at the bar's open
--   high: premium as a fraction of the index, highest
--   low: premium as a fraction of the index, lowest
--   close: premium as a fraction of the index, at the bar's close
--   available_at: ns UTC, close of the bar
select
    symbol,
    ts,
    open,
    high,
    low,
    close,
    available_at
from raw_bybit__1m_premium_index_klines
where isfinite(close)
