"""Every check passes on good data and fails on bad, with an example of what is wrong."""

import polars as pl
import pytest

from hean_pipelines.defs.market_data.checks import (
    Outcome,
    check_duplicates,
    check_freshness,
    check_funding_caps,
    check_gaps,
    check_order,
    check_values,
    merge,
    rules_for,
)
from hean_pipelines.resources.lake_schemas import DATASETS, MARKET_DATASETS

S = 10**9
T0 = 1_735_689_600 * S


def series(*offsets_s: int, **columns) -> pl.DataFrame:
    return pl.DataFrame({"ts": [T0 + s * S for s in offsets_s], "symbol": ["X"] * len(offsets_s), **columns})


def test_gaps() -> None:
    assert check_gaps(series(0, 300, 600), "ts", 300).passed
    assert check_gaps(series(), "ts", 300).passed
    bad = check_gaps(series(0, 300, 1500, 1800), "ts", 300)
    assert not bad.passed
    assert bad.warn
    assert bad.metadata["missing"] == 3
    assert bad.metadata["examples"][0] == {
        "symbol": "X",
        "after": "2025-01-01T00:05:00.000Z",
        "before": "2025-01-01T00:25:00.000Z",
        "missing": 3,
    }


def test_funding_of_any_interval_up_to_eight_hours_has_no_gap() -> None:
    hours = [0, 8, 16, 17, 18, 20, 24, 32]
    assert check_gaps(series(*(h * 3600 for h in hours)), "ts", 28_800).passed
    assert not check_gaps(series(0, 9 * 3600), "ts", 28_800).passed


def test_duplicates() -> None:
    assert check_duplicates(series(0, 300), ("symbol", "ts")).passed
    bad = check_duplicates(series(0, 300, 300), ("symbol", "ts"))
    assert not bad.passed
    assert "2 rows" in bad.description
    assert not bad.warn


def test_order() -> None:
    assert check_order(series(0, 300, 300), "ts").passed
    bad = check_order(series(0, 600, 300), "ts")
    assert not bad.passed
    assert len(bad.metadata["examples"]) == 1


def bars(**changes) -> pl.DataFrame:
    good = {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 1.0, "turnover": 11.0} | changes
    return series(0, **{name: [value] for name, value in good.items()})


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"low": 0.0}, "low > 0"),
        ({"close": float("nan")}, "close > 0"),
        ({"high": 10.5}, "low <= open, close <= high"),
        ({"low": 10.5}, "low <= open, close <= high"),
        ({"volume": -1.0}, "volume >= 0"),
    ],
)
def test_bars(changes: dict, rule: str) -> None:
    rules = rules_for("raw_bybit__5m_perp_klines", bars().columns)
    assert check_values(bars(), rules).passed
    bad = check_values(bars(**changes), rules)
    assert not bad.passed
    assert bad.metadata["broken"][rule] == 1


def test_premium_bars_may_open_outside_their_range_and_not_be_absurd() -> None:
    columns = {"open": [-0.000587], "high": [-0.000344], "low": [-0.00048], "close": [-0.000344]}
    rules = rules_for("raw_bybit__1m_premium_index_klines", list(columns))
    assert check_values(series(0, **columns), rules).passed
    assert not check_values(series(0, **columns | {"close": [-1.2]}), rules).passed


@pytest.mark.parametrize(
    ("dataset", "good", "bad"),
    [
        ("raw_bybit__settlement_funding", {"funding_rate": -0.04}, {"funding_rate": 0.06}),
        ("raw_bybit__5m_open_interest", {"open_interest": 0.0}, {"open_interest": -1.0}),
        (
            "raw_bybit__1h_account_ratio",
            {"buy_ratio": 0.6, "sell_ratio": 0.4},
            {"buy_ratio": 1.6, "sell_ratio": -0.6},
        ),
        (
            "raw_bybit__snapshot_instruments",
            {
                "tick_size": 0.1,
                "qty_step": 1.0,
                "lower_funding_rate": -0.01,
                "upper_funding_rate": 0.01,
                "funding_interval_min": 60,
            },
            {
                "tick_size": 0.0,
                "qty_step": 1.0,
                "lower_funding_rate": 0.02,
                "upper_funding_rate": 0.01,
                "funding_interval_min": 28_800,
            },
        ),
        (
            "raw_bybit__snapshot_tickers",
            {"last_price": 1.0, "mark_price": 1.0, "index_price": None, "bid1_price": 1.0, "ask1_price": 1.1},
            {"last_price": 1.0, "mark_price": 1.0, "index_price": 1.0, "bid1_price": 1.2, "ask1_price": 1.1},
        ),
    ],
)
def test_values_of_the_other_datasets(dataset: str, good: dict, bad: dict) -> None:
    rules = rules_for(dataset, list(good))
    assert check_values(series(0, **{name: [value] for name, value in good.items()}), rules).passed
    assert not check_values(series(0, **{name: [value] for name, value in bad.items()}), rules).passed


def test_every_market_dataset_has_rules() -> None:
    assert all(rules_for(name, list(DATASETS[name].columns)) for name in MARKET_DATASETS)


CAPS = pl.DataFrame(
    {
        "seen_at": [T0, T0 + 100 * S],
        "symbol": ["X", "X"],
        "upper_funding_rate": [0.001, 0.02],
        "lower_funding_rate": [-0.001, -0.02],
    }
)


def test_caps_are_those_last_seen_before_the_settlement() -> None:
    good = series(-10, 50, 150, funding_rate=[0.04, 0.001, -0.02])
    outcome = check_funding_caps(good, CAPS)
    assert outcome.passed
    assert outcome.metadata["held_against_seen_caps"] == 2
    bad = check_funding_caps(series(-10, 50, 150, funding_rate=[0.06, 0.002, -0.02]), CAPS)
    assert not bad.passed
    assert bad.warn
    assert [row["funding_rate"] for row in bad.metadata["examples"]] == [0.06, 0.002]


def test_caps_unknown_hold_rates_against_the_widest_one() -> None:
    assert check_funding_caps(series(0, funding_rate=[0.05]), CAPS.clear()).passed
    assert not check_funding_caps(series(0, funding_rate=[0.051]), CAPS.clear()).passed


def test_freshness() -> None:
    assert check_freshness(T0, T0 + 100 * S, 100).passed
    late = check_freshness(T0, T0 + 101 * S, 100)
    assert not late.passed
    assert late.warn
    assert late.metadata["age_s"] == 101
    assert not check_freshness(None, T0, 100).passed


def test_merging_fails_if_one_fails_and_adds_up() -> None:
    good = check_gaps(series(0, 300), "ts", 300)
    bad = check_gaps(series(0, 900), "ts", 300)
    both = merge([good, bad])
    assert not both.passed
    assert both.metadata["rows"] == 4
    assert both.metadata["missing"] == 2
    assert "1 gaps" in both.description
    assert merge([good]).passed
    assert merge([]) == Outcome(True, "nothing to check")
