"""What the bank of shadows would do in one simulation, drawn from its seed: which strategy enters when, and when it leaves.

Here belongs the drawing. What a life of the executor hears of it is `bank.py`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from hean_live.simulation import faults
from hean_live.simulation.clock import NANOSECONDS
from hean_live.simulation.faults import Window
from models.regimes.rules import DISTRIBUTION, IMPULSE_DOWN, IMPULSE_UP, RANGE

# Directional ones that enter at any hour, one that is always refused, by the hour, and two that make markets.
STRATEGIES: Final = (
    "liquidation_hunter",
    "impact_reversion",
    "forced_flow_exhaustion",
    "sentiment",
    "oi_momentum",
    "impulse_engine",
    "enhanced_grid",
    "rebate_farmer",
)
REGIMES: Final = (RANGE, IMPULSE_UP, IMPULSE_DOWN)
MAKERS: Final = frozenset({"enhanced_grid", "rebate_farmer"})
PAIRS: Final = "correlation_arb"
"""Holds one symbol against another: drawn apart from the others, so that theirs are what they are without it."""
_DISTANCES_BPS: Final = (0.5, 2.0, 6.0)
_NO_WAY_OUT: Final = 0.2
_BUSY_SHARE: Final = 0.35
_PAUSE_S: Final = 50.0
_HOLDS_S: Final = (0.0, 0.5, 3.0, 12.0, 45.0, 90.0)
_UNFILLED: Final = 0.15
_PAIRED: Final = 0.25
_RATIOS: Final = (0.3, 1.0, 4.0)


@dataclass(frozen=True)
class Episode:
    """One entry of one strategy in its shadow.

    Attributes
    ----------
    strategy, symbol, regime : str
    side : int
    signal_ns, end_ns : int
        From its first order until it holds nothing any more; the same for a trip within one step.
    is_filled : bool
        Whether it is a round trip, or an order nobody took.
    is_taker : bool
    edge_bps, confidence : float
    distance_bps : float
        From the mid to its quotes, of those who make markets; 0 of the others.
    fill_ns : int
        When its quotes are filled, of those who make markets.
    has_way_out : bool
        Whether it quotes what it holds out.
    partner : str
        Of a pair: the symbol held against its own, empty without.
    ratio : float
        Base of the partner against each base of its own.

    """

    strategy: str
    symbol: str
    regime: str
    side: int
    signal_ns: int
    end_ns: int
    is_filled: bool
    is_taker: bool
    edge_bps: float
    confidence: float
    distance_bps: float = 0.0
    fill_ns: int = 0
    has_way_out: bool = True
    partner: str = ""
    ratio: float = 0.0

    @property
    def told_ns(self) -> int:
        """When it is told as a signal: at its first order, of those who make markets at their fill."""
        return self.fill_ns or self.signal_ns

    @property
    def is_told(self) -> bool:
        """Whether it is told as a signal at all: quotes nobody took are none."""
        return self.is_filled or not self.distance_bps


@dataclass(frozen=True)
class BankScript:
    """The bank of one seed.

    Attributes
    ----------
    episodes : tuple of Episode
        By the time of their signals; those of one strategy and symbol follow each other.
    warm_up_s : tuple of float
        How long each life's bank takes to be at work; the last holds for all further lives.
    stalls : tuple of Window
        While the bank's thread stands still; everything is told afterwards.
    ends_s : float or None
        When the bank ends for good, until the process is started anew.
    restarts_s : tuple of float
        When the process is stopped in good order and started again.

    """

    episodes: tuple[Episode, ...] = ()
    warm_up_s: tuple[float, ...] = (0.0,)
    stalls: tuple[Window, ...] = ()
    ends_s: float | None = None
    restarts_s: tuple[float, ...] = ()


def draw_script(
    generator: np.random.Generator,
    allowed: tuple[str, ...],
    symbols: tuple[str, ...],
    start_ns: int,
    until_s: float,
) -> BankScript:
    """Draw the bank of one seed.

    Parameters
    ----------
    generator : numpy.random.Generator
    allowed : tuple of str
        Faults that may be drawn, names of `faults.ALL`.
    symbols : tuple of str
    start_ns : int
        Beginning of the simulation.
    until_s : float
        No signal, and no trouble, begins after so many seconds.

    """
    episodes = [
        episode
        for strategy in STRATEGIES
        for symbol in symbols
        if generator.random() < _BUSY_SHARE
        for episode in _episodes(generator, strategy, symbol, start_ns, until_s)
    ]
    pairs = _pairs(generator.spawn(1)[0], symbols, start_ns, until_s)
    # In the regime in which pairs may be traded the others may not, and the other way round.
    episodes = pairs or episodes
    trouble = float(generator.random())
    chosen = [kind for kind in faults.OF_THE_BANK if generator.random() < trouble and kind in allowed]
    stalls: list[Window] = []
    if faults.BANK_STALLS in chosen:
        for start in generator.uniform(0, until_s, int(generator.integers(1, 4))).tolist():
            length_s = float(generator.choice((1.0, 6.0, 30.0)))
            stalls.append(Window(faults.BANK_STALLS, start, min(start + length_s, until_s)))
    restarts: list[float] = []
    if faults.RESTART in chosen:
        restarts += generator.uniform(0, until_s, int(generator.integers(1, 3))).tolist()
    ends_s = None
    if faults.BANK_ENDS in chosen:
        ends_s = float(generator.uniform(0, until_s))
        # An alert tells of it, and somebody starts the process anew.
        restarts.append(ends_s + float(generator.uniform(5.0, 60.0)))
    return BankScript(
        tuple(sorted(episodes, key=lambda episode: episode.signal_ns)),
        tuple(generator.choice((0.0, 2.0, 15.0), 4).tolist()),
        tuple(stalls),
        ends_s,
        tuple(sorted(restarts)),
    )


def _pairs(
    generator: np.random.Generator, symbols: tuple[str, ...], start_ns: int, until_s: float
) -> list[Episode]:
    """Draw pairs of each symbol with the one before it, for some seeds; none for the others."""
    if len(symbols) < 2 or generator.random() >= _PAIRED:
        return []
    found = []
    for place, symbol in enumerate(symbols):
        partner, ratio = symbols[place - 1], float(generator.choice(_RATIOS))
        for row in _episodes(generator, PAIRS, symbol, start_ns, until_s):
            edge_bps = float(generator.choice((40.0, 80.0)))
            drawn = replace(row, regime=DISTRIBUTION, is_taker=True, edge_bps=edge_bps)
            found.append(replace(drawn, partner=partner, ratio=ratio))
    return found


def _episodes(
    generator: np.random.Generator, strategy: str, symbol: str, start_ns: int, until_s: float
) -> list[Episode]:
    found: list[Episode] = []
    at_s = float(generator.exponential(_PAUSE_S))
    while at_s < until_s:
        hold_s = float(generator.choice(_HOLDS_S))
        side = int(generator.choice((-1, 1)))
        is_maker = strategy in MAKERS
        fill_ns = start_ns + int((at_s + hold_s * float(generator.random())) * NANOSECONDS)
        found.append(
            Episode(
                strategy,
                symbol,
                str(generator.choice(REGIMES)),
                side,
                start_ns + int(at_s * NANOSECONDS),
                start_ns + int((at_s + hold_s) * NANOSECONDS),
                bool(generator.random() >= _UNFILLED),
                bool(generator.random() < 0.5),
                float(generator.choice((5.0, 40.0, 80.0, 80.0))),
                float(generator.choice((0.5, 0.9))),
                float(generator.choice(_DISTANCES_BPS)) if is_maker else 0.0,
                fill_ns if is_maker else 0,
                bool(generator.random() >= _NO_WAY_OUT),
            )
        )
        at_s += hold_s + 0.5 + float(generator.exponential(_PAUSE_S))
    return found
