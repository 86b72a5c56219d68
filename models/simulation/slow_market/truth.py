"""What a strategy did about what was planted in a slow market, and what was planted in it.

Courses and instants have episodes, which trades are held against; a premium, a pair, another venue or wide spreads stand
throughout, and only their numbers can be told. Here belongs which is which; the matching is that of
`models.simulation.backtest.truth`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.simulation.backtest.truth import FADED, NOTHING, Sort, TruthRow, rows_of_sorts
from models.simulation.slow_market.parameters import SlowMarketParameters
from models.simulation.slow_market.state import (
    BUILD,
    CASCADE,
    EFFECT_NAMES,
    FORCED,
    NEXT_SPIKE,
    NEXT_WHALE,
    SLIDE,
)

THROUGHOUT: Final = "throughout the market"
_LN_2: Final = float(np.log(2.0))
_STAGES: Final = {BUILD: "build-up", SLIDE: "slide", FORCED: "liquidations"}
_OF_EPISODES: Final = (
    "trend",
    "impulse",
    "range",
    "sweep",
    "spike",
    "whale",
    "cascade",
    "interest_",
    "sentiment_",
)
"""What names of parameters of effects with episodes begin with."""


class PlantedNumber(NamedTuple):
    """A parameter in which a market differs from the one with nothing planted: its name, here, and there."""

    name: str
    here: float | tuple[float, ...]
    nothing: float | tuple[float, ...]


def planted_numbers(parameters: SlowMarketParameters) -> list[PlantedNumber]:
    """Return what makes a market differ from the null; nothing for the null itself."""
    null = SlowMarketParameters()._asdict()
    return [
        PlantedNumber(name, value, null[name])
        for name, value in parameters._asdict().items()
        if value != null[name]
    ]


def slow_truth_rows(
    trades: NDArray[np.void], episodes: NDArray[np.void], parameters: SlowMarketParameters
) -> list[TruthRow]:
    """Hold trades against what was planted.

    Parameters
    ----------
    trades : array of TRADE
        In order of opening.
    episodes : array of EPISODE
        Of the slow market, those that ended within the tape.
    parameters : SlowMarketParameters

    Returns
    -------
    list of TruthRow
        One an effect that came up, cascades by stage; then the trades that answer none of them.

    """
    felt_s = {
        (NEXT_WHALE, 1): FADED / _LN_2 * parameters.whale_half_life_s,
        (NEXT_SPIKE, 1): FADED / _LN_2 * parameters.spike_half_life_s,
        (CASCADE, FORCED): FADED / _LN_2 * parameters.cascade_half_life_s
        if parameters.cascade_overshoot_bps > 0.0
        else 0.0,
    }
    sorts = []
    kinds = np.unique(np.stack([episodes["effect"], episodes["stage"]], axis=1), axis=0)
    for effect, stage in kinds.tolist():
        rows = episodes[(episodes["effect"] == effect) & (episodes["stage"] == stage)]
        rows = np.sort(rows, order="start_ns", kind="stable")
        felt = rows["end_ns"] + np.int64(1e9 * felt_s.get((effect, stage), 0.0))
        sorts.append(Sort(_name(effect, stage, kinds), rows["start_ns"], felt, rows["side"]))
    standing = any(not number.name.startswith(_OF_EPISODES) for number in planted_numbers(parameters))
    return rows_of_sorts(trades, sorts, THROUGHOUT if standing else NOTHING)


def _name(effect: int, stage: int, kinds: NDArray[np.int64]) -> str:
    name = EFFECT_NAMES[effect]
    if effect == CASCADE:
        return f"{name}, {_STAGES[stage]}"
    stages = int((kinds[:, 0] == effect).sum())
    return f"{name}, stage {stage}" if stages > 1 else name
