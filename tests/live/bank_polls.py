"""Hand-made polls with news of the bank: noon, ten thousand dollars, everything known, every gate open."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

from hean_live.app.engine import Engine
from hean_live.app.policy import PolicyView
from hean_live.app.snapshot import MatrixCell, Note
from hean_live.execution.records import FILLED, OrderRow
from hean_live.shadow.records import BankNews, BankSignal, BankTrip
from models.execution.sight import MarketSight
from models.portfolio.policy import Policy, Reason, StrategyPolicy
from models.regimes.rules import IMPULSE_UP
from tests.live.factories import (
    INSTRUMENT,
    NS,
    RULES,
    SETTLEMENT,
    SYMBOL,
    books,
    quote,
    snapshot,
    ticker,
)

ALT = "ETHUSDT"
NOON = SETTLEMENT - SETTLEMENT % (24 * 3600 * NS) + 12 * 3600 * NS
IMPULSE, MOMENTUM = "impulse_engine", "momentum_trader"
TRENDING = {"hurst_label": 1.0, "hurst_label_finer": 1.0, "whale_intensity": 0.0}
CALM = MarketSight(NOON, True, NOON, spread_bps=1.0, vpin_rank=0.2, sigma_minute=0.0005)
PAYS = MatrixCell(400, 5.0, 0.99, 50.0, 0.1)


def policy(**changes):
    live = StrategyPolicy("live", (Reason("PROMOTED"),), 0.10)
    names = (IMPULSE, MOMENTUM, "liquidation_hunter", "enhanced_grid", "basis_arbitrage")
    fields = {
        "made_at_ns": NOON - 3600 * NS,
        "expires_ns": NOON + 23 * 3600 * NS,
        "strategies": dict.fromkeys(names, live),
    }
    return Policy(**{**fields, **changes})


def view(own=None, **changes):
    return replace(PolicyView("7", own or policy(), ()), **changes)


def asked(strategy=IMPULSE, symbol=SYMBOL, **changes):
    fields = {
        "strategy": strategy,
        "symbol": symbol,
        "side": 1,
        "at_ns": NOON + NS // 2,
        "share": 0.01,
        "is_taker": False,
        "edge_bps": 40.0,
        "reason": "IMPULSE",
        "regime": IMPULSE_UP,
        "features": TRENDING,
    }
    return BankSignal(**{**fields, **changes})


def ended(strategy=IMPULSE, symbol=SYMBOL, **changes):
    fields = {
        "strategy": strategy,
        "symbol": symbol,
        "side": 1,
        "signal_ns": NOON + NS // 2,
        "entry_ns": NOON + NS,
        "exit_ns": NOON + 30 * NS,
        "quantity": 2.0,
        "entry_price": 100.0,
        "exit_price": 101.0,
        "notional_usd": 200.0,
        "fees_usd": 0.2,
        "funding_usd": 0.05,
        "profit_usd": 1.75,
        "reason": "IMPULSE",
        "reason_out": "TARGET",
        "regime": IMPULSE_UP,
    }
    return BankTrip(**{**fields, **changes})


def news(*signals, trips=(), holding=None, running=True):
    held = tuple((s.strategy, s.symbol) for s in signals) if holding is None else holding
    return BankNews(tuple(signals), tuple(trips), held, running)


def poll(bank=None, at_s=1.0, **changes):
    """Noon, ten thousand dollars, everything known; the matrix pays where strategies trade."""
    now_ns = NOON + int(at_s * NS)
    pays = {(f"S{number}", IMPULSE_UP): PAYS for number in range(1, 20)}
    fields = {
        "tickers": {s: ticker(NOON + 4 * 3600 * NS, symbol=s) for s in (SYMBOL, ALT)},
        "quotes": {s: quote(at_ns=now_ns) for s in (SYMBOL, ALT)},
        "instruments": {s: replace(INSTRUMENT, symbol=s) for s in (SYMBOL, ALT)},
        "taker_fees": {s: D("0.00055") for s in (SYMBOL, ALT)},
        "matrix": pays,
        "bank": bank or news(),
        "policy": view(),
    }
    return snapshot(now_ns, **{**fields, **changes})


def sights(at_s=1.0, **changes):
    at_ns = NOON + int(at_s * NS)
    own = replace(CALM, book_at_ns=at_ns, open_interest_at_ns=at_ns, **changes)
    return {SYMBOL: own, ALT: own}


def engine(saved="", symbols=(SYMBOL,), rules=RULES):
    return Engine(symbols, rules, saved)


def of(commands, kind):
    return [command for command in commands if isinstance(command, kind)]


def notes(commands, kind):
    return [command for command in of(commands, Note) if command.kind == kind]


def told(commands):
    """The journalled signals: strategy id, reason, words."""
    return [(n.strategy, n.body["not_traded"], n.body["words"]) for n in notes(commands, "bank_signal")]


def begin(subject, **changes):
    return subject.on_poll(poll(news(asked(**changes))), sights())


def filled(leg="entry", client_id="hn-S7-BTCUSDT-sx6ps0-e0", **changes):
    row = OrderRow(
        client_id, "S7", SYMBOL, 1, "Limit", D("2.39"), D("99.9"), False, leg, NOON, FILLED, filled_qty=D("2.39"),
    )  # fmt: skip
    return replace(row, **changes)


HELD = {"orders": {SYMBOL: [filled()]}, "books": books("2.39")}
