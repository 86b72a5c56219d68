-- description: The executor's orders with what their executions cost.
-- grain: one row per order
-- keys: client_id
-- columns:
--   client_id: the executor's name of the order
--   strategy: strategy that decided it
--   symbol: the venue's name of the perpetual
--   mode: live or shadow
--   leg: entry, exit or stop
--   side: +1 buy, -1 sell
--   order_type: as sent to the venue
--   state: last known state
--   reason: the venue's or the executor's reason, where there is one
--   decision_ns: ns UTC, market time of the decision
--   qty: base currency, asked for
--   price: quote currency per unit; null for market orders
--   fills: executions of this order
--   executed_qty: base currency, sum of the executions
--   executed_price: quote currency per unit, mean weighted by quantity; null without executions
--   fees_usd: quote currency, paid
--   maker_share: fraction of the executed quantity that rested in the book; null without executions
--   first_fill_ns: ns UTC; null without executions
--   last_fill_ns: ns UTC; null without executions
--   available_at: ns UTC, when the last of these was known
with executions as (
    select
        client_id,
        count(*) as fills,
        sum(qty order by exec_id) as executed_qty,
        sum(qty * price order by exec_id) as executed_value,
        sum(fee_usd order by exec_id) as fees_usd,
        sum(case when is_maker then qty else 0 end order by exec_id) as maker_qty,
        min(at_ns) as first_fill_ns,
        max(at_ns) as last_fill_ns,
        max(available_at) as fills_available_at
    from stg_hean__fills
    where kind = 'trade'
    group by client_id
)

select
    client_id,
    strategy,
    symbol,
    mode,
    leg,
    side,
    order_type,
    state,
    reason,
    decision_ns,
    qty,
    price,
    coalesce(fills, 0) as fills,
    coalesce(executed_qty, 0) as executed_qty,
    executed_value / nullif(executed_qty, 0) as executed_price,
    coalesce(fees_usd, 0) as fees_usd,
    maker_qty / nullif(executed_qty, 0) as maker_share,
    first_fill_ns,
    last_fill_ns,
    greatest(available_at, fills_available_at) as available_at
from stg_hean__orders
left join executions using (client_id)
