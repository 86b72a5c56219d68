"""Phase affinity (P2): which strategies suit which phase of the market, and a phase's share of the allocation.

The phases of P2 are the regimes of F15 under another name: RANGE is accumulation, the two impulses are markup and markdown.
HIGH_ENTROPY and UNKNOWN are no phase: there everyone keeps its base weight. Which side a strategy may take is the
rotator's business.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from models.regimes.rules import DISTRIBUTION, IMPULSE_DOWN, IMPULSE_UP, RANGE

PHASES: Final[Mapping[str, str]] = {
    RANGE: "accumulation",
    IMPULSE_UP: "markup",
    IMPULSE_DOWN: "markdown",
    DISTRIBUTION: "distribution",
}
"""Phase by regime."""

AFFINITY: Final[Mapping[str, frozenset[str]]] = {
    "accumulation": frozenset({"funding_harvester", "basis_arbitrage", "enhanced_grid"}),
    "markup": frozenset({"impulse_engine", "momentum_trader", "liquidity_sweep"}),
    "markdown": frozenset({"liquidity_sweep", "impulse_engine", "correlation_arb"}),
    "distribution": frozenset({"sentiment", "liquidity_sweep"}),
}
"""Strategies by phase."""


def phase_weights(
    base: Mapping[str, float],
    regimes: Mapping[str, float],
    affinity: Mapping[str, frozenset[str]] = AFFINITY,
) -> dict[str, float]:
    """Share one unit of weight among the strategies that suit the present phases.

    Parameters
    ----------
    base : mapping of str to float
        Base weights of the strategies that take part; not negative.
    regimes : mapping of str to float
        How much of the market is in which regime: ``{"RANGE": 1.0}``, or a count of symbols by regime. Weights that are not
        positive and finite count as nothing; without any, everyone keeps its base weight.
    affinity : mapping of str to frozenset of str

    Returns
    -------
    dict of str to float
        Sums to 1. Within a phase those that suit it share by base weight; where none takes part, all do.

    """
    parts = {name: weight for name, weight in regimes.items() if math.isfinite(weight) and weight > 0.0}
    whole = sum(parts.values())
    if not whole > 0.0:
        return normalised(base)
    total = dict.fromkeys(base, 0.0)
    for regime, weight in parts.items():
        suited = affinity.get(PHASES.get(regime, ""), frozenset()) & base.keys()
        shared = normalised({name: base[name] for name in base if name in suited} or base)
        for name, share in shared.items():
            total[name] += weight / whole * share
    return total


def normalised(weights: Mapping[str, float]) -> dict[str, float]:
    """Scale weights to the sum 1; all alike where they sum to nothing; empty for none."""
    whole = sum(weights.values())
    if not whole > 0.0:
        return {name: 1.0 / len(weights) for name in weights}
    return {name: weight / whole for name, weight in weights.items()}
