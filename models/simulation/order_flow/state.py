"""The state of a synthetic market as records and arrays, so that a tape can be cut anywhere and goes on unchanged.

Here belong layout and the state at the start; how it changes is in the kernels.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.market.tape import EVENT
from models.simulation.order_flow.labels import EPISODE, LABEL
from models.simulation.order_flow.parameters import OrderFlowParameters

RING: Final = 1024
"""Ticks a side's ring of sizes holds; more than levels and spread together."""
NEVER: Final = np.iinfo(np.int64).max
SECOND_NS: Final = 1_000_000_000

# Timers: when the next thing of each sort happens.
CANDIDATE: Final = 0
QUOTES: Final = 1
NEXT_WHALE: Final = 2
NEXT_CASCADE: Final = 3
NEXT_FORCED: Final = 4
NEXT_TREND: Final = 5
NEXT_INFORMED: Final = 6
NEXT_REGIME: Final = 7
REFERENCE: Final = 8
INTEREST: Final = 9
TIMERS: Final = 10

_CAMPAIGN = [
    ("side", np.int8),
    ("number", np.int32),
    ("orders", np.int32),
    ("planned", np.int32),
    ("start_ns", np.int64),
    ("extreme_ns", np.int64),
    ("extreme", np.float64),
    ("gap_s", np.float64),
    ("mean_weight", np.float64),
    ("weight_left", np.float64),
    ("impact_left", np.float64),
    ("size", np.float64),
    ("open_interest_before", np.float64),
    ("mid_before", np.float64),
]
CAMPAIGN: Final = np.dtype(_CAMPAIGN, align=True)
"""A cascade (row 0) or trend (row 1) under way; `side` 0 where there is none. `extreme` is the farthest the price makers
want has gone (ticks, along `side`), `impact_left` the share of the planted impact still to come."""

STATE: Final = np.dtype(
    [
        ("random", np.uint64),
        ("now", np.int64),
        ("last_local", np.int64),
        ("message_local", np.int64),
        ("moved_at", np.int64),
        ("fair", np.float64),
        ("whale_displacement", np.float64),
        ("cascade_displacement", np.float64),
        ("strain", np.float64),
        ("excited_at", np.int64),
        ("excitation", np.float64, (2,)),
        ("bound", np.float64),
        ("best", np.int64, (2,)),
        ("far", np.int64, (2,)),
        ("open_interest", np.float64),
        ("premium", np.float64),
        ("premium_sum", np.float64),
        ("premium_weight", np.float64),
        ("premium_minutes", np.int64),
        ("regime", np.int64),
        ("cause", np.uint8),
        ("episode", np.int32),
        ("episodes_begun", np.int32),
        ("begun", np.uint8),
        ("n_events", np.int64),
        ("n_episodes", np.int64),
    ],
    align=True,
)
"""`best` and `far` ticks of bids (0) and asks (1); prices and displacements in ticks; `n_*` fill the chunk at hand."""


class World(NamedTuple):
    """State of a market and the chunk being written.

    Attributes
    ----------
    state : ndarray of STATE, shape (1,)
    campaigns : ndarray of CAMPAIGN, shape (2,)
    sizes : ndarray of float64, shape (2, RING)
        Size in lots at a tick, under ``tick % RING``.
    timers : ndarray of int64, shape (TIMERS,)
        Venue time of the next happening of each sort.
    events : ndarray of EVENT
    labels : ndarray of LABEL
    episodes : ndarray of EPISODE

    """

    state: NDArray[np.void]
    campaigns: NDArray[np.void]
    sizes: NDArray[np.float64]
    timers: NDArray[np.int64]
    events: NDArray[np.void]
    labels: NDArray[np.void]
    episodes: NDArray[np.void]


def new_world(parameters: OrderFlowParameters, seed: int, chunk_events: int, chunk_episodes: int) -> World:
    """Return a market in which nothing has happened yet.

    Parameters
    ----------
    parameters : OrderFlowParameters
    seed : int
        Not negative; decides everything the parameters leave open.
    chunk_events, chunk_episodes : int
        Room of the buffers.

    """
    state: NDArray[Any] = np.zeros(1, STATE)
    state["random"] = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
    state["now"] = state["moved_at"] = state["excited_at"] = parameters.start_ns
    state["fair"] = parameters.start_price / parameters.tick_size
    state["open_interest"] = parameters.open_interest
    state["premium"] = parameters.premium_mean
    state["episode"] = -1
    state["regime"] = 1
    return World(
        state=state,
        campaigns=np.zeros(2, CAMPAIGN),
        sizes=np.zeros((2, RING)),
        timers=np.full(TIMERS, NEVER, np.int64),
        events=np.zeros(chunk_events, EVENT),
        labels=np.zeros(chunk_events, LABEL),
        episodes=np.zeros(chunk_episodes, EPISODE),
    )
