"""A synthetic market as a tape for a backtest: events and the episodes that ended, without the label of every event.

The same tape as `order_flow.generator` gives, bit for bit. It is compiled so that another thread may work meanwhile, which lets
a market be generated while the stretch before is traded. Here belongs the stream; threads do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.market.tape import CHUNK_EVENTS, Events
from models.simulation.order_flow.generator import open_order_flow
from models.simulation.order_flow.kernel import run
from models.simulation.order_flow.parameters import OrderFlowParameters
from models.simulation.order_flow.state import SECOND_NS


class Stretch(NamedTuple):
    """Events of a stretch (array of EVENT) and the episodes that ended in it (array of EPISODE)."""

    events: Events
    episodes: NDArray[np.void]


@njit(cache=True, nogil=True)
def _run(world: Any, p: Any, until_ns: int) -> bool:
    return bool(run(world, p, until_ns))


def _copy(rows: NDArray[np.void]) -> NDArray[np.void]:
    # As bytes: NumPy copies structured rows field by field and leaves garbage in the padding.
    return rows.view(np.uint8).copy().view(rows.dtype)


def stream_synthetic_tape(
    parameters: OrderFlowParameters, seed: int, duration_s: float, chunk_events: int = CHUNK_EVENTS
) -> Iterator[Stretch]:
    """Yield a synthetic market of `duration_s` in stretches of at most `chunk_events` events.

    Parameters
    ----------
    parameters : OrderFlowParameters
    seed : int
        Not negative.
    duration_s : float
        Venue time, from ``parameters.start_ns``.
    chunk_events : int

    Yields
    ------
    Stretch
        Arrays of its own.

    Raises
    ------
    ConfigError
        When a parameter is out of range.

    """
    world = open_order_flow(parameters, seed, chunk_events)
    until_ns = parameters.start_ns + int(duration_s * SECOND_NS)
    finished = False
    while not finished:
        finished = bool(_run(world, parameters, until_ns))
        state: Any = world.state[0]
        yield Stretch(
            _copy(world.events[: int(state["n_events"])]), _copy(world.episodes[: int(state["n_episodes"])])
        )
