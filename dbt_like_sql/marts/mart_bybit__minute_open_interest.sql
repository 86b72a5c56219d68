-- description: Open interest minute by minute while a recorder ran, with its change since the minute before. Across a hole in
--   the recording, longer than `gap_s`, no change is given: it would mix minutes with hours.
-- grain: one row per symbol and minute recorded
-- keys: symbol, ts
-- parameters:
--   gap_s = 150: seconds between two values beyond which they are not neighbours
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, when it was received
--   open_interest: base currency, longs plus shorts as the venue sums them
--   seconds: since the value before; null for the first and after a hole
--   change: fraction since the value before; null for the first and after a hole
--   available_at: ns UTC, when it was received
with followed as (
    select
        *,
        lag(ts) over by_time as former_ts,
        lag(open_interest) over by_time as former
    from stg_bybit__polled_open_interest
    window by_time as (partition by symbol order by ts)
)

select
    symbol,
    ts,
    open_interest,
    case when ts - former_ts <= $gap_s * 1000000000::bigint then (ts - former_ts) / 1e9 end as seconds,
    case when seconds is not null and former > 0 then open_interest / former - 1 end as change,
    available_at
from followed
