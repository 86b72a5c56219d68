"""Gates on the right to trade: standing (G10), rotator (G9), confidence of the model (G11), probation of the symbol (G6).

They read what was decided elsewhere: by promotion and a person, by the rotator, by the model, by the learning loops.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from models.gates.records import Block, Candidate, Facts, Pass

LIVE: Final = "live"
VETOED: Final = "vetoed"


@dataclass(frozen=True)
class ConfidenceRules:
    """`above`: the confidence a strategy's model must exceed; strategies that are not named rest on no model."""

    above: Mapping[str, float] = field(
        default_factory=lambda: {"funding_pressure": 0.6, "liquidation_hunter": 0.7}
    )


def standing_gate(candidate: Candidate, facts: Facts) -> Pass | Block:
    """Block a strategy that is not promoted, ``SHADOW_ONLY``, or that a person vetoed, ``VETOED``.

    Parameters
    ----------
    candidate : Candidate
    facts : Facts

    Returns
    -------
    Pass or Block
        One without a standing may only shadow.

    """
    standing = facts.policy.standings.get(candidate.strategy)
    if standing is None:
        return Block("SHADOW_ONLY", f"{candidate.strategy} should be promoted, has no standing")
    if standing.state == LIVE:
        return Pass(standing.words)
    reason = "VETOED" if standing.state == VETOED else "SHADOW_ONLY"
    return Block(reason, f"{candidate.strategy} should be {LIVE}, was {standing.state}: {standing.words}")


def rotation_gate(candidate: Candidate, facts: Facts) -> Pass | Block:
    """Block what the rotator does not activate in this regime: ``ROTATED_OUT``.

    Parameters
    ----------
    candidate : Candidate
        Quotes on both sides need both sides active.
    facts : Facts

    Returns
    -------
    Pass or Block
        Before the first rotation, or where it does not know the strategy, nothing is active.

    """
    rotation = facts.rotation
    activation = None if rotation is None else rotation.activations.get(candidate.strategy)
    if activation is None:
        return Block("ROTATED_OUT", f"{candidate.strategy} should be in the rotation, was not")
    wanted = {candidate.side} if candidate.side != 0 else {1, -1}
    if wanted <= activation.sides:
        return Pass(activation.words)
    return Block("ROTATED_OUT", activation.words)


def confidence_gate(candidate: Candidate, facts: Facts, rules: ConfidenceRules) -> Pass | Block:
    """Block a strategy whose model is not sure enough: ``LOW_CONFIDENCE``.

    Parameters
    ----------
    candidate : Candidate
    facts : Facts
        Not looked at.
    rules : ConfidenceRules

    Returns
    -------
    Pass or Block
        An unknown confidence blocks: a strategy that rests on a model does not trade without it.

    """
    least = rules.above.get(candidate.strategy)
    if least is None:
        return Pass("rests on no model")
    if candidate.confidence > least:
        return Pass(f"confidence {candidate.confidence:.3f} > {least:g}")
    return Block("LOW_CONFIDENCE", f"confidence should be above {least:g}, was {candidate.confidence:.3f}")


def probation_gate(candidate: Candidate, facts: Facts) -> Pass | Block:
    """Scale sizes of a symbol on probation (L2).

    Parameters
    ----------
    candidate : Candidate
    facts : Facts

    Returns
    -------
    Pass or Block
        ``PROBATION_UNKNOWN`` for a factor that is not from 0 to 1: the policy cannot be trusted then.

    """
    factor = facts.policy.probation.get(candidate.symbol, 1.0)
    if not 0.0 <= factor <= 1.0:
        return Block(
            "PROBATION_UNKNOWN", f"the factor of {candidate.symbol} should be from 0 to 1, was {factor}"
        )
    return Pass("on probation" if factor < 1.0 else "not on probation", factor)
