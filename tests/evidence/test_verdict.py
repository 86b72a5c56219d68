"""The rule by which figures earn their verdict."""

from __future__ import annotations

import pytest

from models.evidence import premium_study, verdict
from models.evidence.verdict import FAILED, NOT_ENOUGH_DATA, PASSED, judge, worst


@pytest.mark.parametrize(
    ("estimate", "low", "expected"),
    [(0.3, 0.1, PASSED), (0.3, -0.1, NOT_ENOUGH_DATA), (0.2, 0.1, FAILED), (float("nan"), 0.1, FAILED)],
)
def test_judge(estimate: float, low: float, expected: str) -> None:
    assert judge(estimate, low, 0.2) == expected


def test_the_worst_of_many_verdicts_counts() -> None:
    assert worst(PASSED, PASSED) == PASSED
    assert worst(PASSED, NOT_ENOUGH_DATA) == NOT_ENOUGH_DATA
    assert worst(NOT_ENOUGH_DATA, FAILED, PASSED) == FAILED


def test_all_studies_speak_the_same_words() -> None:
    for name in ("PASSED", "FAILED", "NOT_ENOUGH_DATA"):
        assert getattr(premium_study, name) == getattr(verdict, name)
