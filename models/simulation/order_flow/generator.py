"""A synthetic market as a stream of chunks: the tape, its labels, and the episodes that ended.

Here belongs what callers use. Memory is that of one chunk, however long the market runs; where it is cut does not change it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import ConfigError
from models.market.tape import CHUNK_EVENTS
from models.simulation.order_flow.kernel import room_per_step, run
from models.simulation.order_flow.parameters import OrderFlowParameters, check_parameters
from models.simulation.order_flow.state import SECOND_NS, World, new_world

_EPISODES_PER_CHUNK = 4096


class Chunk(NamedTuple):
    """A stretch of a synthetic market.

    Attributes
    ----------
    events : ndarray of EVENT, shape (n,)
        The tape.
    labels : ndarray of LABEL, shape (n,)
        The truth after each event.
    episodes : ndarray of EPISODE, shape (m,)
        Whales, cascades and trends that ended in the stretch, in the order of their ends.

    """

    events: NDArray[np.void]
    labels: NDArray[np.void]
    episodes: NDArray[np.void]


def _join(parts: list[NDArray[np.void]]) -> NDArray[np.void]:
    # As bytes: NumPy copies structured rows field by field and leaves garbage in the padding, and equal seeds would differ.
    return np.concatenate([part.view(np.uint8) for part in parts]).view(parts[0].dtype)


def open_order_flow(parameters: OrderFlowParameters, seed: int, chunk_events: int = CHUNK_EVENTS) -> World:
    """Return a market at its start, to be let run by `advance_order_flow`: for those who serve it live.

    Raises
    ------
    ConfigError
        When a parameter is out of range or `chunk_events` has no room for one message.

    """
    check_parameters(parameters)
    least = 2 * room_per_step(parameters.levels)
    if chunk_events < least:
        raise ConfigError(f"order flow: expected chunk_events of at least {least}, was {chunk_events}")
    return new_world(parameters, seed, chunk_events, _EPISODES_PER_CHUNK)


def advance_order_flow(world: World, parameters: OrderFlowParameters, until_ns: int) -> Iterator[Chunk]:
    """Let a market run on until a venue time (excluded); in how many steps it gets there does not change it.

    Parameters
    ----------
    world : World
        From `open_order_flow`; changed in place. Exhaust the iterator before advancing further.
    parameters : OrderFlowParameters
        Those it was opened with.
    until_ns : int

    Yields
    ------
    Chunk
        Arrays of its own; a chunk may be kept. The last one may be empty.

    """
    finished = False
    while not finished:
        finished = bool(run(world, parameters, until_ns))
        state: Any = world.state[0]
        n, m = int(state["n_events"]), int(state["n_episodes"])
        yield Chunk(_join([world.events[:n]]), _join([world.labels[:n]]), _join([world.episodes[:m]]))


def stream_order_flow(
    parameters: OrderFlowParameters, seed: int, duration_s: float, chunk_events: int = CHUNK_EVENTS
) -> Iterator[Chunk]:
    """Yield a synthetic market of `duration_s` in chunks of at most `chunk_events` events.

    Parameters
    ----------
    parameters : OrderFlowParameters
        The planted truth.
    seed : int
        Not negative. The same seed gives the same bytes, whatever the chunks.
    duration_s : float
        Length in venue time, from ``parameters.start_ns``.
    chunk_events : int
        Room of a chunk. A chunk is cut between messages, so it may be a little shorter.

    Yields
    ------
    Chunk
        As `advance_order_flow` yields them.

    Raises
    ------
    ConfigError
        When a parameter is out of range or `chunk_events` has no room for one message.

    """
    world = open_order_flow(parameters, seed, chunk_events)
    yield from advance_order_flow(world, parameters, parameters.start_ns + int(duration_s * SECOND_NS))


def generate_order_flow(parameters: OrderFlowParameters, seed: int, duration_s: float) -> Chunk:
    """Return a whole synthetic market at once; for short ones.

    Examples
    --------
    >>> market = generate_order_flow(OrderFlowParameters(), seed=1, duration_s=60.0)
    >>> len(market.events) == len(market.labels)
    True

    """
    chunks = list(stream_order_flow(parameters, seed, duration_s))
    return Chunk(
        _join([chunk.events for chunk in chunks]),
        _join([chunk.labels for chunk in chunks]),
        _join([chunk.episodes for chunk in chunks]),
    )
