"""G3: smaller sizes while the market walks at random (F14).

The finer label is used where it is known: the plain one calls 48 % of random walks something else. It moves a size and blocks
nothing, because that is all a label of such quality may do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from models.gates.records import Candidate, Facts, Pass
from models.portfolio.roster import DIRECTIONAL, Kind

RANDOM: Final = "RANDOM"


@dataclass(frozen=True)
class HurstRules:
    """`multiplier` in a random market, and the `kinds` it applies to: those that bet on where the price goes."""

    multiplier: float = 0.5
    kinds: frozenset[Kind] = DIRECTIONAL


def hurst_gate(candidate: Candidate, facts: Facts, rules: HurstRules) -> Pass:
    """Scale by the Hurst label; never blocks.

    Parameters
    ----------
    candidate : Candidate
    facts : Facts
    rules : HurstRules

    Returns
    -------
    Pass
        An unknown label counts as RANDOM: a random walk is what is assumed until shown otherwise.

    """
    if candidate.kind not in rules.kinds:
        return Pass("does not apply")
    finer, plain = facts.market.hurst_finer, facts.market.hurst
    label = finer or plain or RANDOM
    source = "finer returns" if finer else "100 periods" if plain else "nothing known"
    return Pass(f"{label} by {source}", rules.multiplier if label == RANDOM else 1.0)
