"""Plain records for tests of the pure parts: one symbol, prices around 100."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from hean_live.app.campaigns.phases import QuotingRules
from hean_live.app.engine import EngineRules
from hean_live.app.gates import GateRules
from hean_live.app.snapshot import Forecasted, ModelView, Quote, Snapshot
from hean_live.app.state import Signal
from hean_live.execution.reconcile import Books
from models.market.bybit_v5_market import Ticker
from models.market.instruments import Instrument
from models.portfolio.limits import Limits
from models.strategies import funding_pressure as s1

NS = 1_000_000_000
SETTLEMENT = 1_748_793_600 * NS
START = SETTLEMENT - 5400 * NS
EXIT = SETTLEMENT + 300 * NS
SYMBOL = "BTCUSDT"

INSTRUMENT = Instrument(
    symbol=SYMBOL,
    status="Trading",
    base_coin="BTC",
    quote_coin="USDT",
    settle_coin="USDT",
    tick_size=D("0.1"),
    qty_step=D("0.01"),
    min_order_qty=D("0.01"),
    max_order_qty=D(100),
    min_notional_usd=D(5),
    max_leverage=D(100),
    price_scale=1,
    funding_interval_min=480,
    upper_funding_rate=D("0.005"),
    lower_funding_rate=D("-0.005"),
    launch_ns=0,
)
RULES = EngineRules(
    strategy=s1.Params(),
    gates=GateRules(Limits(), D("0.01"), D("0.02"), D("0.03"), D(3)),
    quoting=QuotingRules(max_requotes=2, entry_maker_s=180, exit_maker_s=60),
)
MODEL = ModelView(version="1", evidence_passed=True, evidence_words="", refusals=())


def quote(bid: str = "99.9", ask: str = "100.1", at_ns: int = START) -> Quote:
    return Quote(D(bid), D(ask), D(100), at_ns)


def ticker(next_ns: int = SETTLEMENT, **changes: Any) -> Ticker:
    fields: dict[str, Any] = {
        "symbol": SYMBOL,
        "last_price": 100.0,
        "mark_price": 100.0,
        "index_price": 100.0,
        "bid1_price": 99.9,
        "bid1_size": 1.0,
        "ask1_price": 100.1,
        "ask1_size": 1.0,
        "funding_rate": 0.0001,
        "next_funding_ns": next_ns,
        "funding_interval_h": 8,
        "funding_cap": 0.005,
        "open_interest": 1.0,
    }
    return Ticker(**{**fields, **changes})


def forecasted(
    predicted: float = 0.0004, above: float = 0.95, horizon_min: int = 90, **changes: Any
) -> Forecasted:
    fields: dict[str, Any] = {
        "symbol": SYMBOL,
        "settlement_ns": SETTLEMENT,
        "horizon_min": horizon_min,
        "made_at_ns": SETTLEMENT - horizon_min * 60 * NS,
        "model_version": "1",
        "predicted": predicted,
        "q05": predicted - 0.0001,
        "q50": predicted,
        "q95": predicted + 0.0001,
        "current": 0.0001,
        "probability_above": above,
        "probability_below": 1 - above,
        "regime": "RANGE",
    }
    return Forecasted(**{**fields, **changes})


def books(
    net: str = "0", equity: str = "10000", foreign: dict[str, str] | None = None, own: str | None = None
) -> Books:
    return Books(
        {SYMBOL: D(net)},
        {SYMBOL: D(own if own is not None else net)},
        foreign or {},
        D(equity),
        D(equity),
        START,
    )


def snapshot(now_ns: int = START, **changes: Any) -> Snapshot:
    next_ns = SETTLEMENT if now_ns < SETTLEMENT else SETTLEMENT + 8 * 3600 * NS
    fields: dict[str, Any] = {
        "now_ns": now_ns,
        "tickers": {SYMBOL: ticker(next_ns)},
        "tickers_at_ns": now_ns,
        "quotes": {SYMBOL: quote(at_ns=now_ns)},
        "instruments": {SYMBOL: INSTRUMENT},
        "taker_fees": {SYMBOL: D("0.00055")},
        "books": books(),
        "orders": {},
        "clock_offset_ms": 0.0,
        "model": MODEL,
    }
    return Snapshot(**{**fields, **changes})


def signal(side: int = -1, **changes: Any) -> Signal:
    fields: dict[str, Any] = {
        "strategy": "S1",
        "symbol": SYMBOL,
        "side": side,
        "settlement_ns": SETTLEMENT,
        "forecast_at_ns": START,
        "deadline_ns": START + 600 * NS,
        "exit_ns": EXIT,
        "predicted": 0.0004,
        "current": 0.0001,
        "confidence": 0.95,
        "regime": "RANGE",
        "model_version": "1",
    }
    return Signal(**{**fields, **changes})
