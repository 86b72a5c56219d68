"""Account tiers (P4): which strategies an account of a given size may run, and with which starting weights.

A small account cannot be cut into many parts: each would fall below the venue's least order. The tier is kept until the
equity has left it by a margin, so that an account at the border does not change its roster with every trade.

FundingPressure is in no list: P1 gives it no weight, and its own road in the executor asks no share. In a small account it trades
out of the reserve, within R1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Tier:
    """From `from_usd` of equity on: the `strategies` that may be allocated (None: all) and `weights` that replace P1's."""

    name: str
    from_usd: float
    strategies: frozenset[str] | None = None
    weights: Mapping[str, float] = field(default_factory=dict)


SMALL: Final = frozenset(
    {"impulse_engine", "funding_harvester", "inventory_neutral_mm", "liquidity_sweep", "rebate_farmer"}
)

TIERS: Final[tuple[Tier, ...]] = (
    Tier("small", 0.0, SMALL),
    Tier("middle", 1_000.0),
    Tier(
        "large", 10_000.0, None, {"hf_scalping": 12.0, "inventory_neutral_mm": 12.0, "impulse_engine": 20.0}
    ),
)
"""Lowest first; more than 10 000 USD is large, 10 000 itself is not."""


@dataclass(frozen=True)
class TierRules:
    """`tiers`, lowest first, and the `margin` below a tier's beginning at which it is left again, a fraction of it."""

    tiers: tuple[Tier, ...] = TIERS
    margin: float = 0.05


def tier_of(equity_usd: float, rules: TierRules, previous: str = "") -> Tier:
    """Find the tier of an account.

    Parameters
    ----------
    equity_usd : float
        NaN and what lies below the lowest tier is in the lowest tier.
    rules : TierRules
    previous : str
        Name of the tier held until now; ``""`` for none.

    Returns
    -------
    Tier

    Notes
    -----
    A tier is entered above its beginning (the middle one at it: "$1 000–$10 000"), and left downwards below
    ``from_usd × (1 − margin)``.

    """
    names = [tier.name for tier in rules.tiers]
    held = names.index(previous) if previous in names else 0
    place = 0
    for index, tier in enumerate(rules.tiers):
        start = tier.from_usd * (1.0 - rules.margin) if 0 < index <= held else tier.from_usd
        last = index == len(rules.tiers) - 1
        inside = equity_usd > start if last else equity_usd >= start
        if math.isfinite(equity_usd) and inside:
            place = index
    return rules.tiers[place]
