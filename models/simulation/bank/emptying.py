"""Forgetting what is over in a bank, so that one that runs for months needs no more memory than one that runs for a day.

Intents, ended orders, marked-out fills and written equity are let go; open orders move to the front of their table, and go by
their new numbers everywhere: at the venue, in requests and in reports under way. What is traded afterwards is the same to the
bit. Here belongs nothing that decides when.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.simulation.backtest.records import Session
from models.simulation.bank.records import Bank

NO_ORDER = 0
"""Number of an order that is over. A cancel or a report under way that goes by it finds nothing, as it would have."""


def forget_what_is_over(bank: Bank) -> None:
    """Begin the tables of every running strategy anew, but for what is still under way; round trips are left alone."""
    for place in bank.shared.active.tolist():
        _forget(bank.sessions[place])


def _forget(session: Session) -> None:
    counts: Any = session.counts[0]
    counts["intents"] = 0
    counts["equities"] = 0
    marked, fills = int(counts["marked"]), int(counts["fills"])
    _move_to_front(session.fills, np.arange(marked, fills))
    counts["fills"], counts["marked"] = fills - marked, 0
    _renumber(session)


def _renumber(session: Session) -> None:
    counts: Any = session.counts[0]
    account: Any = session.simulator.account[0]
    under_way = session.open[: int(counts["open"])]
    rows = np.sort(under_way)
    numbers = np.full(int(counts["orders"]) + 1, NO_ORDER)
    numbers[rows + 1] = np.arange(1, len(rows) + 1)
    _move_to_front(session.orders, rows)
    # A new order finds zeros where its end and what was filled of it are written.
    _as_bytes(session.orders)[len(rows) : int(counts["orders"])] = 0
    session.orders["id"][: len(rows)] = np.arange(1, len(rows) + 1)
    # In the order it had: cancels go out in it.
    under_way[:] = numbers[under_way + 1] - 1
    counts["orders"] = len(rows)
    simulator = session.simulator
    resting = simulator.orders["id"][: int(account["n_orders"])]
    resting[:] = numbers[resting]
    _renumber_ring(simulator.requests, int(account["requests_done"]), int(account["requests_sent"]), numbers)
    _renumber_ring(simulator.reports, int(account["reports_read"]), int(account["reports_sent"]), numbers)


def _renumber_ring(ring: NDArray[np.void], done: int, sent: int, numbers: NDArray[np.int64]) -> None:
    slots = np.arange(done, sent) % len(ring)
    ring["id"][slots] = numbers[ring["id"][slots]]


def _move_to_front(table: NDArray[np.void], rows: NDArray[np.int64]) -> None:
    content = _as_bytes(table)
    content[: len(rows)] = content[rows]


def _as_bytes(table: NDArray[np.void]) -> NDArray[np.uint8]:
    # NumPy copies structured rows field by field and leaves garbage in the padding.
    return table.view(np.uint8).reshape(len(table), -1)
