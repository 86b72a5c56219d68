-- description: Equity of the executor's account and its distance from the highest so far.
-- grain: one row per look
-- keys: at_ns
-- columns:
--   at_ns: ns UTC, market time
--   equity_usd: quote currency
--   available_usd: quote currency, free for new orders
--   peak_usd: quote currency, highest equity up to and including this look
--   drawdown: fraction of the peak, 0 or more
--   available_at: ns UTC, first instant the row could be known
select
    at_ns,
    equity_usd,
    available_usd,
    max(equity_usd) over (order by at_ns) as peak_usd,
    1 - equity_usd / nullif(peak_usd, 0) as drawdown,
    available_at
from stg_hean__equity
