"""Detectors on series whose fault is known because the test made it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from hean_pipelines.quality.bars import bars_from_trades
from hean_pipelines.quality.comparing import (
    HOUR_NS,
    contract_spread,
    disagreement,
    time_zone_shift,
    unit_factor,
)
from hean_pipelines.quality.stamps import Outage, clock_skew, outages, time_unit, venue_outages
from models.errors import DataError


def _series(n: int = 500, seed: int = 1, start: int = 0) -> pl.DataFrame:
    values = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, n)))
    return pl.DataFrame({"ts": (np.arange(n, dtype=np.int64) + start) * HOUR_NS, "value": values})


@pytest.mark.parametrize("hours", [-9, -1, 0, 3, 8])
def test_a_shift_is_found_through_noise(hours: int):
    a = _series()
    noise = np.random.default_rng(2).normal(0, 1e-3, a.height)
    b = a.with_columns(ts=pl.col("ts") - hours * HOUR_NS, value=pl.col("value") * (1 + noise))
    found = time_zone_shift(a, b)
    assert found.lag_ns == hours * HOUR_NS
    assert found.is_shifted == (hours != 0)
    assert found.correlation > 0.9


def test_unrelated_series_are_not_called_shifted():
    assert not time_zone_shift(_series(), _series(seed=3)).is_shifted


def test_series_without_common_stamps_are_refused():
    with pytest.raises(DataError, match="rows in common"):
        time_zone_shift(_series(), _series(start=10_000))


@pytest.mark.parametrize(("factor", "power"), [(1.0, 0), (1.7, 0), (1000.0, 3), (0.01, -2)])
def test_units_apart_by_a_power_of_ten(factor: float, power: int):
    a = _series()
    found = unit_factor(a.with_columns(pl.col("value") * factor), a)
    assert (found.power, found.is_another_unit, found.matched) == (power, power != 0, 500)
    assert found.ratio == pytest.approx(factor)


def test_contracts_are_told_from_coins():
    values = {"A": 0.01, "B": 1.0, "C": 1000.0}
    shares = {"A": 0.5, "B": 0.2, "C": 0.4}
    contracts = {symbol: share / values[symbol] for symbol, share in shares.items()}
    assert contract_spread(contracts, values).lacks_multiplier
    assert not contract_spread(shares, values).lacks_multiplier


def test_disagreement_counts_both_ways():
    a = pl.DataFrame({"ts": [1, 2, 3, 4, 9], "value": [100.0, 101.0, 100.0, 100.0, 5.0]})
    b = pl.DataFrame({"ts": [0, 1, 2, 4, 5], "value": [1.0, 100.0, 100.0, float("nan"), 1.0]})
    found = disagreement(a, b, 0.005)
    assert (found.matched, found.only_first, found.only_second, found.beyond) == (3, 1, 1, 2)
    assert disagreement(a.head(2), b, 1.0, relative=False).worst == 1.0
    assert disagreement(a.clear(), b, 0.1).matched == 0


def test_outages_of_a_symbol_and_of_the_venue():
    a = np.array([0, 1, 2, 6, 7, 10], dtype=np.int64) * 10
    b = np.array([0, 1, 2, 3, 5, 6, 7, 10], dtype=np.int64) * 10
    found = {"a": outages(a, 10), "b": outages(b, 10)}
    assert found["a"] == [Outage(30, 60, 3), Outage(80, 100, 2)]
    assert outages(a, 10, least_missing=3) == [Outage(30, 60, 3)]
    assert venue_outages(found, 10) == [Outage(40, 50, 1), Outage(80, 100, 2)]
    assert venue_outages({}, 10) == []
    with pytest.raises(DataError, match="rising"):
        outages(a[::-1], 10)


def test_clock_behind_the_venue():
    sent = np.arange(100, dtype=np.int64) * 10**9
    latency = np.full(100, 20 * 10**6)
    assert not clock_skew(sent, sent + latency).is_behind
    behind = clock_skew(sent, sent + latency - 1_400_000_000)
    assert behind.is_behind
    assert behind.median_ns == -1_380_000_000


@pytest.mark.parametrize(("unit", "scale"), [("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)])
def test_unit_of_stamps(unit: str, scale: int):
    assert time_unit(np.array([1_700_000_000, 1_800_000_000]) * scale) == unit


def test_mixed_units_are_refused():
    with pytest.raises(DataError, match="one unit"):
        time_unit(np.array([1_700_000_000, 1_700_000_000_000]))


def test_bars_keep_the_order_of_the_file():
    trades = pl.DataFrame({"ts": [0, 5, 5, 12], "price": [1.0, 3.0, 2.0, 4.0], "size": [1.0, 1.0, 2.0, 1.0]})
    assert bars_from_trades(trades, 10).rows() == [
        (0, 1.0, 3.0, 1.0, 2.0, 4.0),
        (10, 4.0, 4.0, 4.0, 4.0, 1.0),
    ]
