-- description: The executor's closed trades with what became of the forecast behind each.
-- grain: one row per trade
-- keys: trade_id
-- columns:
--   trade_id: the executor's name of the trade
--   strategy: strategy that decided it
--   symbol: the venue's name of the perpetual
--   regime: market regime at entry; null without a regime model
--   mode: live or shadow
--   side: +1 long, -1 short
--   qty: base currency
--   entry_ns: ns UTC, market time
--   entry_price: quote currency per unit
--   exit_ns: ns UTC, market time
--   exit_price: quote currency per unit
--   notional_usd: quote currency, at entry
--   hold_s: seconds between entry and exit
--   fees_usd: quote currency, paid
--   funding_usd: quote currency, received
--   pnl_usd: quote currency, after fees and funding
--   pnl_bps: basis points of the entry notional, after fees and funding
--   predicted: fraction, forecast of the rate the trade was made for
--   realised_rate: fraction, the rate that was settled
--   forecast_error: fraction, realised minus predicted
--   model_version: version of the bundle that made the forecast
--   available_at: ns UTC, first instant the row could be known
select
    trade_id,
    strategy,
    symbol,
    regime,
    mode,
    side,
    qty,
    entry_ns,
    entry_price,
    exit_ns,
    exit_price,
    qty * entry_price as notional_usd,
    (exit_ns - entry_ns) / 1e9::double as hold_s,
    fees_usd,
    funding_usd,
    pnl_usd,
    pnl_bps,
    predicted,
    realised_rate,
    realised_rate - predicted as forecast_error,
    model_version,
    available_at
from stg_hean__trades
