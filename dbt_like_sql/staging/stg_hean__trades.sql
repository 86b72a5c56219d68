-- description: Closed round trips of the executor, live and shadow, from its journal.
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
--   fees_usd: quote currency, paid
--   funding_usd: quote currency, received
--   pnl_usd: quote currency, after fees and funding
--   pnl_bps: basis points of the entry notional, after fees and funding
--   predicted: fraction, forecast of the rate the trade was made for
--   realised_rate: fraction, the rate that was settled
--   model_version: version of the bundle that made the forecast
--   available_at: ns UTC, first instant the row could be known
select
    trade_id,
    strategy,
    symbol,
    regime,
    mode,
    side::bigint as side,
    nullif(qty, '')::double as qty,
    entry_ns,
    nullif(entry_price, '')::double as entry_price,
    exit_ns,
    nullif(exit_price, '')::double as exit_price,
    fees_usd,
    funding_usd,
    pnl_usd,
    pnl_bps,
    predicted,
    realised_rate,
    model_version,
    available_at
from raw_hean__trades
