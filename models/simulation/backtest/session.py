"""What a session does before a strategy's step: reads reports, marks fills out, keeps equity, tells the strategy.

Batch loop and per-event path call these same functions. Here belongs nothing that knows a particular strategy; intents are
carried out in `orders.py`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from models.market.book import mid_price
from models.simulation.backtest.records import MARKOUTS_S, MOST_OPEN
from models.simulation.fills.account import book_fill, equity
from models.simulation.fills.records import (
    CANCELLED,
    FILLED,
    FUNDING_PAID,
    LIQUIDATED,
    REJECTED,
)
from models.simulation.fills.reports import next_report, report_due

_NEVER = np.iinfo(np.int64).max
_FIRST_HORIZON_NS = int(1e9 * MARKOUTS_S[0])
_LAST_HORIZON_NS = int(1e9 * MARKOUTS_S[-1])


@njit(cache=True)
def limits_of(session: Any) -> tuple[int, int, int, int]:
    """Rows of intents, orders, fills and equity from which a tick might not fit; for `may_go_on`."""
    return (
        session.intents.shape[0],
        session.orders.shape[0] - MOST_OPEN,
        session.fills.shape[0],
        session.equities.shape[0],
    )


@njit(cache=True)
def may_go_on(account: Any, counts: Any, limits: tuple[int, int, int, int]) -> bool:
    """Whether a tick may be taken: each of the arrays has room for the most it can write, and no ring was full."""
    unread = account.reports_sent - account.reports_read
    return bool(
        counts.intents < limits[0]
        and counts.orders < limits[1]
        and counts.fills + unread < limits[2]
        and counts.equities < limits[3]
        and account.overflowed == 0
    )


@njit(cache=True)
def _close(session: Any, row: int, kind: int, reason: int) -> None:
    counts = session.counts[0]
    session.orders[row].end = kind
    session.orders[row].end_reason = reason
    kept = 0
    for i in range(counts.open):
        if session.open[i] != row:
            session.open[kept] = session.open[i]
            kept += 1
    counts.open = kept


@njit(cache=True)
def _on_fill(session: Any, venue: Any, report: Any) -> None:
    known = session.known[0]
    counts = session.counts[0]
    book_fill(known, venue, report.side, report.quantity, report.price, report.fee)
    known.fills += 1
    fill = session.fills[counts.fills]
    fill.local_ns = report.local_ns
    fill.exch_ns = report.exch_ns
    fill.id = report.id
    fill.side = report.side
    fill.price = report.price
    fill.quantity = report.quantity
    fill.fee = report.fee
    fill.maker = report.maker
    fill.position = known.position
    fill.realised = known.realised
    for k in range(len(MARKOUTS_S)):
        fill.markout_bps[k] = np.nan
    counts.fills += 1
    counts.next_mark_ns = min(counts.next_mark_ns, report.exch_ns + _FIRST_HORIZON_NS)


@njit(cache=True)
def read_reports(session: Any, venue: Any, local_ns: int) -> None:
    """Take every report known by `local_ns`: fills, ends of orders, funding."""
    while True:
        slot = next_report(session.simulator, venue, local_ns)
        if slot < 0:
            return
        report = session.simulator.reports[slot]
        row = report.id - 1
        if report.kind in (FILLED, LIQUIDATED):
            _on_fill(session, venue, report)
            if report.kind == FILLED:
                session.orders[row].filled += report.quantity
                if report.leaves <= 0.0:
                    _close(session, row, FILLED, report.reason)
        elif report.kind == FUNDING_PAID:
            session.known[0].funding += report.fee
            session.known[0].wallet -= report.fee
        elif report.kind == REJECTED or (report.kind == CANCELLED and report.leaves <= 0.0):
            _close(session, row, report.kind, report.reason)


@njit(cache=True)
def tell(known: Any, counts: Any, state: Any) -> None:
    """Write what a strategy is told about its own orders."""
    state.position = known.position
    state.entry_price = known.entry_value / abs(known.position) if known.position != 0.0 else np.nan
    state.open_orders = counts.open
    counts.ticks += 1


@njit(cache=True)
def mark_out(session: Any, mid: float) -> None:
    """Read the mid for every fill that has reached a horizon, by the venue's clock; an undefined mid is waited out."""
    counts = session.counts[0]
    now_ns = session.simulator.account[0].exch_clock
    if not _mark_due(session.simulator.account[0], counts, mid):
        return
    counts.next_mark_ns = _NEVER
    for i in range(counts.marked, counts.fills):
        fill = session.fills[i]
        for k in range(len(MARKOUTS_S)):
            at_ns = fill.exch_ns + int(1e9 * MARKOUTS_S[k])
            if now_ns < at_ns:
                counts.next_mark_ns = min(counts.next_mark_ns, at_ns)
                break
            if math.isnan(fill.markout_bps[k]):
                fill.markout_bps[k] = 1e4 * fill.side * (mid - fill.price) / fill.price
    while counts.marked < counts.fills and now_ns - session.fills[counts.marked].exch_ns >= _LAST_HORIZON_NS:
        counts.marked += 1


@njit(cache=True)
def keep_equity(session: Any, at_ns: int, mid: float, every_ns: int) -> None:
    """Write equity down; the next row but the last is due at the next multiple of `every_ns`, 0 for the last."""
    counts = session.counts[0]
    account = session.simulator.account[0]
    row = session.equities[counts.equities]
    row.at_ns = at_ns
    row.equity = equity(account)
    row.position = account.position
    row.mid = mid
    counts.equities += 1
    if every_ns > 0:
        counts.next_equity_ns = (at_ns // every_ns + 1) * every_ns


@njit(cache=True)
def _mark_due(account: Any, counts: Any, mid: float) -> bool:
    return bool(
        counts.marked < counts.fills and account.exch_clock >= counts.next_mark_ns and not math.isnan(mid)
    )


@njit(cache=True)
def is_busy(account: Any, counts: Any, at_ns: int, mid: float) -> bool:
    """Say, from records alone, whether there is anything for `before_step` to do but to count and to tell."""
    return report_due(account, at_ns) or at_ns >= counts.next_equity_ns or _mark_due(account, counts, mid)


@njit(cache=True)
def before_step(session: Any, venue: Any, parameters: Any, at_ns: int, mid: float, state: Any) -> None:
    """Do what comes before a strategy's step at a tick: reports, markouts, equity, and what the strategy is told."""
    counts = session.counts[0]
    if is_busy(session.simulator.account[0], counts, at_ns, mid):
        catch_up(session, venue, parameters, at_ns, mid)
    tell(session.known[0], counts, state)


@njit(cache=True)
def catch_up(session: Any, venue: Any, parameters: Any, at_ns: int, mid: float) -> None:
    """Read the reports, marks and equity that are due at a tick."""
    read_reports(session, venue, at_ns)
    mark_out(session, mid)
    if at_ns >= session.counts[0].next_equity_ns:
        keep_equity(session, at_ns, mid, parameters.equity_period_ns)


@njit(cache=True)
def end(session: Any, venue: Any, book: Any, at_ns: int) -> None:
    """Read what is still to be read after the last event, and write the last row of equity."""
    read_reports(session, venue, 1 << 62)
    keep_equity(session, at_ns, mid_price(book), 0)
