"""The records of a backtest: intents, orders, fills, equity, and the session that fills them.

Here belong layout and an empty session. State is data: copy the arrays and you have saved a run.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import ConfigError
from models.simulation.fills.parameters import FillParameters
from models.simulation.fills.records import ACCOUNT, FillSimulator, new_simulator

MARKOUTS_S: Final = (0.5, 1.0, 2.0, 5.0, 30.0, 120.0)
"""X4: times after a fill at which the mid is read."""
MOST_OPEN: Final = 63

INTENT: Final = np.dtype(
    [
        ("at_ns", np.int64),
        ("action", np.int64),
        ("kind", np.int64),
        ("side", np.int64),
        ("price", np.float64),
        ("share", np.float64),
        ("layers", np.int64),
        ("reduce_only", np.int64),
        ("reason", np.int64),
    ],
    align=True,
)
"""An intent other than HOLD, and the tick it was made at."""

ORDER_SENT: Final = np.dtype(
    [
        ("at_ns", np.int64),
        ("id", np.int64),
        ("tick", np.int64),
        ("quantity", np.float64),
        ("side", np.int64),
        ("time_in_force", np.int64),
        ("reduce_only", np.int64),
        ("reason", np.int64),
        ("filled", np.float64),
        ("end", np.int64),
        ("end_reason", np.int64),
    ],
    align=True,
)
"""An order: when and why it was sent, what became of it (`end` is the kind of its last report, 0 while open)."""

FILL: Final = np.dtype(
    [
        ("local_ns", np.int64),
        ("exch_ns", np.int64),
        ("id", np.int64),
        ("side", np.int64),
        ("price", np.float64),
        ("quantity", np.float64),
        ("fee", np.float64),
        ("maker", np.int64),
        ("position", np.float64),
        ("realised", np.float64),
        ("markout_bps", np.float64, (len(MARKOUTS_S),)),
    ],
    align=True,
)
"""A fill: known and venue time, position and profit realised so far (before fees) after it, and its markouts: how far
the mid has moved in its direction, bps of its price, at the first tick at or after each horizon; NaN where the tape ends
before. Id 0 is a liquidation."""

EQUITY: Final = np.dtype(
    [("at_ns", np.int64), ("equity", np.float64), ("position", np.float64), ("mid", np.float64)], align=True
)
"""Venue-side equity (quote), position (base) and mid at a tick."""

COUNTS: Final = np.dtype(
    [
        ("ticks", np.int64),
        ("intents", np.int64),
        ("orders", np.int64),
        ("fills", np.int64),
        ("equities", np.int64),
        ("open", np.int64),
        ("marked", np.int64),  # fills whose markouts are complete come first
        ("next_equity_ns", np.int64),
        ("next_mark_ns", np.int64),  # venue time at which a fill reaches its next horizon, not later
        ("dropped", np.int64),  # orders not sent: below one lot, too many open, or no valid book
    ],
    align=True,
)


class BacktestParameters(NamedTuple):
    """What a backtest is told beside strategy, features and venue. Give floats as floats."""

    capital: float = 100_000.0  # quote; shares are of this
    equity_period_ns: int = 60_000_000_000


class Session(NamedTuple):
    """Everything of one run but market and strategy.

    Attributes
    ----------
    simulator : FillSimulator
    known : ndarray of ACCOUNT, shape (1,)
        The account as the reports read so far say.
    counts : ndarray of COUNTS, shape (1,)
    open : ndarray of int64, shape (MOST_OPEN + 1,)
        Rows in `orders` of orders whose end is not known.
    intents, orders, fills, equities : ndarrays of INTENT, ORDER_SENT, FILL, EQUITY
        The first ``counts.…`` rows are written.

    """

    simulator: FillSimulator
    known: NDArray[np.void]
    counts: NDArray[np.void]
    open: NDArray[np.int64]
    intents: NDArray[np.void]
    orders: NDArray[np.void]
    fills: NDArray[np.void]
    equities: NDArray[np.void]


def new_session(venue: FillParameters, parameters: BacktestParameters, rows: int) -> Session:
    """Return a session in which nothing has happened, with room for `rows` rows of each kind.

    Raises
    ------
    ConfigError
        When capital or period is not positive, or the venue is impossible.

    """
    if not (parameters.capital > 0.0 and parameters.equity_period_ns > 0):
        raise ConfigError(f"backtest: expected capital and equity_period_ns above 0, was {parameters}")
    known: NDArray[Any] = np.zeros(1, ACCOUNT)
    known["wallet"] = parameters.capital
    return Session(
        new_simulator(venue, parameters.capital, orders=MOST_OPEN),
        known,
        np.zeros(1, COUNTS),
        np.zeros(MOST_OPEN + 1, np.int64),
        np.zeros(rows, INTENT),
        np.zeros(rows, ORDER_SENT),
        np.zeros(rows, FILL),
        np.zeros(rows, EQUITY),
    )


def _grown(array: NDArray[np.void], written: int, spare: int) -> NDArray[np.void]:
    if len(array) - written >= 2 * spare:
        return array
    larger: NDArray[np.void] = np.zeros(2 * len(array) + 2 * spare, array.dtype)
    larger[:written] = array[:written]
    return larger


def with_room(session: Session, spare: int) -> Session:
    """Return the session with room for at least `spare` further rows of each kind."""
    counts: Any = session.counts[0]
    return session._replace(
        intents=_grown(session.intents, int(counts["intents"]), spare),
        orders=_grown(session.orders, int(counts["orders"]), spare),
        fills=_grown(session.fills, int(counts["fills"]), spare),
        equities=_grown(session.equities, int(counts["equities"]), spare),
    )
