-- description: One-minute bars of the premium index; closed bars only.
-- grain: one row per symbol and minute
-- keys: symbol, ts
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, open of the bar
--   close: fraction, premium at the close
--   available_at: ns UTC, close of the bar
select
    symbol,
    ts,
    close,
    available_at
from raw_binance__1m_premium_index_klines
where isfinite(close)
