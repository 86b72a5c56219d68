"""Where planted positions would be liquidated, how they fade and how the price empties the map."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.features.heatmap import (
    HEATMAP,
    LEVERAGES,
    LONGS,
    SHORTS,
    WIDTH,
    add_entry,
    bin_of_price,
    mass_at,
    nearest_cluster,
    on_price,
    round_number_distance,
)
from models.market.features.records import new_record

SECOND = 1_000_000_000
HALF_LIFE = 6 * 3600.0
MARGIN = 0.005


def entered(side: int, price: float = 60_000.0, notional: float = 1e6):
    state = new_record(HEATMAP)
    on_price(state, SECOND, price, HALF_LIFE)
    add_entry(state, SECOND, side, price, notional, MARGIN, HALF_LIFE)
    return state


@pytest.mark.parametrize(("side", "kind"), [(1, LONGS), (-1, SHORTS)])
def test_positions_lie_at_their_liquidation_prices(side: int, kind: int) -> None:
    state = entered(side)
    for leverage in LEVERAGES:
        price = 60_000.0 * (1.0 - side * (1.0 / leverage - MARGIN))
        assert mass_at(state, kind, bin_of_price(price)) == pytest.approx(1e6 / len(LEVERAGES))
        assert mass_at(state, 1 - kind, bin_of_price(price)) == 0.0


@pytest.mark.parametrize(("side", "kind"), [(1, LONGS), (-1, SHORTS)])
def test_the_nearest_cluster_is_that_of_the_highest_leverage(side: int, kind: int) -> None:
    distance, mass = nearest_cluster(entered(side), kind, 200, 3.0)
    assert distance == pytest.approx(1.0 / 100 - MARGIN, abs=WIDTH)
    assert mass == pytest.approx(2e5)
    assert all(math.isnan(x) for x in nearest_cluster(entered(side), 1 - kind, 200, 3.0))
    assert all(math.isnan(x) for x in nearest_cluster(new_record(HEATMAP), kind, 200, 3.0))


def test_mass_halves_in_a_half_life() -> None:
    state = entered(1)
    number = bin_of_price(60_000.0 * (1 - 0.04 + MARGIN))
    before = mass_at(state, LONGS, number)
    on_price(state, SECOND + int(HALF_LIFE) * SECOND, 60_000.0, HALF_LIFE)
    assert mass_at(state, LONGS, number) == pytest.approx(before / 2)
    on_price(state, SECOND + 100 * int(HALF_LIFE) * SECOND, 60_000.0, HALF_LIFE)
    assert mass_at(state, LONGS, number) == pytest.approx(before / 2**100)


def test_a_falling_price_empties_longs_only() -> None:
    state = entered(1)
    add_entry(state, SECOND, -1, 58_000.0, 1e6, MARGIN, HALF_LIFE)
    on_price(state, 2 * SECOND, 60_000.0 * 0.98, HALF_LIFE)
    hit = [1.0 / leverage - MARGIN < 0.02 for leverage in LEVERAGES]
    for leverage, gone in zip(LEVERAGES, hit, strict=True):
        number = bin_of_price(60_000.0 * (1.0 - 1.0 / leverage + MARGIN))
        assert (mass_at(state, LONGS, number) == 0.0) == gone
    assert mass_at(state, SHORTS, bin_of_price(58_000.0 * (1.2 - MARGIN))) > 0.0


def test_a_rising_price_empties_shorts() -> None:
    state = entered(-1)
    on_price(state, 2 * SECOND, 60_000.0 * 1.30, HALF_LIFE)
    for leverage in LEVERAGES:
        assert mass_at(state, SHORTS, bin_of_price(60_000.0 * (1.0 + 1.0 / leverage - MARGIN))) == 0.0


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(100.0, 1e5), st.sampled_from([-1, 1])), min_size=1, max_size=40))
def test_mass_never_exceeds_what_was_entered(entries: list[tuple[float, int]]) -> None:
    state, total = new_record(HEATMAP), 0.0
    for i, (price, side) in enumerate(entries):
        on_price(state, (i + 1) * SECOND, price, HALF_LIFE)
        add_entry(state, (i + 1) * SECOND, side, price, 100.0, MARGIN, HALF_LIFE)
        total += 100.0
        held = state.mass.sum() / state.growth
        assert 0.0 <= held <= total * (1 + 1e-9)


@pytest.mark.parametrize(
    ("price", "wanted"), [(60_400.0, -400 / 60_400), (59_700.0, 300 / 59_700), (0.1234, -0.0034 / 0.1234)]
)
def test_round_numbers(price: float, wanted: float) -> None:
    assert round_number_distance(price) == pytest.approx(wanted, rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.floats(0.97, 1.03), st.sampled_from([-1, 0, 0, 1]), st.integers(1, 10**6)),
        min_size=1,
        max_size=60,
    )
)
def test_the_cluster_remembered_is_the_one_a_fresh_look_finds(steps: list[tuple[float, int, int]]) -> None:
    state, now, price = new_record(HEATMAP), SECOND, 60_000.0
    for factor, side, wait_s in steps:
        now += wait_s * SECOND
        price = min(max(price * factor, 100.0), 1e6)
        on_price(state, now, price, HALF_LIFE)
        if side:
            add_entry(state, now, side, price, 1e6 * factor, MARGIN, HALF_LIFE)
        for kind in (LONGS, SHORTS):
            fresh = state.copy()
            fresh.settled[:] = 0
            found, wanted = nearest_cluster(state, kind, 200, 3.0), nearest_cluster(fresh, kind, 200, 3.0)
            assert np.array_equal(found, wanted, equal_nan=True)
