-- description: The Fear & Greed index with where it stands against its own past: the change since the day before and the
--   mean of the week that ends with the day. A missing day leaves the change empty.
-- grain: one row per day
-- keys: ts
-- columns:
--   ts: ns UTC, begin of the day
--   value: 0 (fear) to 100 (greed)
--   change_1d: points since the day before; null where that is missing
--   mean_7d: mean of the days among the last seven, this one included
--   days_7d: how many of these there are
--   available_at: ns UTC, first instant the row could be known
select
    ts,
    value,
    value - any_value(value) over (order by ts range between 86400000000000 preceding and 86400000000000 preceding) as change_1d,
    avg(value) over week as mean_7d,
    count(*) over week as days_7d,
    max(available_at) over week as available_at
from stg_sentiment__fear_greed
window week as (order by ts range between 518400000000000 preceding and current row)
