"""Scores by hand and against scipy's own intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from models.errors import DataError
from models.evidence.detector_scores import (
    delay_quantiles_s,
    match,
    over_seeds,
    precision_recall,
    proportion,
    rising_edges,
)


def test_detections_belong_to_the_episode_of_their_side_and_time():
    start, end, side = np.array([10, 50, 90]), np.array([20, 60, 90]), np.array([1, -1, 1])
    at = np.array([5, 12, 15, 24, 26, 55, 90])
    sides = np.array([1, 1, -1, 1, 1, -1, 1])
    m = match(at, sides, start, end, side, late_ns=5)
    assert m.first.tolist() == [1, 5, 6]
    assert m.owner.tolist() == [-1, 0, -1, 0, -1, 1, 2]
    assert m.found.all()
    assert m.true.sum() == 4


def test_overlapping_episodes_of_one_side_do_not_share_a_detection():
    m = match(np.array([7]), np.array([1]), np.array([5, 0]), np.array([10, 10]), np.array([1, 1]), late_ns=0)
    assert m.first.tolist() == [-1, 0]
    assert m.owner.tolist() == [1]


def test_unsorted_detections_are_refused():
    with pytest.raises(DataError, match="time order"):
        match(np.array([2, 1]), np.array([1, 1]), np.array([0]), np.array([3]), np.array([1]), late_ns=0)


@pytest.mark.parametrize(("hits", "n"), [(0, 7), (7, 7), (3, 10), (95, 100)])
def test_the_interval_of_a_share_is_scipys_exact_one(hits, n):
    wanted = stats.binomtest(hits, n).proportion_ci(0.95, method="exact")
    found = proportion(hits, n)
    assert (found.low, found.high) == pytest.approx((wanted.low, wanted.high), rel=1e-9)


def test_impossible_shares_are_refused_and_nothing_has_none():
    assert proportion(0, 0) is None
    with pytest.raises(DataError, match="was 3"):
        proportion(3, 2)


def test_the_interval_over_seeds_is_students():
    x = [1.0, 2.0, 4.0, math.nan]
    found = over_seeds(x)
    low, high = stats.t.interval(0.95, 2, loc=np.mean(x[:3]), scale=stats.sem(x[:3]))
    assert (found.low, found.high, found.n) == (pytest.approx(low), pytest.approx(high), 3)
    assert over_seeds([1.0, math.nan]) is None


def test_ticks_and_delays_by_hand():
    found, truth = np.array([1, 1, 0, 0, 1], bool), np.array([1, 0, 1, 0, 1], bool)
    assert precision_recall(found, truth) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert all(math.isnan(x) for x in precision_recall(found & False, truth & False))
    assert rising_edges(found).tolist() == [0, 4]
    assert delay_quantiles_s(np.array([-1, 0, 3]) * 10**9, (0.0, 0.5, 1.0)) == (-1.0, 0.0, 3.0)
    assert math.isnan(delay_quantiles_s(np.zeros(0, np.int64))[0])
