-- description: Equity of the executor's account over time, from its journal.
-- grain: one row per look
-- keys: at_ns
-- columns:
--   at_ns: ns UTC, market time
--   equity_usd: quote currency
--   available_usd: quote currency, free for new orders
--   available_at: ns UTC, first instant the row could be known
select
    at_ns,
    equity_usd,
    available_usd,
    available_at
from raw_hean__equity
