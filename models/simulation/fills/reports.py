"""What the venue says and when we hear it.

Here belong writing and reading of reports. A report is due after its latency and never before an earlier one.
"""

from __future__ import annotations

from typing import Any

from numba import njit

from models.simulation.fills.latency import response_latency_ns
from models.simulation.fills.records import FILLED, LIQUIDATED


@njit(cache=True)
def _pass(sim: Any) -> None:
    """Leave the oldest report behind."""
    a = sim.account[0]
    a.reports_read += 1
    if a.reports_read < a.reports_sent:
        a.next_report_ns = sim.reports[a.reports_read & (sim.reports.shape[0] - 1)].local_ns


@njit(cache=True)
def report(
    sim: Any,
    p: Any,
    kind: int,
    reason: int,
    order_id: int,
    side: int,
    tick: int,
    quantity: float,
    leaves: float,
) -> int:
    """Append a report of what happens at the venue now; returns its slot, for price and fee."""
    a = sim.account[0]
    length = sim.reports.shape[0]
    if a.reports_sent - a.reports_read >= length:
        a.overflowed = 1
        _pass(sim)
    slot = a.reports_sent & (length - 1)
    # A venue clock ahead of ours must not delay what we have already received; see docs/fill_model.md, clocks.
    known = min(a.exch_clock, a.local_clock) + response_latency_ns(p, a.reports_sent)
    a.last_report_ns = max(a.last_report_ns, known)
    if a.reports_read == a.reports_sent:
        a.next_report_ns = a.last_report_ns
    a.reports_sent += 1
    r = sim.reports[slot]
    r.local_ns = a.last_report_ns
    r.exch_ns = a.exch_clock
    r.kind = kind
    r.reason = reason
    r.id = order_id
    r.side = side
    r.tick = tick
    r.price = tick * p.tick_size
    r.quantity = quantity
    r.leaves = leaves
    r.fee = 0.0
    r.maker = 0
    return int(slot)


@njit(cache=True)
def report_due(a: Any, local_ns: int) -> bool:
    """Say, from the record of the account alone, whether a report is known by `local_ns`."""
    return bool(a.reports_read < a.reports_sent and a.next_report_ns <= local_ns)


@njit(cache=True)
def next_report(sim: Any, p: Any, local_ns: int) -> int:
    """Slot of the next report known by `local_ns`, −1 when there is none; advances `known_position`.

    The row stays readable until ``len(sim.reports)`` further reports were written.
    """
    a = sim.account[0]
    if not report_due(a, local_ns):
        return -1
    slot = a.reports_read & (sim.reports.shape[0] - 1)
    r = sim.reports[slot]
    _pass(sim)
    if r.kind in (FILLED, LIQUIDATED):
        a.known_position += r.side * r.quantity
    return int(slot)
