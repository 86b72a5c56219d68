"""G1: hours of the day outside which a strategy does not enter, 09:00 to 16:00 UTC (the golden hour) by default.

Which strategies are bound to hours is a parameter, because what a session is worth is measured (L4 compares the blocked
shadow trades), not assumed. `SESSION_HOURS` is the other setting of F16: the grid in Asian hours, momentum in American ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from models.gates.records import Block, Candidate, Facts, Pass

HOUR_NS: Final = 3_600 * 1_000_000_000
GOLDEN: Final = (9.0, 16.0)

GOLDEN_HOURS: Final[Mapping[str, tuple[float, float]]] = {
    "impulse_engine": GOLDEN,
    "hf_scalping": GOLDEN,
    "momentum_trader": GOLDEN,
    "liquidity_sweep": GOLDEN,
}
"""Those that need a busy market and do not live on events; S5 bypasses the filters of impulses and is not here."""

SESSION_HOURS: Final[Mapping[str, tuple[float, float]]] = {
    "enhanced_grid": (0.0, 8.0),
    "impulse_engine": (14.0, 22.0),
    "momentum_trader": (14.0, 22.0),
}


@dataclass(frozen=True)
class SessionRules:
    """`hours` by strategy: from, to, in UTC hours; the end excluded; over midnight where from > to. Others enter at any hour."""

    hours: Mapping[str, tuple[float, float]] = field(default_factory=lambda: GOLDEN_HOURS)


def session_gate(candidate: Candidate, facts: Facts, rules: SessionRules) -> Pass | Block:
    """Block entries outside the strategy's hours; ``GOLDEN_HOUR``. Time is always known.

    Parameters
    ----------
    candidate : Candidate
    facts : Facts
    rules : SessionRules

    Returns
    -------
    Pass or Block

    """
    if candidate.strategy not in rules.hours:
        return Pass("enters at any hour")
    start, end = rules.hours[candidate.strategy]
    hour = facts.now_ns % (24 * HOUR_NS) / HOUR_NS
    inside = start <= hour < end if start <= end else hour >= start or hour < end
    span = f"{_clock(start)} to {_clock(end)} UTC"
    if inside:
        return Pass(f"{_clock(hour)} is within {span}")
    return Block("GOLDEN_HOUR", f"entries should be made from {span}, was {_clock(hour)}")


def _clock(hour: float) -> str:
    minutes = int(hour * 60.0)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
