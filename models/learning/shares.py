"""The seam where capital is divided: names of live strategies in, shares of the equity out.

Here belongs the plainest division, by P1's starting weights under the cap, and the form any other division has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from models.portfolio.allocation import STARTING_WEIGHTS
from models.portfolio.policy import MOST_SHARE, MOST_SHARES

Divide = Callable[[Collection[str]], Mapping[str, float]]
"""Names of the strategies that take part → fraction of the equity of each; the sum is at most 0.8."""

OTHERS: Final = 5.0
"""Weight of a strategy that P1's list does not name."""


def base_shares(strategies: Collection[str]) -> dict[str, float]:
    """Divide what is deployable by starting weights; what the cap holds back stays in cash.

    Examples
    --------
    >>> base_shares(["impulse_engine", "funding_harvester"])
    {'funding_harvester': 0.35, 'impulse_engine': 0.4}

    """
    weights = {name: STARTING_WEIGHTS.get(name, OTHERS) for name in sorted(set(strategies))}
    total = sum(weights.values())
    return {name: min(MOST_SHARES * weight / total, MOST_SHARE) for name, weight in weights.items()}
