"""The records of the fill model: orders at the venue, requests on their way in, reports on their way out, the account.

Here belong layout, constants, and an empty simulator. State is data: copy the arrays and you have saved a session.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import ConfigError
from models.simulation.fills.parameters import FillParameters, check_parameters

# Requests.
NEW: Final = 1
CANCEL: Final = 2
AMEND: Final = 3

# Time in force.
GTC: Final = 0
POST_ONLY: Final = 1
IOC: Final = 2
FOK: Final = 3

# Reports.
ACCEPTED: Final = 1
FILLED: Final = 2
"""A fill; `leaves` says whether more is to come."""
CANCELLED: Final = 3
REJECTED: Final = 4
AMENDED: Final = 5
CANCEL_REJECTED: Final = 6
AMEND_REJECTED: Final = 7
FUNDING_PAID: Final = 8
"""`fee` is what was paid; negative was received."""
LIQUIDATED: Final = 9
"""The venue closed the position at its bankruptcy price."""

# Reasons.
NO_REASON: Final = 0
WOULD_TAKE: Final = 1
"""Post-only order that would have traded at once."""
NOT_THERE: Final = 2
"""Cancel or amend of an order that was filled or gone: the race was lost."""
BOOK_INVALID: Final = 3
"""No trustworthy book at arrival."""
NO_MARGIN: Final = 4
NOT_REDUCING: Final = 5
TOO_MANY: Final = 6
"""No free slot for another resting order."""
NOT_FILLED: Final = 7
"""The part of an IOC, FOK or market order for which there was nothing to take."""
DUPLICATE: Final = 8
BAD_QUANTITY: Final = 9
FORCED_OUT: Final = 10
"""Cancelled because the position was liquidated."""

ANY_TICK: Final = 1 << 60
"""Price of a market order: buy at `ANY_TICK`, sell at minus it."""

ORDER: Final = np.dtype(
    [
        ("id", np.int64),
        ("tick", np.int64),
        ("quantity", np.float64),
        ("leaves", np.float64),
        ("ahead", np.float64),
        ("traded", np.float64),
        ("level", np.float64),
        ("side", np.int8),
        ("reduce_only", np.uint8),
    ],
    align=True,
)
"""A resting order: `ahead` is the estimated size before it in the queue, `traded` what printed at its price since the level
last changed, `level` the last size of the level (all base)."""

REQUEST: Final = np.dtype(
    [
        ("arrival_ns", np.int64),
        ("id", np.int64),
        ("tick", np.int64),
        ("quantity", np.float64),
        ("kind", np.uint8),
        ("side", np.int8),
        ("time_in_force", np.uint8),
        ("reduce_only", np.uint8),
    ],
    align=True,
)

REPORT: Final = np.dtype(
    [
        ("local_ns", np.int64),
        ("exch_ns", np.int64),
        ("id", np.int64),
        ("tick", np.int64),
        ("price", np.float64),
        ("quantity", np.float64),
        ("leaves", np.float64),
        ("fee", np.float64),
        ("kind", np.uint8),
        ("reason", np.uint8),
        ("side", np.int8),
        ("maker", np.uint8),
    ],
    align=True,
)
"""What the venue says: when we know it, when it happened, of which order, and what (price quote, quantity base, fee quote)."""

ACCOUNT: Final = np.dtype(
    [
        ("exch_clock", np.int64),
        ("local_clock", np.int64),
        ("requests_sent", np.int64),
        ("requests_done", np.int64),
        ("reports_sent", np.int64),
        ("reports_read", np.int64),
        ("last_arrival_ns", np.int64),
        ("last_report_ns", np.int64),
        ("n_orders", np.int64),
        ("next_arrival_ns", np.int64),
        ("next_report_ns", np.int64),
        ("best_bid", np.int64),
        ("best_ask", np.int64),
        ("highest_buy", np.int64),
        ("lowest_sell", np.int64),
        ("watched_low", np.float64, (2,)),
        ("watched_high", np.float64, (2,)),
        ("wallet", np.float64),
        ("position", np.float64),
        ("entry_value", np.float64),
        ("realised", np.float64),
        ("fees", np.float64),
        ("funding", np.float64),
        ("volume", np.float64),
        ("mark", np.float64),
        ("known_position", np.float64),
        ("fills", np.int64),
        ("liquidations", np.int64),
        ("mark_published", np.uint8),
        ("overflowed", np.uint8),
    ],
    align=True,
)
"""The account at the venue. ``wallet = start + realised − fees − funding``; `entry_value` is what the open position was
entered for (quote, not negative); `known_position` is as of the last report read; `overflowed` is 1 when a ring was full and the
simulation is worth nothing. The rest lets an event that does not concern us pass without a look at orders and rings:
`next_arrival_ns` and `next_report_ns` are those of the oldest request under way and of the oldest report not read, and hold
while there is one; `highest_buy` and `lowest_sell` (ticks), `watched_low` and `watched_high` (prices: of buys, of sells, three
quarters of a tick wider than their orders stand apart) bound the resting orders while there are any."""


class FillSimulator(NamedTuple):
    """A simulated venue with one symbol and one account.

    Attributes
    ----------
    account : ndarray of ACCOUNT, shape (1,)
    orders : ndarray of ORDER
        Resting orders, oldest first, in the first ``account.n_orders`` rows; the last row is scratch.
    requests : ndarray of REQUEST
        Ring of requests under way.
    reports : ndarray of REPORT
        Ring of reports not yet read.

    """

    account: NDArray[np.void]
    orders: NDArray[np.void]
    requests: NDArray[np.void]
    reports: NDArray[np.void]


def new_simulator(
    parameters: FillParameters,
    wallet: float,
    orders: int = 64,
    requests: int = 256,
    reports: int = 1024,
) -> FillSimulator:
    """Return a venue at which nothing has happened.

    Parameters
    ----------
    parameters : FillParameters
        Checked here, once.
    wallet : float
        Quote at the start.
    orders, requests, reports : int
        Resting orders, requests under way and unread reports there is room for; the latter two powers of two.

    Raises
    ------
    ConfigError
        When a parameter is out of range or a ring is not a power of two.

    """
    check_parameters(parameters)
    for name, length in (("requests", requests), ("reports", reports)):
        if length < 2 or length & (length - 1):
            raise ConfigError(f"fill model: expected {name} to be a power of two, was {length}")
    account: NDArray[Any] = np.zeros(1, ACCOUNT)
    account["wallet"] = wallet
    return FillSimulator(
        account, np.zeros(orders + 1, ORDER), np.zeros(requests, REQUEST), np.zeros(reports, REPORT)
    )


def copy_simulator(simulator: FillSimulator) -> FillSimulator:
    """Return an independent copy: a saved session, the same to the byte."""
    # Copied as bytes: a copy of fields would leave garbage between them, and two equal sessions would differ.
    return FillSimulator(*(array.view(np.uint8).copy().view(array.dtype) for array in simulator))
