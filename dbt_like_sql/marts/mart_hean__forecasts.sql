-- description: The executor's forecasts beside the rate that was then settled: live skill, out of sample by nature.
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
--   realised: fraction, the rate that was settled; null until it is in the lake
--   forecast_error: fraction, realised minus predicted
--   is_inside: true where the rate fell between the 5 % and the 95 % quantile
--   available_at: ns UTC, when the last of these was known
select
    forecasts.symbol,
    settlement_ns,
    horizon_min,
    made_at_ns,
    model_version,
    predicted,
    q05,
    q50,
    q95,
    funding_rate as realised,
    funding_rate - predicted as forecast_error,
    funding_rate between q05 and q95 as is_inside,
    greatest(forecasts.available_at, funding.available_at) as available_at
from stg_hean__forecasts as forecasts
left join mart_bybit__settlement_funding as funding
    on forecasts.symbol = funding.symbol and forecasts.settlement_ns = funding.settlement_ts
