"""All gates in one visible order, and the verdict: what each of them said, so that each can be judged alone.

Order: can the data be believed (G12), is the market falling (G8), may the strategy trade (G10, G11, G9), is it too soon (G7), is
the signal good (G1, G2, G4, G3), does it pay (G5), how large (G6), is there a request for it (G13). Every gate is always asked,
also after one has blocked: the first block is the reason given, and a candidate that only one gate blocked shows what that gate
costs or saves. Size and limits (P5, R1) come after, in `models.portfolio`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from models.execution.fair_slots import SlotRules
from models.execution.market_gates import CrashRules
from models.gates.costs import CostRules, cost_gate
from models.gates.flow import ToxicityRules, WhaleRules, toxicity_gate, whale_gate
from models.gates.hurst import HurstRules, hurst_gate
from models.gates.market_state import DataRules, crash_gate, data_gate
from models.gates.pace import PaceRules, pace_gate
from models.gates.permission import (
    ConfidenceRules,
    confidence_gate,
    probation_gate,
    rotation_gate,
    standing_gate,
)
from models.gates.records import Block, Candidate, Facts, Pass
from models.gates.session import SessionRules, session_gate
from models.gates.slots import slot_gate

PASSED: Final = "PASS"


@dataclass(frozen=True)
class GateRules:
    """The numbers of all gates that have any."""

    session: SessionRules = field(default_factory=SessionRules)
    whales: WhaleRules = field(default_factory=WhaleRules)
    hurst: HurstRules = field(default_factory=HurstRules)
    toxicity: ToxicityRules = field(default_factory=ToxicityRules)
    costs: CostRules = field(default_factory=CostRules)
    pace: PaceRules = field(default_factory=PaceRules)
    crash: CrashRules = field(default_factory=CrashRules)
    confidence: ConfidenceRules = field(default_factory=ConfidenceRules)
    data: DataRules = field(default_factory=DataRules)
    slots: SlotRules = field(default_factory=SlotRules)


@dataclass(frozen=True)
class Gate:
    """A gate in the order: its row of SYSTEMS.md, its name, and what it asks."""

    row: str
    name: str
    ask: Callable[[Candidate, Facts, GateRules], Pass | Block]


ORDER: Final[tuple[Gate, ...]] = (
    Gate("G12", "stale_data", lambda c, f, r: data_gate(c, f, r.data)),
    Gate("G8", "btc_crash", lambda c, f, r: crash_gate(c, f, r.crash)),
    Gate("G10", "standing", lambda c, f, r: standing_gate(c, f)),
    Gate("G11", "confidence", lambda c, f, r: confidence_gate(c, f, r.confidence)),
    Gate("G9", "rotator", lambda c, f, r: rotation_gate(c, f)),
    Gate("G7", "pace", lambda c, f, r: pace_gate(c, f, r.pace)),
    Gate("G1", "golden_hour", lambda c, f, r: session_gate(c, f, r.session)),
    Gate("G2", "whale_cvd", lambda c, f, r: whale_gate(c, f, r.whales)),
    Gate("G4", "vpin", lambda c, f, r: toxicity_gate(c, f, r.toxicity)),
    Gate("G3", "hurst", lambda c, f, r: hurst_gate(c, f, r.hurst)),
    Gate("G5", "costs", lambda c, f, r: cost_gate(c, f, r.costs)),
    Gate("G6", "probation", lambda c, f, r: probation_gate(c, f)),
    Gate("G13", "fair_slots", lambda c, f, r: slot_gate(c, f, r.slots)),
)


@dataclass(frozen=True)
class Outcome:
    """What one gate said.

    Attributes
    ----------
    row, name : str
    passed : bool
    reason : str
        ``PASS``, or the code of the block.
    words : str
        With the arithmetic.
    multiplier : float
        Of the size; 0 for a block.

    """

    row: str
    name: str
    passed: bool
    reason: str
    words: str
    multiplier: float


@dataclass(frozen=True)
class Verdict:
    """What all gates said of one candidate, in order."""

    candidate: Candidate
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        """Whether no gate blocked."""
        return all(outcome.passed for outcome in self.outcomes)

    @property
    def blocks(self) -> tuple[Outcome, ...]:
        """Those that blocked; the first is the reason given."""
        return tuple(outcome for outcome in self.outcomes if not outcome.passed)

    @property
    def factors(self) -> dict[str, float]:
        """Multipliers other than 1, by name of the gate: what `conviction.convict` takes. Of use where all passed."""
        return {o.name: o.multiplier for o in self.outcomes if o.passed and o.multiplier != 1.0}

    def passed_without(self, name: str) -> bool:
        """Whether every gate but this one let it pass: the outcome of its shadow trade is then this gate's alone."""
        return all(outcome.passed for outcome in self.outcomes if outcome.name != name)

    def journal(self) -> dict[str, object]:
        """Return what a journal keeps: plain values, every gate with its reason and words."""
        candidate = self.candidate
        return {
            "strategy": candidate.strategy,
            "symbol": candidate.symbol,
            "side": candidate.side,
            "at_ns": candidate.at_ns,
            "passed": self.passed,
            "reason": self.blocks[0].reason if self.blocks else PASSED,
            "arithmetic": self.blocks[0].words if self.blocks else "",
            "gates": {
                o.name: {"row": o.row, "reason": o.reason, "words": o.words, "multiplier": o.multiplier}
                for o in self.outcomes
            },
        }


def pass_gates(
    candidate: Candidate, facts: Facts, rules: GateRules, gates: Sequence[Gate] = ORDER
) -> Verdict:
    """Ask every gate about an entry.

    Parameters
    ----------
    candidate : Candidate
    facts : Facts
    rules : GateRules
    gates : sequence of Gate

    Returns
    -------
    Verdict

    Raises
    ------
    ConfigError
        For a strategy that is not in the roster.

    """
    return Verdict(candidate, tuple(_outcome(gate, gate.ask(candidate, facts, rules)) for gate in gates))


def _outcome(gate: Gate, answer: Pass | Block) -> Outcome:
    if isinstance(answer, Block):
        return Outcome(gate.row, gate.name, False, answer.reason, answer.words, 0.0)
    return Outcome(gate.row, gate.name, True, PASSED, answer.words, answer.multiplier)
