-- description: The venue's contract rules, each time they were looked at. Caps and the interval change at its will.
-- grain: one row per symbol and look
-- keys: symbol, seen_at
-- columns:
--   symbol: the venue's name of the perpetual
--   seen_at: ns UTC, when it was asked
--   status: the venue's trading status
--   launch_ts: ns UTC, first trading
--   funding_interval_min: minutes between settlements as announced
--   upper_funding_rate: fraction, highest rate of one settlement
--   lower_funding_rate: fraction, lowest rate of one settlement
--   tick_size: quote currency
--   qty_step: base currency
--   min_order_qty: base currency
--   min_notional_usd: quote currency
--   max_leverage: times
--   available_at: ns UTC, when it was asked
select
    symbol,
    seen_at,
    status,
    launch_ts,
    funding_interval_min,
    upper_funding_rate,
    lower_funding_rate,
    tick_size,
    qty_step,
    min_order_qty,
    min_notional_usd,
    max_leverage,
    available_at
from raw_bybit__snapshot_instruments
