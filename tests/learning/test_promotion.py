"""G10: everything missing or failing keeps a strategy in shadow, and says so."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from models.learning.instructions import PIN, VETO, Instruction, danger_words
from models.learning.promotion import Backtest, Evidence, Facts, PromotionRules, Record, promote
from models.learning.roster import REQUIREMENTS

BACKTEST = Backtest("recorded", "run", 30.0, 400, 3.0, 0.5, 0.97, 4)
FACTS = Facts(
    "impact_reversion",
    REQUIREMENTS["impact_reversion"],
    (
        Evidence("E5", "passed", "recorded"),
        Evidence("S5", "passed", "recorded"),
        Evidence("E7", "passed", "recorded"),
    ),
    BACKTEST,
    Record(200, 2.0, 0.4, 3.6),
)


def words(facts: Facts, **rules: object) -> tuple[str, list[str]]:
    state, reasons = promote(facts, PromotionRules(**rules))
    return state, [reason.word for reason in reasons]


def test_everything_in_favour_promotes() -> None:
    assert words(FACTS) == ("live", ["PROMOTED"])
    assert words(replace(FACTS, was_live=True)) == ("live", ["RETAINED"])


def test_nothing_known_says_everything_that_is_missing() -> None:
    bare = Facts("impact_reversion", REQUIREMENTS["impact_reversion"])
    assert words(bare) == (
        "shadow",
        ["NO_EVIDENCE", "NO_EVIDENCE", "NO_EVIDENCE", "NO_BACKTEST", "SHADOW_SHORT"],
    )


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"evidence": FACTS.evidence[:2]}, "NO_EVIDENCE"),
        ({"evidence": (*FACTS.evidence[:2], Evidence("E7", "failed", "recorded"))}, "EVIDENCE_FAILED"),
        ({"evidence": (*FACTS.evidence[:2], Evidence("E7", "not enough data", "recorded"))}, "EVIDENCE_OPEN"),
        ({"evidence": (*FACTS.evidence[:2], Evidence("E7", "passed", "synthetic"))}, "EVIDENCE_SYNTHETIC"),
        ({"backtest": None}, "NO_BACKTEST"),
        ({"backtest": replace(BACKTEST, market="synthetic")}, "BACKTEST_SYNTHETIC"),
        ({"backtest": replace(BACKTEST, trades=49)}, "BACKTEST_SHORT"),
        ({"backtest": replace(BACKTEST, low_bps=math.nan)}, "BACKTEST_SHORT"),
        ({"backtest": replace(BACKTEST, low_bps=0.0)}, "BACKTEST_NOT_POSITIVE"),
        ({"backtest": replace(BACKTEST, deflated=0.94)}, "DEFLATED_SHARPE"),
        ({"backtest": replace(BACKTEST, deflated=math.nan)}, "DEFLATED_SHARPE"),
        ({"shadow": replace(FACTS.shadow, trades=49)}, "SHADOW_SHORT"),
        ({"shadow": replace(FACTS.shadow, low_bps=math.nan)}, "SHADOW_SHORT"),
        ({"shadow": replace(FACTS.shadow, low_bps=-0.1)}, "SHADOW_NOT_POSITIVE"),
        ({"live": Record(60, -3.0, -5.0, -1.0)}, "LIVE_LOSES"),
        ({"has_drifted": True}, "MODEL_DRIFTED"),
    ],
)
def test_each_thing_that_is_wrong_alone_keeps_it_in_shadow(change: dict[str, object], word: str) -> None:
    assert words(replace(FACTS, **change)) == ("shadow", [word])


def test_to_stay_needs_less_than_to_enter() -> None:
    thin = replace(FACTS, shadow=Record(200, 0.5, -0.3, 1.3))
    assert words(thin)[0] == "shadow"
    assert words(replace(thin, was_live=True)) == ("live", ["RETAINED"])
    lost = replace(thin, was_live=True, shadow=Record(200, -0.1, -1.0, 0.8))
    assert words(lost) == ("shadow", ["SHADOW_NOT_POSITIVE"])


def test_synthetic_evidence_counts_only_where_it_is_let() -> None:
    made_up = replace(
        FACTS,
        evidence=tuple(replace(each, market="synthetic") for each in FACTS.evidence),
        backtest=replace(BACKTEST, market="synthetic"),
    )
    assert words(made_up)[1] == [
        "EVIDENCE_SYNTHETIC",
        "EVIDENCE_SYNTHETIC",
        "EVIDENCE_SYNTHETIC",
        "BACKTEST_SYNTHETIC",
    ]
    assert words(made_up, allow_synthetic_evidence=True) == ("live", ["PROMOTED"])
    failed = replace(
        made_up, evidence=(replace(made_up.evidence[0], verdict="failed"), *made_up.evidence[1:])
    )
    assert words(failed, allow_synthetic_evidence=True) == ("shadow", ["EVIDENCE_FAILED"])


def test_a_veto_stands_above_all_and_a_pin_above_the_facts() -> None:
    veto = Instruction(VETO, "shadow", "no trust", 1)
    assert words(replace(FACTS, instruction=veto)) == ("shadow", ["VETOED"])
    bare = Facts("impact_reversion", REQUIREMENTS["impact_reversion"])
    live = Instruction(PIN, "live", "trial", 1, danger_words("impact_reversion"))
    assert words(replace(bare, instruction=live)) == ("live", ["PINNED_LIVE"])
    assert words(replace(FACTS, instruction=Instruction(PIN, "shadow", "x", 1))) == (
        "shadow",
        ["PINNED_SHADOW"],
    )
    assert words(replace(FACTS, instruction=Instruction(PIN, "off", "x", 1))) == ("off", ["PINNED_OFF"])


def test_what_may_never_trade_is_not_pinned_live() -> None:
    name = "synthetic_convexity"
    live = Instruction(PIN, "live", "trial", 1, danger_words(name))
    facts = replace(FACTS, strategy=name, requirement=REQUIREMENTS[name], instruction=live)
    assert words(facts) == ("shadow", ["NEVER_LIVE"])
