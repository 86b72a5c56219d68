"""The one gate of every order, and that there is no way around it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from decimal import Decimal as D

import pytest

from hean_live.app.snapshot import Quote
from hean_live.execution.order_gate import BooksNow, OrderGate
from hean_live.execution.order_manager import OrderDecision
from hean_live.execution.reconcile import Books
from hean_live.execution.records import OPEN
from hean_live.venues.protocol import IMMEDIATE, POST_ONLY
from models.portfolio.limits import Limits
from tests.live.records import DECISION_NS, SYMBOL, order_row
from tests.support import ROOT

ENTRY = OrderDecision("S1", SYMBOL, DECISION_NS, "e0", 1, D(9), D(100), POST_ONLY, False, D(98))
EXIT = replace(
    ENTRY, leg="x0", side=-1, price=None, time_in_force=IMMEDIATE, reduce_only=True, stop_price=None
)
BOOKS = Books({SYMBOL: D(0)}, {SYMBOL: D(0)}, {}, D(10_000), D(10_000), DECISION_NS)


@dataclass
class Market:
    now_ns: int = DECISION_NS
    tickers_at_ns: int = DECISION_NS
    quotes: dict = field(default_factory=lambda: {SYMBOL: Quote(D(100), D("100.1"), D(100), DECISION_NS)})
    clock_offset_ms: float | None = 0.0


def breach(journal, decision=ENTRY, market=None, books=BOOKS, halt="", limits=None):
    gate = OrderGate(journal, limits or Limits(), D(3), market or Market(), lambda: BooksNow(books, halt))
    found = gate(decision)
    return found.reason if found else None


def test_a_fine_entry_passes(journal):
    assert breach(journal) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"halt": "kill switch"}, "HALT"),
        ({"books": None}, "HALT"),
        ({"books": replace(BOOKS, foreign={SYMBOL: "hedge mode"})}, "FOREIGN"),
        ({"market": Market(quotes={})}, "NO_QUOTE"),
        ({"market": Market(clock_offset_ms=None)}, "CLOCK_UNKNOWN"),
        ({"market": Market(clock_offset_ms=-501.0)}, "CLOCK_OFFSET"),
        ({"market": Market(now_ns=DECISION_NS + 61 * 10**9)}, "STALE_TICKER"),
        ({"decision": replace(ENTRY, qty=D("9.01"))}, "CAPITAL"),
        ({"decision": replace(ENTRY, qty=D(0))}, "SHAPE"),
        ({"decision": replace(ENTRY, stop_price=None)}, "NO_STOP"),
        ({"decision": replace(ENTRY, reduce_only=True)}, "SHAPE"),
        ({"decision": replace(EXIT, reduce_only=False)}, "SHAPE"),
        ({"books": replace(BOOKS, own={SYMBOL: D(7)}, net={SYMBOL: D(7)})}, "SYMBOL_EXPOSURE"),
        ({"books": replace(BOOKS, own={"ETHUSDT": D(1)})}, "NO_QUOTE"),
        ({"books": replace(BOOKS, equity_usd=D(0))}, "NO_EQUITY"),
    ],
)
def test_every_reason_stops_an_entry(journal, changes, reason):
    assert breach(journal, **changes) == reason


def test_what_is_ordered_counts_as_exposure(journal):
    journal.put_order(order_row(qty=D(7), state=OPEN))
    assert breach(journal) == "SYMBOL_EXPOSURE"
    journal.put_order(order_row(qty=D(7), state=OPEN, reduce_only=True))
    assert breach(journal) is None


def test_an_exit_is_exempt_from_every_limit(journal):
    nothing = Market(quotes={}, clock_offset_ms=None, now_ns=DECISION_NS + 10**15)
    assert breach(journal, EXIT, market=nothing, books=None, halt="kill switch") is None


def _calls(name: str) -> set[str]:
    """Files of the executor with a call of a method of this name."""
    found = set()
    for path in (ROOT / "hean_live").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
                found.add(str(path.relative_to(ROOT / "hean_live")))
    return found


def test_no_path_to_the_venue_avoids_the_gate():
    # `place` of a venue is called by the order manager, behind its gate, and by the account's method of the same name.
    allowed = {"execution/order_manager.py", "app/runner.py", "venues/streams/socket_orders.py"}
    assert _calls("place") - {"simulation/network.py"} <= allowed
    assert _calls("submit") & {"app/account.py"} == {"app/account.py"}
    assert _calls("place_order") <= {"venues/bybit.py"}
    source = (ROOT / "hean_live/execution/order_manager.py").read_text()
    submit = source[source.index("def submit") : source.index("def cancel")]
    assert submit.index("self._gate(decision)") < submit.index("self._venue.place")
    assert source.count("self._venue.place") == 1
