"""Who takes part: the names of all strategies, their rows of SYSTEMS.md, and what kind each is.

Names here are used everywhere: in journals, matrices, bundles and tables. Their order settles ties. What does not belong
here: what a strategy does, and what it is worth.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from models.errors import ConfigError


class Kind(StrEnum):
    """What a strategy lives on; gates differ by it.

    `SCALP` seconds to minutes, with or against the flow of the moment; `TREND` follows a move; `REVERSION` fades one;
    `FUNDING` receives funding; `ARBITRAGE` holds two legs; `MARKET_MAKING` quotes both sides; `SENTIMENT` follows opinion.
    """

    SCALP = "scalp"
    TREND = "trend"
    REVERSION = "reversion"
    FUNDING = "funding"
    ARBITRAGE = "arbitrage"
    MARKET_MAKING = "market_making"
    SENTIMENT = "sentiment"


KINDS: Final[Mapping[str, Kind]] = {
    "funding_pressure": Kind.FUNDING,
    "funding_harvester": Kind.FUNDING,
    "liquidation_gravity": Kind.TREND,
    "liquidation_hunter": Kind.TREND,
    "impact_reversion": Kind.REVERSION,
    "forced_flow_exhaustion": Kind.REVERSION,
    "impulse_engine": Kind.SCALP,
    "hf_scalping": Kind.SCALP,
    "momentum_trader": Kind.TREND,
    "liquidity_sweep": Kind.REVERSION,
    "enhanced_grid": Kind.MARKET_MAKING,
    "inventory_neutral_mm": Kind.MARKET_MAKING,
    "rebate_farmer": Kind.MARKET_MAKING,
    "basis_arbitrage": Kind.ARBITRAGE,
    "correlation_arb": Kind.ARBITRAGE,
    "sentiment": Kind.SENTIMENT,
    "cross_exchange_funding": Kind.ARBITRAGE,
    "oi_momentum": Kind.TREND,
    "synthetic_convexity": Kind.ARBITRAGE,
}
"""By name, in the order of S1 to S19."""

DIRECTIONAL: Final = frozenset({Kind.SCALP, Kind.TREND, Kind.REVERSION, Kind.SENTIMENT})
"""Kinds that bet on where the price goes."""

STRATEGIES: Final[tuple[str, ...]] = tuple(KINDS)

_PLACES: Final = {name: place for place, name in enumerate(STRATEGIES)}


def place_of(strategy: str) -> int:
    """Return the place of a strategy in `STRATEGIES`, from 0.

    Raises
    ------
    ConfigError
        For a name that is not there.

    """
    if strategy not in _PLACES:
        raise ConfigError(
            f"a strategy should be one of {', '.join(STRATEGIES)}, was {strategy!r}",
            remedy="names are those of models.portfolio.roster",
        )
    return _PLACES[strategy]


def kind_of(strategy: str) -> Kind:
    """Return what kind a strategy is.

    Raises
    ------
    ConfigError
        For a name that is not in `STRATEGIES`.

    """
    place_of(strategy)
    return KINDS[strategy]
