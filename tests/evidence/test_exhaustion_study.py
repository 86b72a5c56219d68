"""Study E6: planted reversals at every threshold, at one only, and nowhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

from models.errors import DataError
from models.evidence.exhaustion_study import Events, ExhaustionStudy, exhaustion_study
from tests.evidence.planted import SECOND, heavy, quotes, verdicts

SHORT = (1.0, 5.0, 30.0)


def _study(
    seed: int, effects_bps: dict[float, float], *, n: int = 200, few: int | None = None
) -> ExhaustionStudy:
    """Each threshold has its own events with its own effect over 4 s."""
    rng = np.random.default_rng(seed)
    steps = n * 120
    moves = heavy(rng, steps) * 0.6
    events = {}
    for theta, effect in effects_bps.items():
        count = few if few is not None and theta != 5.0 else n
        at = np.sort(rng.choice(np.arange(5, steps - 80), count, replace=False))
        side = rng.choice([-1, 1], count)
        for k in range(1, 9):
            np.add.at(moves, at + k, side * effect / 8)
        regime = np.where(rng.random(count) < 0.5, "high", "low").tolist()
        events[theta] = Events(at * (SECOND // 2), side.astype(np.int8), regime)
    times, mid = quotes(moves, SECOND // 2)
    return exhaustion_study(events, 5.0, times, mid, cost_bps=1.0, seed=seed, horizons_s=SHORT, resamples=40)


def test_a_stable_effect_passes() -> None:
    study = _study(1, {3.0: 4.0, 5.0: 5.0, 7.0: 4.0})
    assert (study.verdict, study.stable, study.theta_bps) == ("passed", True, 5.0)
    assert sorted(study.by_theta) == [3.0, 5.0, 7.0]
    assert study.horizon_s in SHORT
    assert {m.group for m in study.by_theta[5.0].markouts} == {"ALL", "high", "low"}


def test_power_and_size_over_many_seeds() -> None:
    assert verdicts(lambda seed: _study(seed, {3.0: 4.0, 5.0: 4.0, 7.0: 4.0}), range(40))["passed"] >= 0.95
    null = verdicts(lambda seed: _study(seed, {3.0: 1.0, 5.0: 1.0, 7.0: 1.0}), range(100))
    assert null["passed"] <= 0.05  # the effect is just the costs


def test_one_lucky_threshold_fails() -> None:
    found = verdicts(lambda seed: _study(seed, {3.0: 0.0, 5.0: 5.0, 7.0: 0.0}), range(30))
    assert found["passed"] == 0.0
    lucky = _study(1, {3.0: 0.0, 5.0: 5.0, 7.0: 4.0})
    assert (lucky.verdict, lucky.stable) == ("failed", False)
    assert not math.isnan(lucky.horizon_s)


def test_neighbours_with_few_events_are_not_enough() -> None:
    study = _study(1, {3.0: 5.0, 5.0: 5.0, 7.0: 5.0}, few=20)
    assert (study.verdict, study.stable) == ("not enough data", False)
    assert _study(1, {3.0: 5.0, 5.0: 5.0, 7.0: 5.0}, n=45).verdict == "not enough data"


def test_both_neighbours_must_be_there() -> None:
    times, mid = quotes(np.zeros(10), SECOND)
    none = Events(np.array([], np.int64), np.array([], np.int8), [])
    with pytest.raises(DataError, match=r"had none at \[3.0, 7.0\]"):
        exhaustion_study({5.0: none}, 5.0, times, mid, cost_bps=1.0, seed=1)
