-- description: The Fear & Greed index by day.
-- grain: one row per day
-- keys: ts
-- columns:
--   ts: ns UTC, begin of the day
--   value: 0 (fear) to 100 (greed)
--   available_at: ns UTC, first instant the row could be known
select
    ts,
    value,
    available_at
from raw_sentiment__fear_greed
