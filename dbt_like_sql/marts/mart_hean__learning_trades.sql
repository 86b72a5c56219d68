-- description: Closed trades as the learning loops read them: each shadow trade with the gate that kept it from a live twin. That is
--   the block noted for this very trade, or else the first one noted for its strategy and symbol while it was open, unless a live
--   trade of the same strategy and symbol was open meanwhile.
-- grain: one row per trade
-- keys: trade_id
-- columns:
--   trade_id: the executor's name of the trade
--   strategy: strategy that decided it
--   symbol: the venue's name of the perpetual
--   regime: market regime at entry; null without a regime model
--   mode: live or shadow
--   blocked_by: reason of the gate; null for a live trade and for a shadow trade that nothing blocked
--   entry_ns: ns UTC, market time
--   exit_ns: ns UTC, market time
--   is_golden_hour: true where it was entered from 09:00 to 16:00 UTC
--   pnl_usd: quote currency, after fees and funding
--   pnl_bps: basis points of the entry notional, after fees and funding
--   available_at: ns UTC, first instant the row could be known
with trades as (
    select *
    from stg_hean__trades
    where pnl_bps is not null and pnl_usd is not null
),

blocks as (
    select
        seq,
        at_ns,
        nullif(strategy, '') as strategy,
        symbol,
        reason,
        json_extract_string(body, '$.trade_id') as trade_id
    from stg_hean__events
    where kind = 'block' and reason is not null
),

named_blocks as (
    select trade_id, arg_min(reason, seq) as reason
    from blocks
    where trade_id is not null
    group by trade_id
),

first_blocks as (
    select trades.trade_id, arg_min(blocks.reason, blocks.seq) as reason
    from trades
    inner join blocks
        on trades.symbol = blocks.symbol
        and coalesce(blocks.strategy, trades.strategy) = trades.strategy
        and blocks.at_ns between trades.entry_ns and trades.exit_ns
    where trades.mode = 'shadow' and blocks.trade_id is null
    group by trades.trade_id
),

twins as (
    select distinct shadow.trade_id
    from trades as shadow
    inner join trades as live
        on shadow.strategy = live.strategy
        and shadow.symbol = live.symbol
        and live.entry_ns <= shadow.exit_ns
        and live.exit_ns >= shadow.entry_ns
    where shadow.mode = 'shadow' and live.mode = 'live'
)

select
    trades.trade_id,
    trades.strategy,
    trades.symbol,
    trades.regime,
    trades.mode,
    case when twins.trade_id is null then coalesce(named_blocks.reason, first_blocks.reason) end as blocked_by,
    trades.entry_ns,
    trades.exit_ns,
    trades.entry_ns // 3600000000000 % 24 between 9 and 15 as is_golden_hour,
    trades.pnl_usd,
    trades.pnl_bps,
    trades.available_at
from trades
left join named_blocks on trades.trade_id = named_blocks.trade_id
left join first_blocks on trades.trade_id = first_blocks.trade_id
left join twins on trades.trade_id = twins.trade_id
