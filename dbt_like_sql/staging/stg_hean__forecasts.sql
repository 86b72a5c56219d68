-- description: Forecasts the executor made, from its journal.
-- grain: one row per symbol, settlement and horizon
-- keys: symbol, settlement_ns, horizon_min
-- columns:
--   symbol: the venue's name of the perpetual
--   settlement_ns: ns UTC, settlement forecast
--   horizon_min: minutes before the settlement
--   made_at_ns: ns UTC, market time
--   model_version: version of the bundle that made it
--   predicted: fraction, mean of the forecast
--   q05: fraction, 5 % quantile
--   q50: fraction, median
--   q95: fraction, 95 % quantile
--   available_at: ns UTC, first instant the row could be known
select
    symbol,
    settlement_ns,
    horizon_min,
    made_at_ns,
    model_version,
    predicted,
    q05,
    q50,
    q95,
    available_at
from raw_hean__forecasts
