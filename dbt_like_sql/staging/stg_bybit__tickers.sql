-- description: Tickers each time they were looked at: prices, the rate in progress, the next settlement.
-- grain: one row per symbol and look
-- keys: symbol, seen_at
-- columns:
--   symbol: the venue's name of the perpetual
--   seen_at: ns UTC, when it was asked
--   last_price: quote currency per unit
--   mark_price: quote currency per unit
--   index_price: quote currency per unit
--   bid1_price: quote currency per unit
--   ask1_price: quote currency per unit
--   indicative_rate: fraction, the rate in progress: not settled, it still moves
--   next_funding_ts: ns UTC, next settlement
--   funding_interval_h: hours between settlements as announced
--   funding_cap: fraction, symmetric cap as announced
--   open_interest: base currency, longs plus shorts
--   available_at: ns UTC, when it was asked
select
    symbol,
    seen_at,
    last_price,
    mark_price,
    index_price,
    bid1_price,
    ask1_price,
    funding_rate as indicative_rate,
    next_funding_ts,
    funding_interval_h,
    funding_cap,
    open_interest,
    available_at
from raw_bybit__snapshot_tickers
