"""What a backtest found: the rows of its session, trades, and the numbers that follow from them.

Here belongs arithmetic over finished runs; drawings and files are elsewhere.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.simulation.backtest.records import Session

TRADE: Final = np.dtype(
    [
        ("opened_ns", np.int64),
        ("closed_ns", np.int64),
        ("side", np.int64),
        ("quantity", np.float64),
        ("entry_price", np.float64),
        ("exit_price", np.float64),
        ("profit", np.float64),
        ("fees", np.float64),
    ],
    align=True,
)
"""From flat to flat, venue time: mean prices in and out (quote), quantity entered (base), profit before fees, fees (quote)."""


class Overflow(DataError):
    """More was under way between us and the venue than there is room for: such a run is worth nothing."""


class Results(NamedTuple):
    """A finished backtest.

    Attributes
    ----------
    intents, orders, fills, trades, equity : ndarrays of INTENT, ORDER_SENT, FILL, TRADE, EQUITY
        Fills carry their markouts. A position still open at the end is no trade.
    markouts_bps : ndarray of float64, shape (6,)
        Mean over fills at `MARKOUTS_S`, NaN where there is none.
    events, ticks : int
    profit : float
        Last equity less capital, after fees and funding.
    fees, funding : float
        Paid; negative was received.
    turnover : float
        Value traded over capital.
    dropped : int
        Orders not sent, below one lot or too many open.
    liquidations : int

    """

    intents: NDArray[np.void]
    orders: NDArray[np.void]
    fills: NDArray[np.void]
    trades: NDArray[np.void]
    equity: NDArray[np.void]
    markouts_bps: NDArray[np.float64]
    events: int
    ticks: int
    profit: float
    fees: float
    funding: float
    turnover: float
    dropped: int
    liquidations: int


def trades_of(fills: NDArray[np.void]) -> NDArray[np.void]:
    """Return the round trips of a sequence of fills; a fill that turns the position ends one and begins the next.

    Parameters
    ----------
    fills : array of FILL
        In order, beginning flat.

    Returns
    -------
    array of TRADE

    """
    rows: list[tuple[int, int, int, float, float, float, float, float]] = []
    before = realised = entered = entry_value = fees = 0.0
    opened_ns = 0
    # Columns as lists: reading fields of rows one by one is many times slower.
    names = ("exch_ns", "side", "price", "quantity", "fee", "position", "realised")
    for at_ns, side, price, size, fee, after, realised_after in zip(
        *(fills[name].tolist() for name in names), strict=True
    ):
        closes = before * side < 0.0
        closed = min(size, abs(before)) if closes else 0.0
        fees += fee * closed / size
        ended = closes and (after == 0.0 or after * before < 0.0)
        if ended:
            profit = realised_after - realised
            direction = -side
            entry = entry_value / entered
            row = (opened_ns, at_ns, direction, entered, entry)
            rows.append((*row, entry + direction * profit / entered, profit, fees))
            realised, entered, entry_value, fees = realised_after, 0.0, 0.0, 0.0
        remainder = abs(after) if ended else size - closed
        if remainder > 0.0:
            if entered == 0.0:
                opened_ns = at_ns
            entered += remainder
            entry_value += remainder * price
            fees += fee * remainder / size
        before = after
    return np.array(rows, TRADE)


def results_of(session: Session, capital: float, events: int) -> Results:
    """Return the results of a finished session.

    Raises
    ------
    Overflow
        When a ring of the fill model was full.

    """
    counts: Any = session.counts[0]
    account: Any = session.simulator.account[0]
    if account["overflowed"]:
        raise Overflow(
            "backtest: expected requests and reports to fit their rings, was an overflow",
            remedy="send fewer orders per second or shorten the latencies",
        )
    fills = session.fills[: counts["fills"]].copy()
    equity = session.equities[: counts["equities"]].copy()
    marks: NDArray[np.float64] = fills["markout_bps"]
    known = ~np.isnan(marks)
    number = known.sum(axis=0)
    sums = np.where(known, marks, 0.0).sum(axis=0)
    means = np.divide(sums, number, out=np.full(number.shape, np.nan), where=number > 0)
    return Results(
        session.intents[: counts["intents"]].copy(),
        session.orders[: counts["orders"]].copy(),
        fills,
        trades_of(fills),
        equity,
        means,
        events,
        int(counts["ticks"]),
        float(equity["equity"][-1]) - capital if len(equity) else 0.0,
        float(account["fees"]),
        float(account["funding"]),
        float(account["volume"]) / capital,
        int(counts["dropped"]),
        int(account["liquidations"]),
    )
