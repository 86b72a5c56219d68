"""Markouts by hand, and an event study that finds what was planted and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.errors import DataError
from models.evidence.event_study import HORIZONS_S, EventStudy, event_study, markouts_bps
from tests.evidence.planted import SECOND, heavy, quotes, verdicts

SHORT = (0.5, 2.0, 5.0, 30.0)


def test_markouts_by_hand() -> None:
    times = np.array([0, 1, 2, 3]) * SECOND
    mid = np.array([100.0, 101.0, 99.0, np.nan])
    found = markouts_bps(
        np.array([0, SECOND // 2, SECOND]), np.array([1, -1, 1], np.int8), times, mid, (0.5, 1.0, 2.0)
    )
    expected = [[0.0, 100.0, -100.0], [-100.0, -100.0, 100.0], [0.0, (99 / 101 - 1) * 1e4, np.nan]]
    assert found == pytest.approx(np.array(expected), nan_ok=True)
    delayed = markouts_bps(np.array([0]), np.array([1], np.int8), times, mid, (2.0,), entry_delay_s=1.0)
    assert delayed[0, 0] == pytest.approx((99 / 101 - 1) * 1e4)


def test_nothing_is_known_after_the_last_quote() -> None:
    times, mid = quotes(np.zeros(10), SECOND)
    found = markouts_bps(np.array([8 * SECOND]), np.array([1], np.int8), times, mid, (1.0, 2.0))
    assert found == pytest.approx(np.array([[0.0, np.nan]]), nan_ok=True)


def _study(
    seed: int, effect_bps: float, *, cost_bps: float = 1.0, n: int = 300, bad_regime_bps: float | None = None
) -> EventStudy:
    """Events every ~20 s; after each the price moves by the effect over 4 s, in the regime 'high' perhaps otherwise."""
    rng = np.random.default_rng(seed)
    steps = n * 40
    moves = heavy(rng, steps) * 0.6
    at = np.sort(rng.choice(np.arange(5, steps - 80), n, replace=False))
    side, regime = rng.choice([-1, 1], n), np.where(rng.random(n) < 0.5, "high", "low")
    own = np.where(regime == "high", effect_bps if bad_regime_bps is None else bad_regime_bps, effect_bps)
    for k in range(1, 9):
        np.add.at(moves, at + k, side * own / 8)
    times, mid = quotes(moves, SECOND // 2)
    events = at * (SECOND // 2)
    gross = markouts_bps(events, side.astype(np.int8), times, mid, SHORT)
    return event_study(
        events, gross, cost_bps=cost_bps, seed=seed, horizons_s=SHORT, groups=regime.tolist(), resamples=60
    )


def test_the_planted_effect_is_measured() -> None:
    study = _study(1, 5.0)
    assert study.verdict == "passed"
    found = study.at(5.0)
    assert found.mean_bps is not None
    assert found.median_bps is not None
    assert found.fifth_percentile_bps is not None
    assert found.mean_bps.low < 4.0 < found.mean_bps.high  # after one basis point of costs
    assert found.fifth_percentile_bps.estimate < found.median_bps.estimate
    assert (found.events, found.measured) == (300, 300)
    assert found.p_value <= found.q_value < 0.05
    assert [(m.group, m.horizon_s) for m in study.markouts[:5]] == [
        *(("ALL", horizon) for horizon in SHORT),
        ("high", 0.5),
    ]
    assert study.at(5.0, "high").events + study.at(5.0, "low").events == 300
    assert study.horizon_s in SHORT


def test_size_over_many_seeds() -> None:
    """No effect and no costs: the hardest null. One-sided 5 % over four horizons, less the medians' veto."""
    found = verdicts(lambda seed: _study(seed, 0.0, cost_bps=0.0), range(200))
    assert found["passed"] <= 0.06
    assert found["not enough data"] == 0.0


def test_an_effect_below_costs_fails() -> None:
    assert verdicts(lambda seed: _study(seed, 1.0, cost_bps=2.0), range(40))["failed"] == 1.0


def test_power_over_many_seeds() -> None:
    assert verdicts(lambda seed: _study(seed, 3.0), range(60))["passed"] >= 0.95


def test_an_effect_that_one_regime_reverses_fails() -> None:
    found = verdicts(lambda seed: _study(seed, 8.0, bad_regime_bps=-2.0), range(30))
    assert found["failed"] >= 0.9


def test_too_few_events_are_not_enough() -> None:
    study = _study(2, 10.0, n=45)
    assert study.verdict == "not enough data"
    assert math.isnan(study.horizon_s)
    assert study.at(5.0).mean_bps is None
    assert math.isnan(study.at(5.0).p_value)
    assert math.isnan(study.at(5.0).q_value)
    nothing = event_study(
        np.array([], np.int64), np.empty((0, len(HORIZONS_S))), cost_bps=1.0, seed=1, groups=[]
    )
    assert nothing.verdict == "not enough data"


def test_costs_may_differ_by_event() -> None:
    events = np.arange(60) * 1000 * SECOND
    gross = np.tile([[3.0]], (60, 1))
    costs = np.random.default_rng(1).permutation(np.linspace(0.0, 2.0, 60))
    flat = event_study(events, gross, cost_bps=costs, seed=1, horizons_s=(1.0,), resamples=20)
    mean = flat.at(1.0).mean_bps
    assert mean is not None
    assert mean.estimate == pytest.approx(2.0)
    assert flat.verdict == "passed"


def test_what_is_refused() -> None:
    times, mid = quotes(np.zeros(10), SECOND)
    with pytest.raises(DataError, match=r"\+1 or −1"):
        markouts_bps(np.array([1]), np.array([0], np.int8), times, mid)
    with pytest.raises(DataError, match="expected 2 × 6 markouts"):
        event_study(np.array([1, 2]), np.zeros((2, 5)), cost_bps=0.0, seed=1)
    with pytest.raises(DataError, match="costs should be finite"):
        event_study(np.array([1]), np.zeros((1, 1)), cost_bps=math.nan, seed=1, horizons_s=(1.0,))
    with pytest.raises(DataError, match="one group per event"):
        event_study(
            np.array([1]), np.zeros((1, 1)), cost_bps=0.0, seed=1, horizons_s=(1.0,), groups=["a", "b"]
        )
    with pytest.raises(DataError, match="group and horizon of the study"):
        _study(1, 0.0, n=45).at(7.0)
