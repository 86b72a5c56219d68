-- description: Closed trades as the regime matrix counts them, with the market they were entered in: a cell (strategy and
--   regime) counts its live trades where it has any, else its shadow trades.
-- grain: one row per trade
-- keys: trade_id
-- columns:
--   trade_id: the executor's name of the trade
--   strategy: strategy that decided it
--   regime: market regime at entry, UNKNOWN without a regime model
--   mode: live or shadow
--   is_counted: true where the matrix counts it
--   symbol: the venue's name of the perpetual
--   side: +1 long, -1 short
--   entry_ns: ns UTC, market time
--   exit_ns: ns UTC, market time
--   hold_s: seconds between entry and exit
--   pnl_usd: quote currency, after fees and funding
--   pnl_bps: basis points of the entry notional, after fees and funding
--   volatility_1h: fraction per root year, last known at entry
--   volatility_24h: fraction per root year, last known at entry
--   volatility_ts: ns UTC, end of these windows; null where none was known
--   available_at: ns UTC, first instant the row could be known
with cells as (
    select
        *,
        coalesce(regime, 'UNKNOWN') as cell_regime,
        bool_or(mode = 'live') over (partition by strategy, coalesce(regime, 'UNKNOWN')) as has_live
    from mart_hean__trades
),

volatility as (
    select symbol, ts, volatility_1h, volatility_24h, available_at
    from mart_market__realised_volatility
    where venue = 'bybit'
)

select
    cells.trade_id,
    cells.strategy,
    cells.cell_regime as regime,
    cells.mode,
    (cells.mode = 'live') = cells.has_live as is_counted,
    cells.symbol,
    cells.side,
    cells.entry_ns,
    cells.exit_ns,
    cells.hold_s,
    cells.pnl_usd,
    cells.pnl_bps,
    volatility.volatility_1h,
    volatility.volatility_24h,
    volatility.ts as volatility_ts,
    cells.available_at
from cells
asof left join volatility
    on cells.symbol = volatility.symbol and cells.entry_ns >= volatility.available_at
