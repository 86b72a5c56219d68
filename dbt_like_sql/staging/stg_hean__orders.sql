-- description: Orders of the executor in their last known state, from its journal.
-- grain: one row per order
-- keys: client_id
-- columns:
--   client_id: the executor's name of the order
--   venue_id: the venue's name of the order; null when it never answered
--   strategy: strategy that decided it
--   symbol: the venue's name of the perpetual
--   side: +1 buy, -1 sell
--   order_type: as sent to the venue
--   qty: base currency, asked for
--   price: quote currency per unit; null for market orders
--   is_reduce_only: true where it may only close
--   leg: entry, exit or stop
--   decision_ns: ns UTC, market time of the decision
--   state: last known state
--   filled_qty: base currency
--   avg_price: quote currency per unit; null without fills
--   reason: the venue's or the executor's reason, where there is one
--   mode: live or shadow
--   created_ns: ns UTC
--   updated_ns: ns UTC
--   available_at: ns UTC, first instant the row could be known
select
    client_id,
    venue_id,
    strategy,
    symbol,
    side::bigint as side,
    order_type,
    nullif(qty, '')::double as qty,
    nullif(price, '')::double as price,
    reduce_only::boolean as is_reduce_only,
    leg,
    decision_ns,
    state,
    nullif(filled_qty, '')::double as filled_qty,
    nullif(avg_price, '')::double as avg_price,
    reason,
    mode,
    created_ns,
    updated_ns,
    available_at
from raw_hean__orders
