"""What gates are told of a strategy's signal, from the market record of its tick: the same for live shadows and for backtests.

Here belong which features go with a signal, and the candidate it makes. What does not: when a strategy signals
(`models.simulation.bank.signals`), account and policy, judging.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from models.gates.records import Candidate, SecondLeg
from models.portfolio.roster import Kind, kind_of
from models.regimes.kernel import REGIME_NAMES
from models.strategies.edges import measured_at_entry

SEEN: Final = (
    "mid",
    "spread_bps",
    "vpin",
    "vpin_rank",
    "kyle_lambda_z",
    "flow_imbalance",
    "whale_cvd",
    "whale_intensity",
    "retail_imbalance",
    "whale_side",
    "impact_bps",
    "hurst",
    "hurst_label",
    "hurst_label_finer",
    "hmm_turbulent",
    "regime",
    "session",
    "golden_hour",
)
"""Features that go with a signal: those gates ask about. What a strategy measured itself goes with them."""


def features_seen(strategy: str, market: Any, state: Any) -> dict[str, float]:
    """Return what goes with a signal, what is undefined left out.

    Parameters
    ----------
    strategy : str
    market : record of MARKET
    state : record of the strategy's state
        As of its newest entry.

    """
    seen = {feature: float(market[feature]) for feature in SEEN}
    seen |= measured_at_entry(strategy, state)
    return {feature: value for feature, value in seen.items() if math.isfinite(value)}


def regime_name(code: float) -> str:
    """Return the name of a regime's code, ``""`` for NaN: not known yet."""
    return "" if math.isnan(code) else REGIME_NAMES[int(code)]


def candidate_of(
    strategy: str,
    symbol: str,
    side: int,
    at_ns: int,
    edge_bps: float,
    *,
    is_taker: bool,
    features: Mapping[str, float],
    partner: str = "",
    confidence: float = math.nan,
) -> Candidate:
    """Return the candidate of a signal; it leaves as a taker unless it makes markets, which quotes out what it holds.

    Parameters
    ----------
    strategy, symbol : str
    side : int
        As in `Candidate`.
    at_ns : int
    edge_bps : float
        NaN where the strategy says nothing.
    is_taker : bool
        Of the entry.
    features : mapping of str to float
        What went with the signal (`features_seen`): of a pair, what its second leg was measured to cost.
    partner : str
        Of a pair: the symbol of the second leg, empty without.
    confidence : float

    """
    return Candidate(
        strategy,
        symbol,
        side,
        at_ns,
        expected_edge_bps=edge_bps,
        entry_taker=is_taker,
        exit_taker=kind_of(strategy) is not Kind.MARKET_MAKING,
        confidence=confidence,
        second=_second_leg(partner, features) if partner else None,
    )


def _second_leg(partner: str, seen: Mapping[str, float]) -> SecondLeg:
    share, spread = seen.get("partner_share", math.nan), seen.get("partner_spread", math.nan)
    return SecondLeg(partner, share, 1e4 * spread)
