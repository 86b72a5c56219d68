-- description: What the executor noted: forecasts, signals, blocks with their reason, reloads, errors.
-- grain: one row per event
-- keys: seq
-- columns:
--   seq: number of the event in the journal
--   at_ns: ns UTC, market time
--   wall_ns: ns UTC, wall clock
--   kind: what happened
--   strategy: strategy concerned; null for none
--   symbol: symbol concerned; null for none
--   reason: the body's reason, where it has one
--   body: JSON
--   available_at: ns UTC, first instant the row could be known
select
    seq,
    at_ns,
    wall_ns,
    kind,
    strategy,
    symbol,
    json_extract_string(body, '$.reason') as reason,
    body,
    available_at
from raw_hean__events
