"""A slow market as a stream of stretches: events and outlooks, with the planted truth for those who score.

    for events, outlooks in stream_slow_market(SCENARIOS["trends"](), "BTCUSDT", seed=1, days=90.0): ...

Same seed, same bytes, wherever the stream is cut; memory stays at one stretch. The kernel runs without the lock of the
interpreter. At the start of a stretch the newest outlook is still the last one of the stretch before.
Here belongs the stream; threads do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import ConfigError
from models.market.outlook import OUTLOOK
from models.market.tape import CHUNK_EVENTS, EVENT, Events
from models.simulation.slow_market.kernel import ROOM, run
from models.simulation.slow_market.numbers import market_numbers
from models.simulation.slow_market.parameters import SlowMarketParameters
from models.simulation.slow_market.state import EPISODE, new_state
from models.simulation.slow_market.symbols import symbol_named

DAY_NS: Final = 86_400_000_000_000
_EPISODES: Final = 4096
_EVENTS_PER_OUTLOOK: Final = 16
"""A chunk has room for an outlook per so many events."""


class Stretch(NamedTuple):
    """Events of a stretch (array of EVENT), and the outlooks that became known in it (array of OUTLOOK, by `at_ns`)."""

    events: Events
    outlooks: NDArray[np.void]


class LabelledStretch(NamedTuple):
    """A `Stretch` and the courses and instants of planted effects that ended in it (array of EPISODE)."""

    events: Events
    outlooks: NDArray[np.void]
    episodes: NDArray[np.void]


def _copy(rows: NDArray[np.void], count: int) -> NDArray[np.void]:
    # As bytes: NumPy copies structured rows field by field and leaves garbage in the padding.
    return rows[:count].view(np.uint8).copy().view(rows.dtype)


def stream_labelled_market(
    parameters: SlowMarketParameters,
    symbol: str,
    seed: int,
    days: float,
    chunk_events: int = CHUNK_EVENTS,
) -> Iterator[LabelledStretch]:
    """Yield a market with its truth; see `stream_slow_market`."""
    if chunk_events < 2 * ROOM:
        raise ConfigError(f"slow market: expected chunk_events of at least {2 * ROOM}, was {chunk_events}")
    contract = symbol_named(symbol)
    numbers = market_numbers(parameters, contract, seed)
    state: Any = new_state(parameters, contract, seed)
    events = np.zeros(chunk_events, EVENT)
    outlooks = np.zeros(chunk_events // _EVENTS_PER_OUTLOOK, OUTLOOK)
    episodes = np.zeros(_EPISODES, EPISODE)
    until_ns = parameters.start_ns + round(days * DAY_NS)
    finished = False
    while not finished:
        finished = bool(run(state, numbers, events, outlooks, episodes, until_ns))
        yield LabelledStretch(
            _copy(events, int(state.n)), _copy(outlooks, int(state.m)), _copy(episodes, int(state.k))
        )


def stream_slow_market(
    parameters: SlowMarketParameters,
    symbol: str,
    seed: int,
    days: float,
    chunk_events: int = CHUNK_EVENTS,
) -> Iterator[Stretch]:
    """Yield a slow market in stretches.

    Parameters
    ----------
    parameters : SlowMarketParameters
        The planted truth.
    symbol : str
        One of `symbols.SYMBOLS`.
    seed : int
        Not negative; with the symbol it decides everything the parameters leave open.
    days : float
        Length in venue time, from ``parameters.start_ns``.
    chunk_events : int
        Room of a stretch. It is cut between steps, so it may be a little shorter.

    Yields
    ------
    Stretch
        Arrays of its own; may be kept. The last one may be empty.

    Raises
    ------
    ConfigError
        When a parameter or the symbol is not one of a market, or `chunk_events` has no room for a step.

    """
    for stretch in stream_labelled_market(parameters, symbol, seed, days, chunk_events):
        yield Stretch(stretch.events, stretch.outlooks)


def outlooks_of(parameters: SlowMarketParameters, symbol: str, seed: int, days: float) -> NDArray[np.void]:
    """Return the outlooks of a whole market as one table."""
    parts = [
        stretch.outlooks.view(np.uint8) for stretch in stream_slow_market(parameters, symbol, seed, days)
    ]
    return np.concatenate(parts).view(OUTLOOK)
