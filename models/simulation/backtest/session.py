"""What a session does around a strategy's step: reads reports, tells the strategy, carries its intent out, keeps the record.

Batch loop and per-event path call these same functions. Here belongs nothing that knows a particular strategy.
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
    ANY_TICK,
    CANCELLED,
    FILLED,
    FUNDING_PAID,
    GTC,
    IOC,
    LIQUIDATED,
    POST_ONLY,
    REJECTED,
)
from models.simulation.fills.reports import next_report
from models.simulation.fills.requests import send_cancel, send_order
from models.strategies.intent import CANCEL, EXIT, HOLD, MARKET_ORDER, PLACE
from models.strategies.intent import POST_ONLY as INTENT_POST_ONLY

CANCEL_SENT = -1
"""`end` of an order of which the cancel is under way."""
_LAST_HORIZON_NS = int(1e9 * MARKOUTS_S[-1])


@njit(cache=True)
def has_room(session: Any) -> bool:
    """Whether a tick may be taken: each of the arrays has room for the most a tick can write."""
    counts = session.counts[0]
    unread = session.simulator.account[0].reports_sent - session.simulator.account[0].reports_read
    return bool(
        counts.intents < session.intents.shape[0]
        and counts.orders + MOST_OPEN < session.orders.shape[0]
        and counts.fills + unread < session.fills.shape[0]
        and counts.equities < session.equities.shape[0]
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
def tell(session: Any, state: Any) -> None:
    """Write what a strategy is told about its own orders."""
    known = session.known[0]
    state.position = known.position
    state.entry_price = known.entry_value / abs(known.position) if known.position != 0.0 else np.nan
    state.open_orders = session.counts[0].open


@njit(cache=True)
def _send(
    session: Any,
    venue: Any,
    at_ns: int,
    side: int,
    tick: int,
    quantity: float,
    force: int,
    reduce: int,
    why: int,
) -> None:
    counts = session.counts[0]
    # Floats of lots: 0.003 / 0.001 is 2.9999999999999996.
    lots = math.floor(quantity / venue.lot_size + 1e-9)
    if lots < 1 or counts.open >= MOST_OPEN:
        counts.dropped += 1
        return
    row = counts.orders
    order = session.orders[row]
    order.at_ns = at_ns
    order.id = row + 1
    order.tick = tick
    order.quantity = lots * venue.lot_size
    order.side = side
    order.time_in_force = force
    order.reduce_only = reduce
    order.reason = why
    session.open[counts.open] = row
    counts.open += 1
    counts.orders += 1
    send_order(session.simulator, venue, at_ns, row + 1, side, tick, order.quantity, force, reduce)


@njit(cache=True)
def _cancel_all(session: Any, venue: Any, at_ns: int) -> None:
    for i in range(session.counts[0].open):
        order = session.orders[session.open[i]]
        # A market order cannot be cancelled any more, and one cancel is enough.
        if order.end != CANCEL_SENT and order.time_in_force != IOC:
            order.end = CANCEL_SENT
            send_cancel(session.simulator, venue, at_ns, order.id)


@njit(cache=True)
def _place(session: Any, venue: Any, parameters: Any, at_ns: int, mid: float, intent: Any) -> None:
    side = intent.side
    price = mid if intent.kind == MARKET_ORDER else intent.price
    if not price > 0.0:
        session.counts[0].dropped += 1
        return
    total = intent.share * parameters.capital / price
    if intent.reduce_only:
        total = abs(session.known[0].position)
    # Rounded away from the market, so that rounding makes no order more aggressive than it was meant.
    ticks = price / venue.tick_size
    tick = math.floor(ticks + 1e-6) if side > 0 else math.ceil(ticks - 1e-6)
    force = POST_ONLY if intent.kind == INTENT_POST_ONLY else GTC
    layers = intent.layers
    for k in range(layers):
        behind = k if k < layers - 1 else max(k, intent.deepest_ticks)
        at = tick - side * behind
        if intent.kind == MARKET_ORDER:
            at = side * ANY_TICK
            force = IOC
        _send(session, venue, at_ns, side, at, total / layers, force, intent.reduce_only, intent.reason)


@njit(cache=True)
def carry_out(session: Any, venue: Any, parameters: Any, at_ns: int, mid: float, intent: Any) -> None:
    """Turn an intent into requests, and write it down unless it is to hold.

    Parameters
    ----------
    session : Session
    venue : FillParameters
    parameters : BacktestParameters
    at_ns : int
        The tick; the requests leave at it.
    mid : float
    intent : Intent

    """
    if intent.action == HOLD:
        return
    counts = session.counts[0]
    row = session.intents[counts.intents]
    row.at_ns = at_ns
    row.action = intent.action
    row.kind = intent.kind
    row.side = intent.side
    row.price = intent.price
    row.share = intent.share
    row.layers = intent.layers
    row.reduce_only = intent.reduce_only
    row.reason = intent.reason
    counts.intents += 1
    if intent.action == PLACE:
        _place(session, venue, parameters, at_ns, mid, intent)
    elif intent.action in (CANCEL, EXIT):
        _cancel_all(session, venue, at_ns)
        position = session.known[0].position
        if intent.action == EXIT and position != 0.0:
            side = -1 if position > 0.0 else 1
            _send(session, venue, at_ns, side, side * ANY_TICK, abs(position), IOC, 1, intent.reason)


@njit(cache=True)
def mark_out(session: Any, mid: float) -> None:
    """Read the mid for every fill that has reached a horizon, by the venue's clock; an undefined mid is waited out."""
    counts = session.counts[0]
    if counts.marked == counts.fills or math.isnan(mid):
        return
    now_ns = session.simulator.account[0].exch_clock
    for i in range(counts.marked, counts.fills):
        fill = session.fills[i]
        for k in range(len(MARKOUTS_S)):
            if now_ns - fill.exch_ns < int(1e9 * MARKOUTS_S[k]):
                break
            if math.isnan(fill.markout_bps[k]):
                fill.markout_bps[k] = 1e4 * fill.side * (mid - fill.price) / fill.price
    while counts.marked < counts.fills and now_ns - session.fills[counts.marked].exch_ns >= _LAST_HORIZON_NS:
        counts.marked += 1


@njit(cache=True)
def keep_equity(session: Any, at_ns: int, mid: float, every_ns: int) -> None:
    """Write equity down at the first tick of each period; `every_ns` of 0 writes in any case."""
    counts = session.counts[0]
    if every_ns > 0 and at_ns < counts.next_equity_ns:
        return
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
def before_step(session: Any, venue: Any, parameters: Any, at_ns: int, mid: float, state: Any) -> None:
    """Do what comes before a strategy's step at a tick: reports, markouts, equity, and what the strategy is told."""
    session.counts[0].ticks += 1
    read_reports(session, venue, at_ns)
    mark_out(session, mid)
    keep_equity(session, at_ns, mid, parameters.equity_period_ns)
    tell(session, state)


@njit(cache=True)
def end(session: Any, venue: Any, book: Any, at_ns: int) -> None:
    """Read what is still to be read after the last event, and write the last row of equity."""
    read_reports(session, venue, 1 << 62)
    keep_equity(session, at_ns, mid_price(book), 0)
