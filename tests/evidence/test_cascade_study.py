"""Study E3 on planted cascades, and on volatility that only looks like them."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import DataError
from models.evidence.cascade_study import CascadeStudy, cascade_study
from tests.evidence.planted import SECOND, heavy, quotes, verdicts


def _study(
    seed: int, overshoot: float, reversal: float, *, n: int = 80, noise_bps: float = 3.0
) -> CascadeStudy:
    """A cascade goes on for 200 s and comes back over the next 400 s; steps of 5 s."""
    rng = np.random.default_rng(seed)
    per = 400
    moves = heavy(rng, n * per) * noise_bps
    at, side = np.arange(n) * per + rng.integers(5, 150, n), rng.choice([-1, 1], n)
    for k in range(1, 41):
        moves[at + k] += side * overshoot * 1e4 / 40
    for k in range(41, 121):
        moves[at + k] -= side * reversal * 1e4 / 80
    times, mid = quotes(moves, 5 * SECOND)
    return cascade_study(at * 5 * SECOND, side.astype(np.int8), times, mid, seed=seed, replays=60)


def test_a_path_by_hand() -> None:
    """Down 1 % at once, back up half a per cent at 400 s; nothing else ever happens."""
    starts = np.arange(60) * 2000
    moves = np.zeros(60 * 400)
    moves[starts // 5 + 1], moves[starts // 5 + 80] = 1e4 * np.log(0.99), 1e4 * np.log(1.005)
    times, mid = quotes(moves, 5 * SECOND)
    study = cascade_study(starts * SECOND, np.full(60, -1, np.int8), times, mid, seed=1)
    assert study.overshoot is not None
    assert study.reversal is not None
    assert study.overshoot_excess is not None
    assert (study.events, study.measured) == (60, 60)
    # The direction is −1: the path is mirrored, so a fall by 1 % is a rise by 1/0.99 − 1.
    assert study.overshoot.estimate == pytest.approx(1 / 0.99 - 1)
    assert study.reversal.estimate == pytest.approx(1 - 1 / 1.005)
    # Thrown anew, half the replays go the other way: they have no overshoot.
    assert study.overshoot_excess.estimate == pytest.approx((1 / 0.99 - 1) / 2, rel=0.05)
    assert study.verdict == "passed"


def test_power_over_many_seeds() -> None:
    found = verdicts(lambda seed: _study(seed, 0.006, 0.003), range(40))
    assert found["passed"] >= 0.95
    assert verdicts(lambda seed: _study(seed, 0.004, 0.0025), range(40))["passed"] >= 0.9


@pytest.mark.parametrize("noise_bps", [5.0, 8.0])
def test_volatility_alone_does_not_pass(noise_bps: float) -> None:
    """Both thresholds are exceeded by noise: a study without the replays would pass every time."""
    studies = {seed: _study(seed, 0.0, 0.0, noise_bps=noise_bps) for seed in range(60)}
    assert verdicts(lambda seed: studies[seed], studies)["passed"] <= 0.05
    naive = [
        s.overshoot.estimate > 0.002 and s.reversal.estimate > 0.001
        for s in studies.values()
        if s.overshoot is not None and s.reversal is not None
    ]
    assert len(naive) == 60
    assert np.mean(naive) > 0.9


def test_a_move_that_stays_is_no_reversal() -> None:
    assert verdicts(lambda seed: _study(seed, 0.006, 0.0), range(40))["passed"] <= 0.05
    assert verdicts(lambda seed: _study(seed, 0.006, -0.003), range(20))["failed"] == 1.0


def test_small_cascades_fail() -> None:
    assert verdicts(lambda seed: _study(seed, 0.001, 0.0005, noise_bps=1.0), range(20))["failed"] == 1.0


def test_few_cascades_or_gaps_are_not_enough() -> None:
    study = _study(1, 0.006, 0.003, n=40)
    assert study.verdict == "not enough data"
    assert study.overshoot is None
    times, mid = quotes(np.zeros(1000), 5 * SECOND)
    mid[500:] = np.nan
    gapped = cascade_study(np.array([0, 2400 * SECOND]), np.array([1, 1], np.int8), times, mid, seed=1)
    assert (gapped.events, gapped.measured, gapped.verdict) == (2, 1, "not enough data")


def test_a_cascade_needs_a_direction() -> None:
    times, mid = quotes(np.zeros(10), SECOND)
    with pytest.raises(DataError, match=r"\+1 or −1"):
        cascade_study(np.array([1]), np.array([0], np.int8), times, mid, seed=1)
