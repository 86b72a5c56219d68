"""G5: the edge a strategy expects must beat what the round trip costs.

cost = entry fee + exit fee + half the spread for each crossing + the symbol's slippage buffer

and of a pair the same of its second leg, which crosses twice, times that leg's part of the notional.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from models.gates.records import Block, Candidate, Facts, Pass


@dataclass(frozen=True)
class CostRules:
    """`least_ratio` of edge to cost; above 1 asks for a margin."""

    least_ratio: float = 1.0


def round_trip_bps(candidate: Candidate, facts: Facts) -> float:
    """Return what entry and exit cost, bps of the notional; NaN where a fee, a needed spread or the buffer is not known."""
    ways = (candidate.entry_taker, candidate.exit_taker)
    own = _leg_bps(candidate.symbol, ways, facts.market.sight.spread_bps, facts)
    return own + second_leg_bps(candidate, facts)


def second_leg_bps(candidate: Candidate, facts: Facts) -> float:
    """Return what a pair's second leg costs, bps of the first one's notional: 0 without one, NaN where something is not known."""
    second = candidate.second
    if second is None:
        return 0.0
    return second.share * _leg_bps(second.symbol, (True, True), second.spread_bps, facts)


def _leg_bps(symbol: str, ways: tuple[bool, bool], spread_bps: float, facts: Facts) -> float:
    """Cost of one leg, bps of its notional; `ways` says whether entry and exit cross the spread."""
    fees = facts.account.fees.get(symbol)
    if fees is None:
        return math.nan
    paid = sum(fees.taker_bps if taker else fees.maker_bps for taker in ways)
    crossings = sum(ways)
    spread = crossings * spread_bps / 2.0 if crossings else 0.0
    return paid + spread + facts.policy.slippage_buffer_bps.get(symbol, 0.0)


def cost_gate(candidate: Candidate, facts: Facts, rules: CostRules) -> Pass | Block:
    """Block what would not pay its costs.

    Parameters
    ----------
    candidate : Candidate
    facts : Facts
    rules : CostRules

    Returns
    -------
    Pass or Block
        ``EDGE_BELOW_COSTS``; ``COSTS_UNKNOWN`` without fees, spread or buffer and ``EDGE_UNKNOWN`` without an edge:
        what cannot be compared has not beaten its costs.

    """
    cost = round_trip_bps(candidate, facts)
    edge = candidate.expected_edge_bps
    if math.isnan(cost):
        symbols = candidate.symbol if candidate.second is None else f"{candidate.symbol} and its partner"
        return Block("COSTS_UNKNOWN", f"fees, spread and buffer of {symbols} should be known, were not")
    if math.isnan(edge):
        return Block(
            "EDGE_UNKNOWN", f"an expected edge above {cost:.2f} bps of costs was needed, none was given"
        )
    words = f"edge {edge:.2f} bps, {_words(candidate, facts, cost)}"
    if edge > rules.least_ratio * cost:
        return Pass(words)
    return Block("EDGE_BELOW_COSTS", f"edge should be above {rules.least_ratio:g} × costs: {words}")


def _words(candidate: Candidate, facts: Facts, cost: float) -> str:
    fees = facts.account.fees[candidate.symbol]
    legs = (candidate.entry_taker, candidate.exit_taker)
    paid = " + ".join(f"{fees.taker_bps if taker else fees.maker_bps:g}" for taker in legs)
    buffer = facts.policy.slippage_buffer_bps.get(candidate.symbol, 0.0)
    spread = f" + {sum(legs)} × {facts.market.sight.spread_bps:.2f} / 2" if any(legs) else ""
    second = candidate.second
    other = "" if second is None else f" + {second.symbol} {second_leg_bps(candidate, facts):.2f}"
    return f"costs {paid}{spread} + buffer {buffer:g}{other} = {cost:.2f} bps"
