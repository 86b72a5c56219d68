"""What signals were worth before fills, and the times they are compared with.

Here belong the move of the price in a signal's direction, with what a second leg made and the funding received, and two kinds of
control times of the same market: drawn at random, and those that followed an equally large move, which is what a rule with "when
the price has moved" in it must beat. What does not belong here: intervals and verdicts, and where signals come from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CONTROLS = 20
"""Control times a signal."""
_BPS = 1e4
_LIKE = 0.25  # an equal move differs by no more than this share of the signal's


@dataclass(frozen=True)
class Course:
    """What a market was worth on an even grid of instants.

    Attributes
    ----------
    start_ns, step_ns : int
        Instant of the first row, and from row to row.
    mid : ndarray of float64, shape (m,)
        In force at each instant, quote; NaN where there was none.
    paid : ndarray of float64, shape (m,)
        Funding a long position has received since the start, fraction of its value.
    leg_mid, leg_paid : ndarray of float64, shape (m,)
        The same of the other market; mid NaN where there is none.

    """

    start_ns: int
    step_ns: int
    mid: Floats
    paid: Floats
    leg_mid: Floats
    leg_paid: Floats

    def rows_from(self, at_ns: Ints) -> Ints:
        """Return the first row not before each instant, so that nothing that made a signal counts as what followed it."""
        ahead = np.asarray(at_ns, np.int64) - self.start_ns
        return np.asarray(-(-ahead // self.step_ns), np.int64)

    def steps(self, horizon_s: float) -> int:
        """Return a horizon in rows, at least one."""
        return max(1, round(horizon_s * 1e9 / self.step_ns))


@dataclass(frozen=True)
class Signals:
    """What is judged.

    Attributes
    ----------
    row : ndarray of int64, shape (n,)
        In the course, ascending.
    side : ndarray of float64, shape (n,)
        +1 bought, -1 sold.
    ratio : ndarray of float64, shape (n,)
        Value held of the other market against the own side, per unit; 0 without a second leg.
    price : ndarray of float64, shape (n,)
        What was paid, quote; NaN where the mid counts.

    """

    row: Ints
    side: Floats
    ratio: Floats
    price: Floats


@dataclass(frozen=True)
class Controls:
    """What signals are held against.

    Attributes
    ----------
    row : ndarray of int64, shape (n, k)
        In the course; outside of it where there is none.
    worth_bps : ndarray of float64, shape (n, k)
        NaN where not known.

    """

    row: Ints
    worth_bps: Floats


def apart(at_ns: Ints, gap_ns: int) -> NDArray[np.bool_]:
    """Say which instants stay when one within a gap of the last that stayed counts as one with it.

    Parameters
    ----------
    at_ns : ndarray of int64, shape (n,)
        Ascending.
    gap_ns : int

    Returns
    -------
    ndarray of bool, shape (n,)

    """
    kept, last = np.zeros(len(at_ns), bool), -math.inf
    for i, instant in enumerate(np.asarray(at_ns).tolist()):
        if instant - last >= gap_ns:
            kept[i], last = True, instant
    return kept


def gains_bps(course: Course, signals: Signals, steps: int, rows: Ints | None = None) -> Floats:
    """Worth of what signals want to hold, from prices alone.

    Parameters
    ----------
    course : Course
    signals : Signals
    steps : int
        Held so many rows.
    rows : ndarray of int64, shape (n, k), optional
        Rows of the controls of each signal; by default the signals' own, at their own prices.

    Returns
    -------
    ndarray of float64, shape (n,) or (n, k)
        1e4 * side * (own return - ratio * return of the leg), of simple returns; NaN where a price is not known.

    """
    side, ratio, at, price = _spread(signals, rows)
    before = np.where(np.isfinite(price), price, _at(course.mid, at))
    held = _at(course.mid, at + steps) / before - 1.0
    if signals.ratio.any():
        held = held - ratio * (_at(course.leg_mid, at + steps) / _at(course.leg_mid, at) - 1.0)
    return np.asarray(_BPS * side * held)


def received_bps(course: Course, signals: Signals, steps: int, rows: Ints | None = None) -> Floats:
    """Funding received on what signals want to hold, both markets; arguments and shape as of `gains_bps`."""
    side, ratio, at, _ = _spread(signals, rows)
    held = _difference(course.paid, at, steps)
    if signals.ratio.any():
        held = held - ratio * _difference(course.leg_paid, at, steps)
    return np.asarray(_BPS * side * held)


def following_bps(course: Course, rows: Ints, steps: int) -> Floats:
    """Worth of going with the price as far as it has gone since the entry, before costs.

    Parameters
    ----------
    course : Course
    rows : ndarray of int64, any shape
    steps : int

    Returns
    -------
    ndarray of float64, shape of `rows`
        Half of (squared log move less the sum of its squared steps), which is what a position equal to the move so far earns
        (sum of X dX), over the root of the market's mean squared move. Its expectation on a price without trend is zero,
        however volatile.

    """
    log_mid = np.log(course.mid)
    squares = np.square(np.diff(log_mid, prepend=log_mid[:1]))
    known = np.isfinite(squares)
    total = np.cumsum(np.where(known, squares, 0.0))
    move, path = _difference(log_mid, rows, steps), _difference(total, rows, steps)
    scale = math.sqrt(steps * float(squares[known].mean())) if known.any() else math.nan
    return np.asarray(_BPS * 0.5 * (move**2 - path) / scale)


def random_rows(course: Course, n: int, steps: int, seed: int, controls: int = CONTROLS) -> Ints:
    """Draw control rows for each of `n` signals, even over everything that has a whole horizon ahead.

    Parameters
    ----------
    course : Course
    n : int
    steps : int
    seed : int
    controls : int

    Returns
    -------
    ndarray of int64, shape (n, controls)

    """
    usable = np.flatnonzero(np.isfinite(course.mid[: max(len(course.mid) - steps, 0)]))
    if not len(usable):
        return np.full((n, controls), len(course.mid), np.int64)
    drawn = np.random.default_rng(seed).integers(0, len(usable), (n, controls))
    return np.asarray(usable[drawn], np.int64)


def equal_move_rows(
    course: Course, signals: Signals, back: int, steps: int, controls: int = CONTROLS
) -> Ints:
    """Find, for each signal, the times without a signal at which the price had moved as far in its direction.

    Parameters
    ----------
    course : Course
    signals : Signals
    back : int
        Rows over which the move before is taken.
    steps : int
        Horizon in rows.
    controls : int
        At most so many each, the nearest in size.

    Returns
    -------
    ndarray of int64, shape (n, controls)
        ``len(course.mid)``, which is never known, fills up. Controls lie at least half of `back` apart, and no signal was given
        at them or within the longer of `back` and `steps` before them; their moves differ by at most a quarter of the signal's.

    Notes
    -----
    A signal may follow a control. Leaving such times out would look ahead: a rule that goes with large moves signals where a
    move goes on, so moves that no signal follows are those that did not, and even on a martingale signals would seem better.

    """
    m = len(course.mid)
    found = np.full((len(signals.row), controls), m, np.int64)
    rows = np.arange(back, max(m - steps, back), max(back // 2, 1))
    free = np.ones(m, bool)
    for row in signals.row.tolist():
        free[max(row, 0) : row + max(back, steps) + 1] = False
    moves = _difference(np.log(course.mid), rows - back, back)
    keep = free[rows] & np.isfinite(moves)
    order = np.argsort(moves[keep], kind="stable")
    rows, moves = rows[keep][order], moves[keep][order]
    before = _difference(np.log(course.mid), signals.row - back, back)
    for i, wanted in enumerate(before.tolist()):
        if math.isnan(wanted):
            continue
        low, high = np.searchsorted(moves, [wanted - _LIKE * abs(wanted), wanted + _LIKE * abs(wanted)])
        near = np.argsort(np.abs(moves[low:high] - wanted), kind="stable")[:controls]
        found[i, : len(near)] = rows[low:high][near]
    return found


def _spread(signals: Signals, rows: Ints | None) -> tuple[Floats, Floats, Ints, Floats]:
    """Return sides, ratios, rows and prices, shaped for the signals themselves or for their controls."""
    if rows is None:
        return signals.side, signals.ratio, signals.row, signals.price
    return signals.side[:, None], signals.ratio[:, None], rows, np.full((len(rows), 1), math.nan)


def _difference(values: Floats, rows: Ints, steps: int) -> Floats:
    return np.asarray(_at(values, rows + steps) - _at(values, rows))


def _at(values: Floats, rows: Ints) -> Floats:
    """Values at rows; NaN outside."""
    inside = (rows >= 0) & (rows < len(values))
    return np.where(inside, values[np.where(inside, rows, 0)] if len(values) else math.nan, math.nan)
