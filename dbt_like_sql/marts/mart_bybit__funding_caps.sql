-- description: Caps of the funding rate, each time they were seen. A settlement may only use caps seen before it.
-- grain: one row per symbol and look
-- keys: symbol, seen_at
-- columns:
--   symbol: the venue's name of the perpetual
--   seen_at: ns UTC, when the venue was asked
--   upper: fraction, highest rate of one settlement
--   lower: fraction, lowest rate of one settlement
--   interval_min: minutes between settlements as announced
--   available_at: ns UTC, when the venue was asked
select
    symbol,
    seen_at,
    upper_funding_rate as upper,
    lower_funding_rate as lower,
    funding_interval_min as interval_min,
    available_at
from stg_bybit__instruments
where isfinite(upper_funding_rate) and isfinite(lower_funding_rate)
