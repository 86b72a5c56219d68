"""The venue's formula against exact rational arithmetic."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.funding.formula import (
    DAMPENER,
    average_premium,
    dampened,
    funding_rate,
    interest,
    minute_weights,
    weight_between,
)
from tests.support import shared_path

# (name, interval h, [(minutes, premium)], lower, upper, average premium, rate), exact fractions.
CASES = [
    ("constant 12 bp", 8, [(480, "12/10000")], "-5/1000", "5/1000", "3/2500", "7/10000"),
    (
        "flat, then an hour at 40 bp",
        8,
        [(420, "0"), (60, "4/1000")],
        "-5/1000",
        "5/1000",
        "901/962000",
        "21/48100",
    ),
    (
        "an hour at 40 bp, then flat",
        8,
        [(60, "4/1000"), (420, "0")],
        "-5/1000",
        "5/1000",
        "61/962000",
        "1/10000",
    ),
    (
        "4 h negative",
        4,
        [(180, "-2/10000"), (60, "-3/1000")],
        "-5/1000",
        "5/1000",
        "-3429/2410000",
        "-139/150625",
    ),
    ("4 h at zero", 4, [(240, "0")], "-5/1000", "5/1000", "0", "1/20000"),
    ("1 h at zero", 1, [(60, "0")], "-5/1000", "5/1000", "0", "1/80000"),
    ("1 h capped", 1, [(60, "2/100")], "-5/1000", "5/1000", "1/50", "1/200"),
    (
        "1 h floored",
        1,
        [(30, "-4/100"), (30, "-2/100")],
        "-2/100",
        "2/100",
        "-153/6100",
        "-1/50",
    ),
    ("upper edge of the band", 8, [(480, "6/10000")], "-5/1000", "5/1000", "3/5000", "1/10000"),
    ("lower edge of the band", 8, [(480, "-4/10000")], "-5/1000", "5/1000", "-1/2500", "1/10000"),
    ("asymmetric caps", 8, [(480, "-1/100")], "-375/100000", "75/10000", "-1/100", "-3/800"),
]


def _minutes(segments: list[tuple[int, str]]) -> np.ndarray:
    return np.concatenate([np.full(count, float(Fraction(value))) for count, value in segments])


@pytest.mark.parametrize(
    ("name", "interval_h", "segments", "lower", "upper", "average", "rate"), CASES, ids=[c[0] for c in CASES]
)
def test_exact_cases(
    name: str,
    interval_h: int,
    segments: list[tuple[int, str]],
    lower: str,
    upper: str,
    average: str,
    rate: str,
) -> None:
    premium = _minutes(segments)
    assert len(premium) == 60 * interval_h, name
    found = average_premium(premium)
    assert found == pytest.approx(float(Fraction(average)), rel=1e-12, abs=1e-18)
    paid = float(funding_rate(found, interval_h, float(Fraction(lower)), float(Fraction(upper))))
    assert paid == pytest.approx(float(Fraction(rate)), rel=1e-12)


def test_every_reference_vector() -> None:
    cases = json.loads(shared_path("reference_vectors/bybit_funding.json").read_text())["cases"]
    assert len(cases) >= 13
    for case in cases:
        premium = _minutes(case["premium_segments_minutes_value"])
        average = average_premium(premium)
        assert average == pytest.approx(
            float(Fraction(case["avg_premium"]["exact"])), rel=1e-12, abs=1e-18
        ), case["name"]
        before = float(dampened(average, case["interval_h"]))
        assert before == pytest.approx(float(Fraction(case["before_cap"]["exact"])), rel=1e-12), case["name"]
        assert interest(case["interval_h"]) == pytest.approx(
            float(Fraction(case["interest"]["exact"])), rel=1e-15
        )
        paid = float(funding_rate(average, case["interval_h"], float(case["lower"]), float(case["upper"])))
        assert paid == pytest.approx(float(Fraction(case["funding_rate"]["exact"])), rel=1e-12), case["name"]
        assert case["capped"] == (abs(paid - before) > 1e-12), case["name"]


@pytest.mark.parametrize(
    ("interval_h", "last_hour"),
    [(8, 0.23414760914760915), (4, 0.4367219917012448), (2, 0.7479338842975206), (1, 1.0)],
)
def test_share_of_the_last_hour(interval_h: int, last_hour: float) -> None:
    minutes = 60 * interval_h
    assert weight_between(minutes - 60, minutes) / weight_between(0, minutes) == pytest.approx(
        last_hour, rel=1e-14
    )
    weights = minute_weights(minutes)
    assert weights[-60:].sum() / weights.sum() == pytest.approx(last_hour, rel=1e-14)


def test_at_ninety_minutes_391_of_592_is_fixed() -> None:
    assert weight_between(0, 390) / weight_between(0, 480) == pytest.approx(391 / 592, rel=1e-15)
    # Premium 3 bp so far and 9 bp for the rest still pays the interest: the dead band hides the move.
    average = (391 * 0.0003 + 201 * 0.0009) / 592
    assert average == pytest.approx(1491 / 2960000, rel=1e-14)
    assert float(funding_rate(average, 8)) == interest(8)


@given(premium=st.floats(-0.05, 0.05), interval_h=st.sampled_from([1, 2, 4, 8]), cap=st.floats(0.0006, 0.04))
def test_rate_is_the_premium_moved_towards_the_interest(premium: float, interval_h: int, cap: float) -> None:
    rate = float(funding_rate(premium, interval_h, -cap, cap))
    free = float(dampened(premium, interval_h))
    centre = interest(interval_h)
    assert -cap <= rate <= cap
    assert abs(free - premium) <= DAMPENER + 1e-15 or free == centre
    if abs(centre - premium) <= DAMPENER:
        assert free == centre
    else:
        assert abs(free - premium) == pytest.approx(DAMPENER, rel=1e-9)
        assert (free > centre) == (premium > centre)


def test_arrays_keep_their_shape() -> None:
    premium = np.array([[-0.01, 0.0], [0.0006, 0.01]])
    assert funding_rate(premium, 8, -0.005, 0.005).shape == (2, 2)
    assert funding_rate(premium, 8, -0.005, 0.005)[0, 0] == -0.005
