"""The book: a touch that follows the price, fixed levels (rungs) behind it, and prints through what the price passes.

A rung's size depends on its number alone, so the book needs no memory: a side is its touch and every rung behind it to
the outermost ever set. A touch that goes back uncovers what stood behind it, one that comes forward leaves rungs behind. Where
the new quotes stand on the other side of old ones, somebody took those: trades print, level by level, before the quotes
move. At no row is the book crossed or empty. Rows 0 are bids, 1 asks; `outward` is -1 and +1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.market.tape import BBO, DEPTH, END_OF_MESSAGE, LIQUIDATION, SNAPSHOT, SNAPSHOT_START, TRADE
from models.simulation.order_flow.draws import normal, uniform

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30 = np.uint64(30)
_S27 = np.uint64(27)
_S31 = np.uint64(31)
_S11 = np.uint64(11)
_UNIT = 1.0 / 9007199254740992.0


@njit(cache=True)
def begin_message(s: Any, p: Any, at_ns: int) -> None:
    """Open a message at a venue time; it is received after the latency, never before an earlier one."""
    latency_ms = p.feed_latency_min_ms + p.feed_latency_extra_ms * uniform(s)
    s.clock = at_ns
    s.local = max(s.local, at_ns + np.int64(1e6 * latency_ms))


@njit(cache=True)
def emit(s: Any, events: Any, kind: int, side: int, price: float, size: float) -> None:
    """Append one event to the chunk."""
    e = events[s.n]
    e.local_ts = s.local
    e.exch_ts = s.clock
    e.kind = kind
    e.side = side
    e.price = price
    e.size = size
    s.n += 1


@njit(cache=True)
def as_decimal(value: float) -> float:
    """Return the double nearest to a decimal of eight places, as a venue's text would parse."""
    return float(np.rint(value * 1e8) / 1e8)


@njit(cache=True)
def emit_level(s: Any, p: Any, events: Any, kind: int, side: int, tick: int, lots: float) -> None:
    """Append a trade or level, given in ticks and lots."""
    emit(s, events, kind, side, as_decimal(tick * p.tick_size), as_decimal(lots * p.lot_size))


@njit(cache=True)
def rung_lots(p: Any, rung: int) -> float:
    """Size of a rung: half to one and a half of the mean, by its number alone."""
    z = p.rung_seed + np.uint64(rung) * _STEP
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    z = z ^ (z >> _S31)
    share = np.float64(z >> _S11) * _UNIT
    return float(max(1.0, np.rint(p.rung_depth * p.trade_lots * (0.5 + share))))


@njit(cache=True)
def _rung_behind(p: Any, row: int, tick: int) -> int:
    """Return the number of the first rung strictly behind a tick."""
    if row == 0:
        return int(-(-tick // p.rung_ticks) - 1)
    return int(tick // p.rung_ticks + 1)


@njit(cache=True)
def _draw_touch(s: Any, p: Any, row: int) -> float:
    depth = p.regime_depth[s.regime] * p.trade_lots / (1.0 + s.strain)
    # One-sided flow shows in the queues: makers lean against what they expect.
    lean = 1.0 - (2 * row - 1) * 0.5 * s.flow
    return float(max(1.0, np.rint(depth * lean * (0.5 + uniform(s)))))


@njit(cache=True)
def _extend(s: Any, p: Any, events: Any, row: int, kind: int) -> None:
    """Set rungs until `rungs` of them stand behind the touch."""
    outward = 2 * row - 1
    last = _rung_behind(p, row, s.touch[row]) + outward * (p.rungs - 1)
    while (last - s.deepest[row]) * outward > 0:
        s.deepest[row] += outward
        rung = s.deepest[row]
        emit_level(s, p, events, kind, 1 - 2 * row, rung * p.rung_ticks, rung_lots(p, rung))


@njit(cache=True)
def open_book(s: Any, p: Any, events: Any) -> None:
    """Write the snapshot a tape begins with."""
    begin_message(s, p, s.now)
    emit(s, events, SNAPSHOT_START, 0, 0.0, 0.0)
    s.quoted = s.fair
    bid, ask = wanted(s, p, s.fair)
    for row in range(2):
        s.touch[row] = bid if row == 0 else ask
        s.touch_lots[row] = _draw_touch(s, p, row)
        emit_level(s, p, events, SNAPSHOT, 1 - 2 * row, s.touch[row], s.touch_lots[row])
        s.deepest[row] = _rung_behind(p, row, s.touch[row]) - (2 * row - 1)
        _extend(s, p, events, row, SNAPSHOT)
    emit(s, events, END_OF_MESSAGE, 0, 0.0, 0.0)


@njit(cache=True)
def wanted(s: Any, p: Any, center: float) -> tuple[int, int]:
    """Bid and ask, in ticks, makers want about a price in ticks."""
    spread = max(int(np.rint(1e-4 * center * p.regime_spread_bps[s.regime] * (1.0 + s.strain))), 1)
    bid = int(np.floor(center - 0.5 * spread + 0.5))
    return bid, bid + spread


@njit(cache=True)
def _move(s: Any, p: Any, events: Any, row: int, tick: int) -> None:
    """Move a touch and say so."""
    outward, old = 2 * row - 1, s.touch[row]
    s.touch[row] = tick
    s.touch_lots[row] = _draw_touch(s, p, row)
    side = 1 - 2 * row
    emit_level(s, p, events, BBO, side, tick, s.touch_lots[row])
    if (tick - old) * outward >= 0:
        _extend(s, p, events, row, DEPTH)
        return
    # It came forward: the old touch is a rung again or nothing, and rungs are left between.
    if old % p.rung_ticks != 0:
        emit_level(s, p, events, DEPTH, side, old, 0.0)
    rung = _rung_behind(p, row, tick)
    while (rung * p.rung_ticks - old) * outward <= 0:
        emit_level(s, p, events, DEPTH, side, rung * p.rung_ticks, rung_lots(p, rung))
        rung += outward


@njit(cache=True)
def crowd_lots(s: Any, p: Any) -> float:
    """Draw the size of an order of the crowd."""
    return float(max(1.0, np.rint(p.trade_lots * np.exp(p.trade_sigma * normal(s)))))


@njit(cache=True)
def _print_through(s: Any, p: Any, events: Any, side: int, until: int, lots: float) -> None:
    """Trade the touch and every rung to `until`; with no lots given, an order of the crowd's size at each level."""
    row = 1 if side > 0 else 0
    tick, there = s.touch[row], s.touch_lots[row]
    rung = _rung_behind(p, row, tick)
    left = lots
    while True:
        got = min(left if lots > 0.0 else crowd_lots(s, p), there)
        emit_level(s, p, events, TRADE, side, tick, got)
        left -= got
        if lots > 0.0 and left <= 0.0:
            return
        tick, there = rung * p.rung_ticks, rung_lots(p, rung)
        rung += side
        if (until - tick) * side < 0:
            return


@njit(cache=True)
def _report_forced(s: Any, p: Any, events: Any) -> None:
    row = 1 if s.order_side > 0 else 0
    emit_level(s, p, events, LIQUIDATION, s.order_side, s.touch[row], max(1.0, np.rint(s.order_lots)))


@njit(cache=True)
def quote(s: Any, p: Any, events: Any, center: float, at_ns: int) -> None:
    """One message: the aggressive order of this step if there is one, prints through what price passes, and the new touches.

    Parameters
    ----------
    s : record of STATE
        ``order_side`` and ``order_lots`` are the order, used up here.
    p : record of NUMBERS
    events : array of EVENT
    center : float
        Price the makers want, ticks.
    at_ns : int
        Venue time.

    """
    s.quoted = center
    bid, ask = wanted(s, p, center)
    side = s.order_side
    if side == 0 and bid == s.touch[0] and ask == s.touch[1]:
        return
    begin_message(s, p, at_ns)
    if s.order_forced != 0:
        _report_forced(s, p, events)
    up, down = bid >= s.touch[1], ask <= s.touch[0]
    if side > 0 or (side == 0 and up):
        _print_through(s, p, events, 1, bid, np.rint(s.order_lots))
    elif side < 0 or down:
        _print_through(s, p, events, -1, ask, np.rint(s.order_lots))
    s.order_side, s.order_lots, s.order_forced = 0, 0.0, 0
    before = s.n
    ask_first = ask > s.touch[1]
    for turn in range(2):
        row = 1 if (turn == 0) == ask_first else 0
        tick = ask if row == 1 else bid
        if tick != s.touch[row]:
            _move(s, p, events, row, tick)
    if s.n > before:
        emit(s, events, END_OF_MESSAGE, 0, 0.0, 0.0)


@njit(cache=True)
def crowd_trades(s: Any, p: Any, events: Any, until_ns: int, k: int) -> None:
    """Let the crowd trade at the touch until the next step; `k` tells steps of 1 s (0) from quarters (1).

    An order of the crowd takes no more than the touch, which the makers fill again at once: it moves nothing.
    """
    s.excitation *= p.excitation_keep[k]
    at_ns = s.clock
    base = p.trade_rate * p.regime_activity[s.regime] * s.activity
    while True:
        at_ns += np.int64(-1e9 * np.log(uniform(s)) / (base + s.excitation)) + 1
        if at_ns >= until_ns:
            return
        side = 1 if uniform(s) <= 0.5 + 0.5 * s.flow else -1
        row = 1 if side > 0 else 0
        begin_message(s, p, at_ns)
        lots = min(crowd_lots(s, p), s.touch_lots[row])
        emit_level(s, p, events, TRADE, side, s.touch[row], lots)
        s.excitation += p.self_excitation * p.excitation_decay
