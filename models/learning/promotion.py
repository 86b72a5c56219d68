"""G10: whether a strategy may trade, from what is known of it. Anything missing means that it shadows.

Here belongs the decision, with every reason against it at once. Measuring what it rests on belongs to ``track_record``, the
studies and the backtest; reading their files to the pipelines. A person's word stands above the decision: a veto always, a pin
to live only where it was given in full words, and neither lifts a limit of risk.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from models.evidence.verdict import FAILED, PASSED
from models.learning.instructions import Instruction
from models.learning.roster import Requirement
from models.portfolio.policy import LIVE, PINNED_LIVE, PROMOTED, RETAINED, SHADOW, Reason

RECORDED: Final = "recorded"
SYNTHETIC: Final = "synthetic"


@dataclass(frozen=True)
class Evidence:
    """Verdict of a study.

    Attributes
    ----------
    study : str
    verdict : str
        A word of `models.evidence.verdict`.
    market : str
        ``recorded`` or ``synthetic``: what it was computed on.
    reason : str

    """

    study: str
    verdict: str
    market: str
    reason: str = ""


@dataclass(frozen=True)
class Backtest:
    """The backtest with the parameters in force, after costs.

    Attributes
    ----------
    market : str
        ``recorded`` or ``synthetic``.
    name : str
        Where it lies.
    days : float
    trades : int
    net_bps, low_bps : float
        Mean a trade and the lower end of its 95 % interval; NaN for "not enough data".
    deflated : float
        Deflated Sharpe ratio: probability that the true one exceeds the best of as many worthless trials; NaN where unknown.
    trials : int
        Sets of parameters this strategy was ever tried with on such a market, this one included.

    """

    market: str
    name: str
    days: float
    trades: int
    net_bps: float
    low_bps: float
    deflated: float
    trials: int


@dataclass(frozen=True)
class Record:
    """Closed trades of one mode; the interval is NaN where the data do not suffice."""

    trades: int
    net_bps: float
    low_bps: float
    high_bps: float


NO_RECORD: Final = Record(0, math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Facts:
    """All that the decision rests on.

    Attributes
    ----------
    strategy : str
    requirement : Requirement
    evidence : tuple of Evidence
        Of the studies that exist.
    backtest : Backtest or None
    shadow, live : Record
    has_drifted : bool
        Of the model it lives on.
    instruction : Instruction or None
        A person's word.
    was_live : bool

    """

    strategy: str
    requirement: Requirement
    evidence: tuple[Evidence, ...] = ()
    backtest: Backtest | None = None
    shadow: Record = NO_RECORD
    live: Record = NO_RECORD
    has_drifted: bool = False
    instruction: Instruction | None = None
    was_live: bool = False


@dataclass(frozen=True)
class PromotionRules:
    """Numbers of G10.

    Attributes
    ----------
    least_backtest_trades, least_shadow_trades : int
    least_deflated : float
    allow_synthetic_evidence : bool
        For demo and rehearsal on the local testnet: for another venue the pipelines refuse it, and the executor the policy.

    """

    least_backtest_trades: int = 50
    least_shadow_trades: int = 50
    least_deflated: float = 0.95
    allow_synthetic_evidence: bool = False


def promote(facts: Facts, rules: PromotionRules | None = None) -> tuple[str, tuple[Reason, ...]]:
    """Decide the state of a strategy.

    Parameters
    ----------
    facts : Facts
    rules : PromotionRules, optional

    Returns
    -------
    state : str
        ``live``, ``shadow`` or ``off``.
    reasons : tuple of Reason
        Everything that speaks against live, or the ground on which it trades. `Reason.word` is one of NEVER_LIVE, VETOED,
        PINNED_SHADOW, PINNED_OFF, PINNED_LIVE; NO_EVIDENCE, EVIDENCE_SYNTHETIC, EVIDENCE_FAILED, EVIDENCE_OPEN; NO_BACKTEST,
        BACKTEST_SYNTHETIC, BACKTEST_SHORT, BACKTEST_NOT_POSITIVE, DEFLATED_SHARPE; SHADOW_SHORT, SHADOW_NOT_POSITIVE,
        LIVE_LOSES, MODEL_DRIFTED; PROMOTED, RETAINED.

    """
    rules = rules or PromotionRules()
    said = facts.instruction
    if said is not None and said.is_veto:
        return SHADOW, (Reason("VETOED", said.reason),)
    if facts.requirement.shadow_only:
        return SHADOW, (Reason("NEVER_LIVE", facts.requirement.shadow_only),)
    if said is not None and said.state == LIVE:
        return LIVE, (Reason(PINNED_LIVE, said.reason),)
    if said is not None:
        return said.state, (Reason(f"PINNED_{said.state.upper()}", said.reason),)
    against = (*_evidence(facts, rules), *_backtest(facts, rules), *_trades(facts, rules))
    if against:
        return SHADOW, against
    word = RETAINED if facts.was_live else PROMOTED
    grounds = f"{', '.join(facts.requirement.studies)} passed; backtest and {facts.shadow.trades} shadow trades earn after costs"
    return LIVE, (Reason(word, grounds),)


def _evidence(facts: Facts, rules: PromotionRules) -> list[Reason]:
    found = {each.study: each for each in facts.evidence}
    out = []
    for study in facts.requirement.studies:
        evidence = found.get(study)
        if evidence is None:
            out.append(Reason("NO_EVIDENCE", f"study {study} has not been made"))
            continue
        if evidence.market != RECORDED and not rules.allow_synthetic_evidence:
            words = f"study {study} was made on a {evidence.market} market; only recorded markets count"
            out.append(Reason("EVIDENCE_SYNTHETIC", words))
        if evidence.verdict != PASSED:
            word = "EVIDENCE_FAILED" if evidence.verdict == FAILED else "EVIDENCE_OPEN"
            out.append(Reason(word, f"study {study}: {evidence.verdict}. {evidence.reason}".strip()))
    return out


def _backtest(facts: Facts, rules: PromotionRules) -> list[Reason]:
    backtest = facts.backtest
    if backtest is None:
        return [Reason("NO_BACKTEST", f"hean backtest --strategy {facts.strategy} has not been run")]
    out = []
    if backtest.market != RECORDED and not rules.allow_synthetic_evidence:
        words = f"{backtest.name} was run on a {backtest.market} market; only recorded markets count"
        out.append(Reason("BACKTEST_SYNTHETIC", words))
    if backtest.trades < rules.least_backtest_trades or math.isnan(backtest.low_bps):
        words = f"{backtest.trades} trades in {backtest.days:g} days, {rules.least_backtest_trades} and an interval needed"
        out.append(Reason("BACKTEST_SHORT", words))
    elif not backtest.low_bps > 0.0:
        words = f"{backtest.net_bps:+.2f} bps a trade, 95 % interval from {backtest.low_bps:+.2f}, should lie above 0"
        out.append(Reason("BACKTEST_NOT_POSITIVE", words))
    if not backtest.deflated >= rules.least_deflated:
        words = f"{backtest.deflated:.2f} of {rules.least_deflated:.2f} needed after {backtest.trials} trials"
        out.append(Reason("DEFLATED_SHARPE", words))
    return out


def _trades(facts: Facts, rules: PromotionRules) -> list[Reason]:
    shadow, live = facts.shadow, facts.live
    out = []
    if shadow.trades < rules.least_shadow_trades or math.isnan(shadow.low_bps):
        words = f"{shadow.trades} shadow trades of {rules.least_shadow_trades} and an interval needed"
        out.append(Reason("SHADOW_SHORT", words))
    # To enter, the interval must lie above zero; to stay, the mean: a strategy should not flap with the edge of an interval.
    elif not (shadow.net_bps if facts.was_live else shadow.low_bps) > 0.0:
        words = f"{shadow.net_bps:+.2f} bps a shadow trade, interval from {shadow.low_bps:+.2f}"
        out.append(Reason("SHADOW_NOT_POSITIVE", words))
    if live.high_bps < 0.0:
        words = f"{live.net_bps:+.2f} bps a live trade, 95 % interval up to {live.high_bps:+.2f}"
        out.append(Reason("LIVE_LOSES", words))
    if facts.has_drifted:
        words = f"forecasts of {facts.requirement.model} have become worse than they were out of sample"
        out.append(Reason("MODEL_DRIFTED", words))
    return out
