from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.portfolio.water_filling import fill

MANY = 500
WEIGHTS = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=2),
    st.one_of(
        st.just(0.0),
        st.floats(0.0, 100.0),
        st.floats(0.0, 1e-300),
        st.floats(1e-9, 1.0),
        st.sampled_from([1.0, 2.0]),
    ),
    max_size=25,
)


def test_known_divisions() -> None:
    assert fill({"a": 1.0, "b": 1.0}, 0.8, 0.05, 0.4) == {"a": 0.4, "b": 0.4}
    # c would get 0.04: it is lifted to the floor, the others share the rest 3 : 1.
    found = fill({"a": 15.0, "b": 5.0, "c": 1.0}, 0.85, 0.05, 0.9)
    assert found == pytest.approx({"a": 0.6, "b": 0.2, "c": 0.05})
    # a would get 0.6: it is capped, and the others share the rest.
    assert fill({"a": 6.0, "b": 1.0, "c": 1.0}, 0.8, 0.05, 0.4) == pytest.approx(
        {"a": 0.4, "b": 0.2, "c": 0.2}
    )
    assert fill({}, 0.8, 0.05, 0.4) == {}
    assert fill({"a": 0.0, "b": 0.0}, 0.5, 0.0, 0.4) == {"a": 0.25, "b": 0.25}
    assert fill({"a": 1.0, "b": 0.0, "c": 0.0}, 0.8, 0.05, 0.4) == pytest.approx(
        {"a": 0.4, "b": 0.2, "c": 0.2}
    )


def test_hardly_any_weight_is_none() -> None:
    found = fill({"c": 0.0, "a": 2.3e-309, "b": 2.0}, 1.0, 0.0, 0.25)
    assert found == {"c": 0.25, "a": 0.25, "b": 0.25}


def test_caps_that_cannot_hold_everything_leave_the_rest() -> None:
    assert fill({"a": 1.0}, 0.8, 0.05, 0.4) == {"a": 0.4}


def test_floors_that_do_not_fit_keep_the_heaviest() -> None:
    found = fill({"a": 1.0, "b": 3.0, "c": 3.0, "d": 2.0}, 0.12, 0.05, 0.4)
    assert found == pytest.approx({"a": 0.0, "b": 0.06, "c": 0.06, "d": 0.0})


@given(
    WEIGHTS,
    st.floats(0.0, 1.0),
    st.one_of(st.just(0.0), st.floats(0.001, 0.3)),
    st.floats(0.0, 1.0),
)
@settings(max_examples=MANY)
def test_sum_bounds_and_order_always_hold(
    weights: dict[str, float], total: float, floor: float, above: float
) -> None:
    cap = floor + above
    shares = fill(weights, total, floor, cap)
    most = len(weights) if floor == 0.0 else int(total / floor + 1e-9)
    funded = [name for name, share in shares.items() if share > 0.0]
    assert list(shares) == list(weights)
    assert sum(shares.values()) == pytest.approx(min(total, min(len(weights), most) * cap), abs=1e-9)
    assert all(floor - 1e-9 <= shares[name] <= cap + 1e-12 for name in funded)
    for a in weights:
        for b in weights:
            if weights[a] > weights[b]:
                assert shares[a] >= shares[b] - 1e-9


@given(st.lists(st.floats(0.01, 10.0), min_size=2, max_size=12), st.floats(0.1, 0.95))
def test_it_is_the_projection_of_one_level(weights: list[float], total: float) -> None:
    """The level found by bisection, an independent way to the same shares."""
    floor, cap = 0.01, 0.4
    named = {str(i): w for i, w in enumerate(weights)}
    if not len(weights) * floor <= total <= len(weights) * cap:
        return
    low, high = 0.0, 1e3
    for _ in range(200):
        level = 0.5 * (low + high)
        if sum(min(max(level * w, floor), cap) for w in weights) < total:
            low = level
        else:
            high = level
    expected = [min(max(high * w, floor), cap) for w in weights]
    assert list(fill(named, total, floor, cap).values()) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("weights", "total", "floor", "cap"),
    [
        ({"a": math.nan}, 0.8, 0.05, 0.4),
        ({"a": -1.0}, 0.8, 0.05, 0.4),
        ({"a": 1.0}, math.nan, 0.05, 0.4),
        ({"a": 1.0}, -0.1, 0.05, 0.4),
        ({"a": 1.0}, 0.8, 0.5, 0.4),
    ],
)
def test_numbers_out_of_range_are_errors(weights, total: float, floor: float, cap: float) -> None:
    with pytest.raises(DataError, match="was"):
        fill(weights, total, floor, cap)
