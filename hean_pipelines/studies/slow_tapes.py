"""Slow markets as tapes: for each strategy the one that plants its effect, and the null beside it.

Here belongs which market a strategy's first step is run on; the markets are `models.simulation.slow_market`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hean_pipelines.studies.outcome import Market
from hean_pipelines.studies.planted import TRUTH
from hean_pipelines.studies.questions import QUESTIONS
from hean_pipelines.studies.tapes import Tape

if TYPE_CHECKING:
    from models.market.tape import Events

SYMBOL = "BTCUSDT"


def slow_scenario(strategy: str, which: str) -> str:
    """Return the scenario of a strategy's market: where its effect is planted, or nothing of it is."""
    from models.simulation.slow_market.scenarios import PLANTED_FOR

    return PLANTED_FOR[strategy] if which == TRUTH else QUESTIONS[strategy].null


def slow_words(strategy: str, which: str) -> str:
    """Return what is planted in a strategy's market."""
    from models.simulation.slow_market.scenarios import SCENARIOS

    scenario = slow_scenario(strategy, which)
    said = (SCENARIOS[scenario].__doc__ or "").strip().rstrip(".")
    return f"slow market `{scenario}`: {said}"


def slow_tape(strategy: str, which: str, seed: int, hours: float) -> Tape:
    """Return a strategy's market as a tape, with outlooks; it is generated anew each time it is opened."""
    from models.simulation.slow_market.symbols import SYMBOLS

    scenario, contract = slow_scenario(strategy, which), SYMBOLS[SYMBOL]

    def told() -> Iterator[tuple[Events, Any]]:
        from models.simulation.slow_market.generator import stream_slow_market
        from models.simulation.slow_market.scenarios import SCENARIOS

        for stretch in stream_slow_market(SCENARIOS[scenario](), SYMBOL, seed, hours / 24.0):
            yield stretch.events, stretch.outlooks

    def chunks() -> Iterator[Events]:
        for events, _ in told():
            yield events

    name = f"planted {which}: {slow_words(strategy, which)}, seed {seed}"
    market = Market("synthetic", name, SYMBOL, seed, (), hours)
    return Tape(market, contract.tick_size, contract.lot_size, chunks, told=told)
