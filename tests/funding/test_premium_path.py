"""Bars on a grid of minutes, and the kernel that turns minutes into an expected average."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.funding.formula import average_premium
from models.funding.inputs import HOUR_NS, MINUTE_NS, SOURCE_PERP_SPOT, SOURCE_PREMIUM_INDEX, FundingInputs
from models.funding.premium_path import (
    PATH_PARAMS,
    STALEST_MIN,
    WARM_UP_MINUTES,
    PathParams,
    PremiumWindow,
    expected_average,
    interval_start,
    path_kernel,
    premium_window,
)

START = 480 * MINUTE_NS * 1000


def _bars(first_minute: int, values: list[float], bar_min: int = 1, source: int = 0) -> FundingInputs:
    ts = START + (first_minute + bar_min * np.arange(len(values), dtype=np.int64)) * MINUTE_NS
    return FundingInputs(
        "AAAUSDT",
        premium_ts=ts,
        premium_available_at=ts + bar_min * MINUTE_NS,
        premium_bar_s=np.full(len(values), bar_min * 60),
        premium=np.array(values),
        premium_source=np.full(len(values), source),
    )


def test_bars_fill_their_minutes_and_gaps_carry_on() -> None:
    inputs = _bars(-5, [1.0, 2.0, 3.0], bar_min=5)  # minutes -5..-1, 0..4, 5..9
    window = premium_window(inputs, START, START + 14 * MINUTE_NS)
    assert window is not None
    assert len(window.premium) == WARM_UP_MINUTES + 14
    assert (window.premium[: WARM_UP_MINUTES - 5] == 1.0).all()  # before the first bar: the first bar's value
    assert window.premium[WARM_UP_MINUTES:].tolist() == [2.0] * 5 + [3.0] * 9
    assert window.coverage == pytest.approx(10 / 14)


def test_a_bar_counts_when_it_has_closed() -> None:
    inputs = _bars(0, [1.0, 2.0], bar_min=5)
    for seconds, last in ((599, 1.0), (600, 2.0)):
        window = premium_window(inputs, START, START + seconds * 1_000_000_000)
        assert window is not None
        assert window.premium[-1] == last


def test_no_bar_means_no_window() -> None:
    inputs = _bars(0, [1.0, 2.0])
    assert premium_window(inputs, START, START) is None
    assert premium_window(FundingInputs("AAAUSDT"), START, START + HOUR_NS) is None
    assert premium_window(_bars(0, [float("nan")]), START, START + HOUR_NS) is None
    assert premium_window(inputs, START + 300 * MINUTE_NS, START + 5 * MINUTE_NS) is None


def test_mixed_bars_take_the_source_most_come_from() -> None:
    proxy, index = _bars(0, [1.0] * 3, 5, SOURCE_PERP_SPOT), _bars(15, [2.0] * 10, 1, SOURCE_PREMIUM_INDEX)
    names = ("premium_ts", "premium_available_at", "premium_bar_s", "premium", "premium_source")
    joined = FundingInputs(
        "AAAUSDT", **{n: np.concatenate([getattr(proxy, n), getattr(index, n)]) for n in names}
    )
    window = premium_window(joined, START, START + 25 * MINUTE_NS)
    assert window is not None
    assert window.premium[WARM_UP_MINUTES:].tolist() == [1.0] * 15 + [2.0] * 10
    assert window.source == SOURCE_PREMIUM_INDEX
    assert window.coverage == 1.0


@pytest.mark.parametrize("source", [SOURCE_PREMIUM_INDEX, SOURCE_PERP_SPOT])
@pytest.mark.parametrize(("interval", "seen"), [(480, 390), (480, 0), (480, 480), (60, -30), (240, 150)])
def test_kernel_is_an_average(source: int, interval: int, seen: int) -> None:
    kernel = path_kernel(interval, seen, PATH_PARAMS[source])
    assert kernel.shape == (WARM_UP_MINUTES + seen,)
    assert kernel.sum() == pytest.approx(1.0, rel=1e-12)
    assert (kernel >= 0.0).all()


def test_the_whole_exact_interval_is_the_venues_average() -> None:
    minutes = np.random.default_rng(1).normal(0, 1e-3, WARM_UP_MINUTES + 480)
    window = PremiumWindow(minutes, 1.0, SOURCE_PREMIUM_INDEX)
    average = expected_average(window, 8.0, 0, 480 * MINUTE_NS)
    assert average == pytest.approx(average_premium(minutes[WARM_UP_MINUTES:]), rel=1e-12)


def test_kernel_equals_smoothing_then_weighing() -> None:
    params = PathParams(smoothing_min=45.0, tail_min=40.0)
    raw = np.random.default_rng(2).normal(0, 1e-3, WARM_UP_MINUTES + 390)

    def smooth(time_constant: float) -> np.ndarray:
        decay, out = np.exp(-1 / time_constant), raw.copy()
        for i in range(1, len(raw)):
            out[i] = decay * out[i - 1] + (1 - decay) * raw[i]
        return out

    weights = np.arange(1.0, 481.0)
    seen = weights[:390] @ smooth(45.0)[WARM_UP_MINUTES:]
    expected = (seen + weights[390:].sum() * smooth(40.0)[-1]) / weights.sum()
    found = expected_average(PremiumWindow(raw, 1.0, SOURCE_PERP_SPOT), 8.0, 0, 390 * MINUTE_NS, params)
    assert found == pytest.approx(expected, rel=1e-10)


@settings(deadline=None)
@given(level=st.floats(-0.01, 0.01), seen=st.integers(-59, 480), source=st.sampled_from([0, 1]))
def test_a_constant_premium_is_its_own_average(level: float, seen: int, source: int) -> None:
    window = PremiumWindow(np.full(WARM_UP_MINUTES + seen, level), 1.0, source)
    found = expected_average(window, 8.0, 0, seen * MINUTE_NS)
    assert found == pytest.approx(level, rel=1e-9, abs=1e-15)


def test_an_interval_starts_its_length_before_the_settlement() -> None:
    assert interval_start(START, 8.0) == START - 8 * HOUR_NS


def test_a_window_whose_newest_bar_is_old_gives_nothing() -> None:
    minutes = np.arange(600, dtype=np.int64)
    inputs = FundingInputs(
        symbol="AAAUSDT",
        premium_ts=minutes * MINUTE_NS,
        premium_available_at=(minutes + 1) * MINUTE_NS,
        premium_bar_s=np.full(600, 60, dtype=np.int64),
        premium=np.full(600, 1e-4),
        premium_source=np.zeros(600, dtype=np.int64),
    )
    start = 240 * MINUTE_NS
    assert premium_window(inputs, start, (600 + STALEST_MIN - 1) * MINUTE_NS) is not None
    assert premium_window(inputs, start, (600 + STALEST_MIN) * MINUTE_NS) is None
