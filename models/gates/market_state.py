"""Gates on the state of the market: a crash of BTC (G8) and data too old to act on (G12).

Both are the functions of `models.execution.market_gates`; here they take the shape of a gate.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from models.execution.market_gates import CrashRules, FreshnessRules, crash_breach, freshness_breach
from models.gates.records import NANOSECONDS, Block, Candidate, Facts, Pass


@dataclass(frozen=True)
class DataRules:
    """G12: oldest book and open interest (`freshness`), oldest forecast and oldest decision, seconds."""

    freshness: FreshnessRules = field(default_factory=FreshnessRules)
    forecast_age_s: float = 900.0
    decision_age_s: float = 60.0


def crash_gate(candidate: Candidate, facts: Facts, rules: CrashRules) -> Pass | Block:
    """Block longs of anything but BTC while BTC falls: ``BTC_CRASH``, ``BTC_STALE``, ``BTC_HISTORY``.

    Parameters
    ----------
    candidate : Candidate
        Quotes on both sides would also buy: they count as long.
    facts : Facts
    rules : CrashRules

    Returns
    -------
    Pass or Block
        Where BTC was never quoted nothing is filtered.

    """
    side = candidate.side if candidate.side != 0 else 1
    breach = crash_breach(candidate.symbol, side, facts.market.btc, facts.now_ns, rules)
    if breach is not None:
        return Block(breach.reason, breach.arithmetic)
    return Pass("BTC does not crash")


def data_gate(candidate: Candidate, facts: Facts, rules: DataRules) -> Pass | Block:
    """Block entries on data that are too old.

    Parameters
    ----------
    candidate : Candidate
    facts : Facts
    rules : DataRules

    Returns
    -------
    Pass or Block
        ``BOOK_INVALID``, ``STALE_BOOK``, ``STALE_OPEN_INTEREST``, ``STALE_FORECAST`` (where the candidate rests on one) or
        ``STALE_SIGNAL``. A time of 0 is an unknown one, and therefore too old.

    """
    breach = freshness_breach(facts.market.sight, facts.now_ns, rules.freshness)
    if breach is not None:
        return Block(breach.reason, breach.arithmetic)
    for reason, what, at_ns, limit_s in (
        ("STALE_FORECAST", "forecast", candidate.forecast_at_ns, rules.forecast_age_s),
        ("STALE_SIGNAL", "signal", candidate.at_ns, rules.decision_age_s),
    ):
        age_s = 0.0 if at_ns is None else (facts.now_ns - at_ns) / NANOSECONDS
        if age_s > limit_s:
            return Block(reason, f"{what} should be at most {limit_s:g} s old, was {age_s:.0f} s")
    return Pass("book, open interest, forecast and signal are fresh")
