"""Benjamini–Hochberg against the paper, scipy and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from models.errors import DataError
from models.evidence.multiple_testing import benjamini_hochberg

PAPER = [
    0.0001,
    0.0004,
    0.0019,
    0.0095,
    0.0201,
    0.0278,
    0.0298,
    0.0344,
    0.0459,
    0.3240,
    0.4262,
    0.5719,
    0.6528,
    0.7590,
    1.0,
]


def test_the_papers_example() -> None:
    # Benjamini and Hochberg (1995, section 4.1): four of fifteen hypotheses are rejected at 5 %.
    assert (benjamini_hochberg(np.array(PAPER)) <= 0.05).tolist() == [True] * 4 + [False] * 11


def test_the_same_as_scipy_in_any_order() -> None:
    rng = np.random.default_rng(1)
    for size in (1, 2, 7, 40):
        p = np.round(rng.random(size) ** 2, 2)
        assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))
    assert benjamini_hochberg(np.array([])).shape == (0,)


def test_false_discoveries_stay_within_the_level() -> None:
    rng = np.random.default_rng(2)
    shares, found = [], []
    for _ in range(400):
        z = rng.normal(size=30)
        z[:10] += 3.0
        kept = benjamini_hochberg(stats.norm.sf(z)) <= 0.1
        shares.append(kept[10:].sum() / max(kept.sum(), 1))
        found.append(kept[:10].mean())
    assert np.mean(shares) < 0.09
    assert np.mean(found) > 0.75


@pytest.mark.parametrize("p", [[0.1, np.nan], [-0.1], [1.1]])
def test_what_is_refused(p: list[float]) -> None:
    with pytest.raises(DataError, match=r"in \[0, 1\]"):
        benjamini_hochberg(np.array(p))
