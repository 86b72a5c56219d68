"""The journal's tables. Other processes rely on these names: a change needs a new schema version, a new table does not."""

from __future__ import annotations

SCHEMA_VERSION = "1"

DDL = """
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS events(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER, wall_ns INTEGER, kind TEXT, strategy TEXT, symbol
    TEXT, body TEXT);
CREATE TABLE IF NOT EXISTS orders(
    client_id TEXT PRIMARY KEY, venue_id TEXT, strategy TEXT, symbol TEXT, side INTEGER, order_type TEXT, qty
    TEXT, price TEXT, reduce_only INTEGER, leg TEXT, decision_ns INTEGER, state TEXT, filled_qty TEXT,
    avg_price TEXT, reason TEXT, mode TEXT, created_ns INTEGER, updated_ns INTEGER);
CREATE INDEX IF NOT EXISTS orders_by_symbol ON orders(symbol, decision_ns);
CREATE INDEX IF NOT EXISTS orders_by_state ON orders(state);
CREATE INDEX IF NOT EXISTS orders_by_venue_id ON orders(venue_id);
CREATE TABLE IF NOT EXISTS fills(
    exec_id TEXT PRIMARY KEY, client_id TEXT, venue_id TEXT, symbol TEXT, side INTEGER, qty TEXT, price TEXT,
    fee_usd TEXT, is_maker INTEGER, kind TEXT, at_ns INTEGER);
CREATE INDEX IF NOT EXISTS fills_by_symbol ON fills(symbol, at_ns);
CREATE TABLE IF NOT EXISTS trades(
    trade_id TEXT PRIMARY KEY, strategy TEXT, symbol TEXT, regime TEXT, mode TEXT, side INTEGER, qty TEXT,
    entry_ns INTEGER, entry_price TEXT, exit_ns INTEGER, exit_price TEXT, fees_usd REAL, funding_usd REAL,
    pnl_usd REAL, pnl_bps REAL, predicted REAL, realised_rate REAL, model_version TEXT);
CREATE TABLE IF NOT EXISTS retries(
    key TEXT PRIMARY KEY, kind TEXT, symbol TEXT, body TEXT, attempts INTEGER, error TEXT, first_ns INTEGER,
    last_ns INTEGER);
CREATE TABLE IF NOT EXISTS equity(at_ns INTEGER PRIMARY KEY, equity_usd REAL, available_usd REAL);
CREATE TABLE IF NOT EXISTS forecasts(
    symbol TEXT, settlement_ns INTEGER, horizon_min INTEGER, made_at_ns INTEGER, model_version TEXT, predicted
    REAL, q05 REAL, q50 REAL, q95 REAL, PRIMARY KEY(symbol, settlement_ns, horizon_min));
"""
