"""Gates on who trades: whales against the signal (G2) and informed flow (G4).

Both are filters of impulses: S5 and S6, which fade a one-sided print by design and have their own tests of it, bypass them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from models.gates.records import Block, Candidate, Facts, Pass
from models.portfolio.roster import DIRECTIONAL, Kind

FADING: Final = frozenset({"impact_reversion", "forced_flow_exhaustion"})
_SIDES: Final = {1: "long", -1: "short", 0: "both sides"}


@dataclass(frozen=True)
class WhaleRules:
    """G2.

    Attributes
    ----------
    kinds : frozenset of Kind
        To which it applies: those with a direction, over minutes.
    bypass : frozenset of str
    least_intensity : float
        Whale flow below it has no side, 0 to 100.
    least_retail : float
        Retail imbalance from which on retail has a side, 0 to 1.
    ultra : float
        Multiplier where whales and retail both go with the signal.

    """

    kinds: frozenset[Kind] = DIRECTIONAL
    bypass: frozenset[str] = FADING
    least_intensity: float = 20.0
    least_retail: float = 0.2
    ultra: float = 2.5


@dataclass(frozen=True)
class ToxicityRules:
    """G4.

    Attributes
    ----------
    longest_horizon_s : float
        Who means to hold longer is not filtered: a few basis points at the entry are priced by G5.
    bypass : frozenset of str
    by_rank : bool
        Judge VPIN by its rank in the symbol's own past (the level that means the same differs between symbols), or by its level.
    informed_rank, informed_vpin : float
        Above it, together with `informed_lambda_z`, flow is informed.
    informed_lambda_z : float
    calm : float
        Up to this rank (or level) sizes are whole; from there to the informed one they fall to `least`, or with the flow rise to
        `most`, in a straight line.
    least, most : float
    least_flow : float
        Imbalance from which on the flow has a side, 0 to 1.

    """

    longest_horizon_s: float = 3600.0
    bypass: frozenset[str] = FADING
    by_rank: bool = True
    informed_rank: float = 0.90
    informed_vpin: float = 0.65
    informed_lambda_z: float = 1.5
    calm: float = 0.5
    least: float = 0.5
    most: float = 1.25
    least_flow: float = 0.2


def whale_gate(candidate: Candidate, facts: Facts, rules: WhaleRules) -> Pass | Block:
    """Block a signal against the whales, ``WHALE_CONFLICT``; enlarge one that whales and retail both go with.

    Parameters
    ----------
    candidate : Candidate
    facts : Facts
    rules : WhaleRules

    Returns
    -------
    Pass or Block
        Unknown whale flow passes at 1: most of the time there is none. Unknown retail flow gives no ULTRA.

    """
    market = facts.market
    if candidate.side == 0 or candidate.kind not in rules.kinds or candidate.strategy in rules.bypass:
        return Pass("does not apply")
    if not market.whale_intensity >= rules.least_intensity:
        return Pass(f"whale intensity {market.whale_intensity:.0f} is not >= {rules.least_intensity:g}")
    whales = _side(market.whale_cvd_usd, 0.0)
    words = (
        f"whale CVD {market.whale_cvd_usd:+.0f} USD at intensity {market.whale_intensity:.0f},"
        f" signal {_SIDES[candidate.side]}"
    )
    if whales == -candidate.side:
        return Block("WHALE_CONFLICT", f"whales should not trade against the signal: {words}")
    retail = _side(market.retail_imbalance, rules.least_retail)
    words = f"{words}, retail imbalance {market.retail_imbalance:+.2f}"
    if whales == candidate.side == retail:
        return Pass(f"ULTRA: {words}", rules.ultra)
    return Pass(words)


def toxicity_gate(candidate: Candidate, facts: Facts, rules: ToxicityRules) -> Pass | Block:
    """Block entries that informed flow would run over, and scale the others by VPIN.

    Parameters
    ----------
    candidate : Candidate
    facts : Facts
    rules : ToxicityRules

    Returns
    -------
    Pass or Block
        ``INFORMED_FLOW`` where VPIN and lambda say so and the candidate does not go with the flow; quotes on both sides never
        do. Without VPIN a direction passes at the least size, since informed flow cannot be excluded, and quotes on both
        sides, whose loss is exactly that, are blocked: ``VPIN_UNKNOWN``. An unknown lambda does not prove informed flow.

    """
    market = facts.market
    if candidate.horizon_s > rules.longest_horizon_s or candidate.strategy in rules.bypass:
        return Pass("does not apply")
    value = market.sight.vpin_rank if rules.by_rank else market.vpin
    limit = rules.informed_rank if rules.by_rank else rules.informed_vpin
    name = "VPIN rank" if rules.by_rank else "VPIN"
    if math.isnan(value):
        if candidate.side == 0:
            return Block("VPIN_UNKNOWN", f"{name} should be known to quote both sides, was not")
        return Pass(f"{name} is not known", rules.least)
    flow = _side(market.flow_imbalance, rules.least_flow)
    with_flow = candidate.side != 0 and flow == candidate.side
    words = (
        f"{name} {value:.2f} against {limit:g}, lambda z {market.kyle_lambda_z:.2f} against"
        f" {rules.informed_lambda_z:g}, flow {market.flow_imbalance:+.2f}, signal {_SIDES[candidate.side]}"
    )
    if value > limit and market.kyle_lambda_z > rules.informed_lambda_z and not with_flow:
        return Block("INFORMED_FLOW", f"informed flow should go with the signal: {words}")
    part = min(max((value - rules.calm) / (limit - rules.calm), 0.0), 1.0)
    end = rules.most if with_flow else rules.least
    return Pass(words, 1.0 + part * (end - 1.0))


def _side(value: float, least: float) -> int:
    """Return the sign of a value whose size is at least `least`, 0 otherwise and for NaN."""
    if not abs(value) >= least or value == 0.0:
        return 0
    return 1 if value > 0.0 else -1
