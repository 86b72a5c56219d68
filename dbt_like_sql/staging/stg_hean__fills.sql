-- description: Executions and funding payments of the executor, from its journal.
-- grain: one row per execution of the venue
-- keys: exec_id
-- columns:
--   exec_id: the venue's name of the execution
--   client_id: the executor's name of the order; null for funding
--   venue_id: the venue's name of the order
--   symbol: the venue's name of the perpetual
--   side: +1 buy, -1 sell
--   qty: base currency
--   price: quote currency per unit
--   fee_usd: quote currency, paid when positive
--   is_maker: true where it rested in the book
--   kind: trade or funding
--   at_ns: ns UTC
--   available_at: ns UTC, first instant the row could be known
select
    exec_id,
    client_id,
    venue_id,
    symbol,
    side::bigint as side,
    nullif(qty, '')::double as qty,
    nullif(price, '')::double as price,
    nullif(fee_usd, '')::double as fee_usd,
    is_maker::boolean as is_maker,
    kind,
    at_ns,
    available_at
from raw_hean__fills
