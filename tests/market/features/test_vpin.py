"""VPIN against hand-computed buckets in exact arithmetic, and what must hold for any trades."""

from __future__ import annotations

import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.features.records import new_record
from models.market.features.vpin import (
    HISTORY,
    VPIN,
    VPIN_HISTORY,
    quantile,
    rank,
    remember,
    update,
    update_all,
    value,
)
from tests.support import shared_path


def published(name: str) -> dict:
    return json.loads(shared_path("reference_vectors/vpin.json").read_text())[name]


def feed(trades: list[tuple[float, int]], bucket: float, n: int) -> np.record:
    state = new_record(VPIN)
    for notional, side in trades:
        update(state, notional, side, bucket, n)
    return state


@pytest.mark.parametrize("name", ["hand", "hand_50k"])
def test_published_lists(name: str) -> None:
    case = published(name)
    trades = [(t["price"] * t["qty"], 1 if t["side"] == "Buy" else -1) for t in case["trades"]]
    for n, wanted in case["vpin_n"].items():
        state = feed(trades, case["bucket_notional"], int(n))
        assert value(state, int(n)) == pytest.approx(wanted, rel=1e-12)
        assert state.completed == len(case["completed"])
        assert state.filled == pytest.approx(sum(case["open_bucket"].values()), abs=1e-6)
    every = feed(trades, case["bucket_notional"], len(case["completed"]))
    shares = [abs(b["buy"] - b["sell"]) / (b["buy"] + b["sell"]) for b in case["completed"]]
    assert every.ring[: len(shares)] / 2**50 == pytest.approx(shares, abs=1e-12)


def test_undefined_before_enough_buckets() -> None:
    state = feed([(1000.0, 1), (999.0, -1)], 1000.0, 2)
    assert math.isnan(value(state, 2))
    update(state, 1.0, -1, 1000.0, 2)
    assert value(state, 2) == 1.0


@pytest.mark.parametrize("per_bucket", [2, 4, 10, 50, 100])
def test_chance_level_of_coin_flips(per_bucket: int) -> None:
    wanted = published("edge")["coinflip"][str(per_bucket)]
    sides = np.random.default_rng(per_bucket).choice(np.array([-1, 1], dtype=np.int8), 200_000)
    state, levels = new_record(VPIN), []
    step = per_bucket * 250
    for start in range(0, len(sides), step):
        update_all(state, np.ones(step), sides[start : start + step], float(per_bucket), 250)
        levels.append(value(state, 250))
    spread = 4 * np.std(levels) / math.sqrt(len(levels)) + 1e-3
    assert np.mean(levels) == pytest.approx(wanted, abs=spread)


trades = st.lists(
    st.tuples(st.integers(0, 400_000).map(lambda cents: cents / 100), st.sampled_from([-1, 1])), max_size=80
)


@settings(deadline=None, max_examples=200)
@given(trades, st.integers(1, 8), st.sampled_from([1.0, 100.0, 999.99]))
def test_volume_is_conserved_and_vpin_is_a_share(
    flow: list[tuple[float, int]], n: int, bucket: float
) -> None:
    state, total, closed = new_record(VPIN), 0.0, 0
    for notional, side in flow:
        closed += update(state, notional, side, bucket, n)
        total += notional
        assert state.completed == closed
        assert closed * bucket + state.filled == pytest.approx(total, rel=1e-9, abs=1e-6)
        assert 0.0 <= state.filled <= bucket
        assert abs(state.imbalance) <= state.filled * (1 + 1e-12)
        level = value(state, n)
        assert math.isnan(level) if closed < n else 0.0 <= level <= 1.0


@settings(deadline=None, max_examples=100)
@given(trades, st.integers(1, 6))
def test_against_exact_arithmetic(flow: list[tuple[float, int]], n: int) -> None:
    bucket = Fraction(500)
    closed, filled, signed = [], Fraction(0), Fraction(0)
    for notional, side in flow:
        rest = Fraction(round(notional * 100), 100)
        while filled + rest >= bucket:
            part = bucket - filled
            closed.append(abs(signed + side * part) / bucket)
            rest, filled, signed = rest - part, Fraction(0), Fraction(0)
        filled, signed = filled + rest, signed + side * rest
    state = feed(flow, 500.0, n)
    # A sum of rounded notionals may miss a full bucket by a hair; then the two are one bucket apart.
    if state.completed == len(closed) and len(closed) >= n:
        assert value(state, n) == pytest.approx(float(sum(closed[-n:]) / n), abs=1e-9)
    assert abs(int(state.completed) - len(closed)) <= 1


def test_a_trade_of_many_buckets() -> None:
    state = feed([(250.0, -1), (1_000_000.0, 1)], 1000.0, 4)
    assert state.completed == 1000
    assert value(state, 4) == 1.0
    assert state.filled == pytest.approx(250.0)
    assert state.imbalance == pytest.approx(250.0)


def test_batch_is_the_step_repeated() -> None:
    generator = np.random.default_rng(3)
    notionals = generator.lognormal(4.0, 1.5, 5000)
    sides = generator.choice(np.array([-1, 1], dtype=np.int8), 5000)
    one, many = new_record(VPIN), new_record(VPIN)
    for notional, side in zip(notionals, sides, strict=True):
        update(one, notional, side, 1000.0, 50)
    update_all(many, notionals, sides, 1000.0, 50)
    assert one.tobytes() == many.tobytes()


def test_ranks_and_quantiles_of_the_past() -> None:
    history = new_record(VPIN_HISTORY)
    levels = np.random.default_rng(1).random(HISTORY + 500)
    for level in levels:
        remember(history, level)
    kept = levels[-HISTORY:]
    assert history.counts.sum() == HISTORY
    for probability in (0.05, 0.2, 0.5, 0.8, 0.95):
        wanted = np.quantile(kept, probability)
        assert quantile(history, probability, 100) == pytest.approx(wanted, abs=1 / 256)
        assert rank(history, wanted, 100) == pytest.approx(probability, abs=0.01)


def test_no_rank_without_a_past() -> None:
    history = new_record(VPIN_HISTORY)
    remember(history, math.nan)
    assert history.seen == 0
    assert math.isnan(rank(history, 0.5, 1))
    assert math.isnan(quantile(history, 0.5, 1))
    remember(history, 0.5)
    assert rank(history, 0.9, 1) == 1.0
    assert math.isnan(rank(history, math.nan, 1))


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.floats(0.0, 5000.0), st.sampled_from([-1, 1])), min_size=0, max_size=200))
def test_all_at_once_leaves_the_state_of_one_by_one(trades: list[tuple[float, int]]) -> None:
    wanted = feed(trades, 1000.0, 10)
    state = new_record(VPIN)
    notionals = np.array([notional for notional, _ in trades], dtype=np.float64)
    sides = np.array([side for _, side in trades], dtype=np.int8)
    assert update_all(state, notionals, sides, 1000.0, 10) == wanted.completed
    assert state.tobytes() == wanted.tobytes()
