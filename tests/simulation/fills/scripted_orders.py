"""Orders written down before they are sent, so that two simulators can be given the same ones, and our run of them."""

from __future__ import annotations

import numpy as np
from numba import njit

from models.market.book import apply, best_ask, best_bid, is_valid, new_book
from models.simulation.fills.records import FILLED, GTC, IOC, POST_ONLY
from models.simulation.fills.reports import next_report
from models.simulation.fills.requests import send_cancel, send_order
from models.simulation.fills.step import finish, step

SUBMIT_ACTION = 1
CANCEL_ACTION = 2

SCRIPT_ROW = np.dtype(
    [
        ("local_ns", np.int64),
        ("id", np.int64),
        ("tick", np.int64),
        ("quantity", np.float64),
        ("action", np.int64),
        ("side", np.int64),
        ("time_in_force", np.int64),
    ]
)
FILL_ROW = np.dtype(
    [
        ("id", np.int64),
        ("exch_ns", np.int64),
        ("tick", np.int64),
        ("quantity", np.float64),
        ("maker", np.int64),
    ]
)


@njit(cache=True)
def _touches(book, events, times, out):
    """Best bid and ask known at each time."""
    k = 0
    for i in range(events.shape[0]):
        while k < times.shape[0] and events[i].local_ts > times[k]:
            out[k, 0], out[k, 1] = (best_bid(book), best_ask(book)) if is_valid(book) else (0, 0)
            k += 1
        apply(book, events[i])
    return k


def write_script(events, tick_size, seed, every_s=0.4, lifetime_s=6.0, sizes=(1, 60), aggressive=True):
    """Draw orders around the touch known when they are sent; never two of one side and price at a time."""
    rng = np.random.default_rng(seed)
    start, end = int(events["local_ts"][0]), int(events["local_ts"][-1])
    steps = np.cumsum(rng.exponential(every_s * 1e9, int((end - start) / (every_s * 1e9)))).astype(np.int64)
    times = start + 10_000_000 + steps
    times = times[times < end - 20_000_000_000]
    touches = np.zeros((len(times), 2), np.int64)
    _touches(new_book(tick_size), events, times, touches)
    rows, busy = [], {}
    for k, (time, (bid, ask)) in enumerate(zip(times.tolist(), touches.tolist(), strict=True)):
        if bid == 0:
            continue
        side = 1 if rng.random() < 0.5 else -1
        offset = int(rng.integers(-3 if aggressive else 0, 6))
        tick = bid - offset if side > 0 else ask + offset
        if busy.get((side, tick), 0) > time:
            continue
        quantity = round(int(rng.integers(*sizes)) * 0.001, 3)
        force = int(rng.choice([GTC, POST_ONLY, POST_ONLY, IOC])) if aggressive else POST_ONLY
        rows.append((time, k + 1, tick, quantity, SUBMIT_ACTION, side, force))
        cancelled = time + int(rng.uniform(0.5, lifetime_s) * 1e9)
        # One in ten is left to rest: its price is then taken for good.
        busy[side, tick] = end
        if rng.random() < 0.9:
            busy[side, tick] = cancelled + 1_000_000_000
            rows.append((cancelled, k + 1, 0, 0.0, CANCEL_ACTION, 0, 0))
    return np.sort(np.array(rows, SCRIPT_ROW), order=["local_ns", "id"])


@njit(cache=True)
def _drain(sim, p, local_ns, fills, n):
    while True:
        slot = next_report(sim, p, local_ns)
        if slot < 0:
            return n
        r = sim.reports[slot]
        if r.kind == FILLED:
            fills[n].id = r.id
            fills[n].exch_ns = r.exch_ns
            fills[n].tick = r.tick
            fills[n].quantity = r.quantity
            fills[n].maker = r.maker
            n += 1


@njit(cache=True)
def play_script(sim, p, book, events, script, fills):
    """Our run: a request is sent once everything received by its time has been seen."""
    n = 0
    k = 0
    for i in range(events.shape[0]):
        while k < script.shape[0] and script[k].local_ns < events[i].local_ts:
            row = script[k]
            if row.action == CANCEL_ACTION:
                send_cancel(sim, p, row.local_ns, row.id)
            else:
                send_order(
                    sim, p, row.local_ns, row.id, row.side, row.tick, row.quantity, row.time_in_force, 0
                )
            k += 1
        step(sim, p, book, events[i])
        n = _drain(sim, p, events[i].local_ts, fills, n)
    finish(sim, p, book)
    return _drain(sim, p, np.int64(1) << 62, fills, n)
