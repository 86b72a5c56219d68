"""What each strategy must show before it trades: its studies, the model it lives on, and whether it may trade at all.

Here belongs the list. A strategy without a study of its own among E1 to E7 needs one under its own name; until there is one it
shadows. What does not belong here: judging.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FUNDING_MODEL: Final = "M1"
CASCADE_MODEL: Final = "M2"


@dataclass(frozen=True)
class Requirement:
    """Of one strategy.

    Attributes
    ----------
    system : str
        Its id, ``S1`` to ``S19``; journals may name it so.
    studies : tuple of str
        All must have passed on recorded data: of E1 to E7 those it rests on, and its own first step, named by its id.
    model : str
        The forecast it lives on, empty for none: if that drifts, it shadows.
    shadow_only : str
        Why it never trades live, empty where it may.

    """

    system: str
    studies: tuple[str, ...]
    model: str = ""
    shadow_only: str = ""


_SPOT: Final = "trades spot beside the perpetual, and orders for spot are not carried out"
REQUIREMENTS: Final[dict[str, Requirement]] = {
    "funding_pressure": Requirement("S1", ("E1", "S1"), FUNDING_MODEL),
    "funding_harvester": Requirement("S2", ("E1", "S2"), FUNDING_MODEL),
    "liquidation_gravity": Requirement("S3", ("E3", "S3")),
    "liquidation_hunter": Requirement("S4", ("E3", "S4"), CASCADE_MODEL),
    "impact_reversion": Requirement("S5", ("E5", "E7", "S5")),
    "forced_flow_exhaustion": Requirement("S6", ("E6", "E7", "S6")),
    "impulse_engine": Requirement("S7", ("E2", "S7")),
    "hf_scalping": Requirement("S8", ("E2", "S8")),
    "momentum_trader": Requirement("S9", ("S9",)),
    "liquidity_sweep": Requirement("S10", ("S10",)),
    "enhanced_grid": Requirement("S11", ("S11",)),
    "inventory_neutral_mm": Requirement("S12", ("S12",)),
    "rebate_farmer": Requirement("S13", ("S13",)),
    "basis_arbitrage": Requirement("S14", ("S14",), "", _SPOT),
    "correlation_arb": Requirement("S15", ("S15",)),
    "sentiment": Requirement("S16", ("S16",)),
    "cross_exchange_funding": Requirement(
        "S17", ("S17",), "", "needs an account with capital at a second venue"
    ),
    "oi_momentum": Requirement("S18", ("S18",)),
    "synthetic_convexity": Requirement("S19", ("S19",), "", "research and shadow only"),
}
"""By name, in the order of S1 to S19."""

STRATEGIES: Final[tuple[str, ...]] = tuple(REQUIREMENTS)
_BY_SYSTEM: Final = {requirement.system: name for name, requirement in REQUIREMENTS.items()}


def canonical(strategy: str) -> str:
    """Return the name of a strategy that may be called by its id; an unknown name stays as it is.

    Examples
    --------
    >>> canonical("S1"), canonical("impulse_engine")
    ('funding_pressure', 'impulse_engine')

    """
    return _BY_SYSTEM.get(strategy, strategy)
