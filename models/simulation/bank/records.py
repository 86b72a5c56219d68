"""The records of a bank: accounts in one array, sessions that look into it, second legs, round trips.

Here belong layout and an empty bank. State is data: what a bank knows is in these arrays, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import ConfigError
from models.market.features.records import record_dtype
from models.market.outlook import new_outlooks
from models.simulation.backtest.records import (
    COUNTS,
    BacktestParameters,
    Session,
    new_session,
)
from models.simulation.backtest.records import with_room as session_with_room
from models.simulation.fills.parameters import FillParameters
from models.simulation.fills.records import ACCOUNT

LEG_ACCOUNT: Final = record_dtype(
    [
        ("position", np.float64),  # base of the other market, signed
        ("entry_value", np.float64),  # quote, not negative
        ("cash", np.float64),  # from prices alone, quote
        ("fees", np.float64),
        ("funding", np.float64),  # paid; negative was received
        ("turnover", np.float64),
        ("trades", np.int64),
        ("pending_ns", np.int64),  # since when it differs from what is wanted; 0 when it does not
        ("settlement_ns", np.int64),  # of the other venue, the next one seen
        ("rate", np.float64),  # and its rate as last seen before it, fraction of one settlement
        ("mid", np.float64),  # of the other market as last seen
    ]
)
"""What a strategy holds of the other market, at prices of the outlook."""

TRIP: Final = record_dtype(
    [
        ("entry_ns", np.int64),
        ("exit_ns", np.int64),  # 0 while open
        ("side", np.int64),
        ("fills", np.int64),  # of the first market
        ("quantity", np.float64),  # largest position of the first market, base
        ("entry_price", np.float64),  # mean, as last known
        ("exit_price", np.float64),  # mid at the tick the trip was seen to be over, quote
        ("notional", np.float64),  # half the value traded in both markets, quote
        ("before", np.float64),  # profit of the strategy until then
        ("volume", np.float64),  # value traded until then
        ("fees", np.float64),
        ("funding", np.float64),  # paid
        ("profit", np.float64),  # after fees and funding, both markets, quote
        ("newest_reason", np.int64),  # code of the newest intent, of open trips
        ("reason", np.int64),  # code of the intent it began with
        ("reason_out", np.int64),  # code of the newest intent before its end
        ("regime", np.int64),  # at entry, as the next ones
        ("hurst_label", np.int64),
        ("spread_bps", np.float64),
        ("vpin_rank", np.float64),
    ]
)
"""From flat to flat as the strategy knew it, both markets together."""

LEGS: Final = {"none": 0, "spot": 1, "pair": 2, "other": 3}
"""Which market of the outlook a second leg is in."""


class BankParameters(NamedTuple):
    """What a bank is told beside strategies and venue. Give floats as floats.

    Attributes
    ----------
    run : BacktestParameters
        Capital of each strategy, and how often equity is written down.
    leg_fee : float
        Taker's fee in the other market, fraction.
    leg_latency_ns : int
        From wanting something of the other market to its fill.
    leg_stale_ns : int
        Prices of the other market older than this fill nothing.

    """

    run: BacktestParameters = BacktestParameters()
    leg_fee: float = 0.00055
    leg_latency_ns: int = 200_000_000
    leg_stale_ns: int = 120_000_000_000


class Shared(NamedTuple):
    """What the loop looks at for every event, one row per strategy in the order of the bank.

    Attributes
    ----------
    active : ndarray of int64
        Places of the strategies that run.
    accounts, known, counts : ndarrays of ACCOUNT, ACCOUNT, COUNTS
        The sessions' own arrays are views of these rows.
    limits : ndarray of int64, shape (strategies, 4)
        Rows from which a tick might not fit.
    legs : ndarray of LEG_ACCOUNT
    open_trips : ndarray of TRIP
        `entry_ns` is 0 where none is under way.
    trips : ndarray of TRIP, shape (strategies, rows)
    trip_counts : ndarray of int64
    outlook_row : ndarray of int64, shape (1,)
        Row of the outlooks that held at the last tick.

    """

    active: NDArray[np.int64]
    accounts: NDArray[np.void]
    known: NDArray[np.void]
    counts: NDArray[np.void]
    limits: NDArray[np.int64]
    legs: NDArray[np.void]
    open_trips: NDArray[np.void]
    trips: NDArray[np.void]
    trip_counts: NDArray[np.int64]
    outlook_row: NDArray[np.int64]


class Bank(NamedTuple):
    """Everything of a bank on one symbol but its market.

    Attributes
    ----------
    sessions : tuple of Session
        One per strategy.
    shared : Shared
    states : ndarray of the bank's states, shape (1,)

    """

    sessions: tuple[Session, ...]
    shared: Shared
    states: NDArray[np.void]


def new_bank(
    states: NDArray[np.void],
    active: Sequence[int],
    venue: FillParameters,
    parameters: BankParameters,
    rows: int,
) -> Bank:
    """Return a bank in which nothing has happened.

    Parameters
    ----------
    states : ndarray, shape (1,)
        A record with one field per strategy; its order is the bank's.
    active : sequence of int
        Places of the strategies that run.
    venue : FillParameters
    parameters : BankParameters
    rows : int
        Room for rows of each kind; those that do not run have almost none.

    Raises
    ------
    ConfigError
        When nothing runs, a place is unknown, or venue or capital are impossible.

    """
    size = len(states.dtype.names or ())
    if not active or not all(0 <= k < size for k in active):
        raise ConfigError(f"bank: expected at least one strategy of {size}, was {list(active)}")
    if not (parameters.leg_latency_ns >= 0 and parameters.leg_stale_ns > 0):
        raise ConfigError(
            f"bank: expected a leg latency of at least 0 and a positive staleness, was {parameters}"
        )
    accounts, known = np.zeros(size, ACCOUNT), np.zeros(size, ACCOUNT)
    counts = np.zeros(size, COUNTS)
    accounts["wallet"] = known["wallet"] = parameters.run.capital
    sessions = []
    for k in range(size):
        own = new_session(venue, parameters.run, rows if k in active else 1)
        simulator = own.simulator._replace(account=accounts[k : k + 1])
        sessions.append(own._replace(simulator=simulator, known=known[k : k + 1], counts=counts[k : k + 1]))
    shared = Shared(
        np.array(sorted(active), np.int64),
        accounts,
        known,
        counts,
        np.zeros((size, 4), np.int64),
        np.zeros(size, LEG_ACCOUNT),
        np.zeros(size, TRIP),
        np.zeros((size, rows), TRIP),
        np.zeros(size, np.int64),
        np.zeros(1, np.int64),
    )
    shared.legs["mid"] = np.nan
    return with_limits(Bank(tuple(sessions), shared, states))


def with_limits(bank: Bank) -> Bank:
    """Write down how many rows each session has room for; returns the bank."""
    for k, session in enumerate(bank.sessions):
        bank.shared.limits[k] = (
            len(session.intents),
            len(session.orders) - len(session.open) + 1,
            len(session.fills),
            len(session.equities),
        )
    return bank


def with_room(bank: Bank, spare: int) -> Bank:
    """Return the bank with room for at least `spare` further rows of each kind."""
    running = set(bank.shared.active.tolist())
    sessions = tuple(
        session_with_room(session, spare) if k in running else session
        for k, session in enumerate(bank.sessions)
    )
    shared = bank.shared
    used = int(shared.trip_counts.max())
    if shared.trips.shape[1] - used < spare:
        larger: NDArray[Any] = np.zeros((len(shared.accounts), 2 * shared.trips.shape[1] + spare), TRIP)
        larger[:, :used] = shared.trips[:, :used]
        shared = shared._replace(trips=larger)
    return with_limits(Bank(sessions, shared, bank.states))


def unknown_outlooks() -> NDArray[np.void]:
    """Return outlooks that never know anything: for strategies that need none."""
    return new_outlooks(1)
