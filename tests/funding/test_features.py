"""What single features say, on histories where it is known."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import replace

import numpy as np
import pytest

from models.funding import features, premium_path, structural
from models.funding.features import FEATURE_NAMES, FEATURE_SPEC_HASH, INDEX, FeatureRow, FundingContext
from models.funding.formula import DAMPENER, funding_rate, interest
from models.funding.inputs import (
    HOUR_NS,
    MINUTE_NS,
    SOURCE_PREMIUM_INDEX,
    FundingInputs,
    intervals_h,
)
from models.funding.structural import OFFSET_PARAMS
from models.funding.table import build_table
from tests.funding.make_inputs import CAP, DAY_NS, START_NS, make_inputs, since


def _exact(days: float = 60.0) -> FundingInputs:
    return make_inputs(
        seed=11, schedule=((days, 8),), bar_min=1, source=SOURCE_PREMIUM_INDEX, offset=0.0, noise=0.0
    )


def _row(inputs: FundingInputs, position: int, horizon_min: int) -> FeatureRow:
    settlement = int(inputs.settlement_ts[position])
    row = FundingContext(inputs).row(settlement, settlement - horizon_min * MINUTE_NS, 8.0)
    assert row is not None
    return row


def test_with_the_exact_index_the_forecast_becomes_the_formula() -> None:
    inputs = _exact()
    context = FundingContext(inputs)
    errors: dict[int, list[float]] = {90: [], 10: [], 1: []}
    for position in range(60, len(inputs.rate)):
        settlement = int(inputs.settlement_ts[position])
        for horizon, found in errors.items():
            row = context.row(settlement, settlement - horizon * MINUTE_NS, 8.0)
            assert row is not None
            found.append(abs(row["filtered_rate"] - float(inputs.rate[position])))
            if horizon == 1:
                assert row["structural_rate"] == pytest.approx(inputs.rate[position], abs=2e-6)
    assert max(errors[1]) < 3e-6
    assert np.mean(errors[1]) < np.mean(errors[10]) < np.mean(errors[90])
    # The offset of an exact index is none.
    assert (
        abs(context.row(int(inputs.settlement_ts[-1]), int(inputs.settlement_ts[-1]) - 1, 8.0)["offset"])
        < 1e-6
    )  # type: ignore[index]


def test_the_offset_of_a_proxy_is_found() -> None:
    inputs = make_inputs(seed=12, schedule=((60.0, 8),), offset=9e-5)
    row = _row(inputs, -1, 90)
    assert row["offset"] == pytest.approx(9e-5, abs=2.5e-5)
    context = FundingContext(inputs)
    rows = [context.row(int(ts), int(ts) - 10 * MINUTE_NS, 8.0) for ts in inputs.settlement_ts[60:]]
    with_offset, without = (
        np.array([row[name] for row in rows if row is not None]) - inputs.rate[60:]
        for name in ("filtered_rate", "structural_rate")
    )
    assert abs(with_offset.mean()) < 0.3 * abs(without.mean())
    assert (with_offset**2).mean() < 0.8 * (without**2).mean()


def test_before_any_readable_settlement_each_source_has_its_own_prior() -> None:
    # The first settlement has no interval, so nothing can be learned from it.
    inputs = _exact(2.0)
    settlement = int(inputs.settlement_ts[1])
    at = settlement - 90 * MINUTE_NS
    row = FundingContext(inputs).row(settlement, at, 8.0)
    assert row is not None
    params = OFFSET_PARAMS[SOURCE_PREMIUM_INDEX]
    tail = params.tail_sd + params.tail_spread * (1.0 - row["weight_fixed"]) * row["premium_sd_60m"]
    expected = math.sqrt(params.prior_sd**2 + params.fast_sd**2 + params.observation_sd**2 + tail**2)
    assert row["latent_sd"] == pytest.approx(expected, rel=1e-9)


def test_rate_features() -> None:
    inputs = _exact(20.0)
    position = 45
    row = _row(inputs, position, 60)
    past = inputs.rate[:position]
    weights = 0.7 ** np.arange(24)[::-1]
    assert row["rate_last"] == past[-1]
    assert row["rate_ewma"] == pytest.approx(float(weights @ past[-24:] / weights.sum()), rel=1e-12)
    assert row["rate_trend"] == pytest.approx(past[-3:].mean() - past[-6:-3].mean(), rel=1e-9, abs=1e-18)
    assert row["rate_volatility_24h"] == pytest.approx(past[-3:].std(), rel=1e-12)
    run = 1
    while np.sign(past[-run - 1]) == np.sign(past[-1]) and run < 24:
        run += 1
    assert row["same_sign_run"] == run * np.sign(past[-1])


def test_slow_features_and_caps() -> None:
    inputs = _exact(25.0)
    settlement = int(inputs.settlement_ts[-1])
    at = settlement - 90 * MINUTE_NS
    row = _row(inputs, -1, 90)

    def known(clock: np.ndarray, column: np.ndarray, instant: int) -> float:
        return float(column[clock <= instant][-1])

    interests = inputs.oi_available_at, inputs.open_interest
    for minutes in (5, 15):
        change = math.log(known(*interests, at) / known(*interests, at - minutes * MINUTE_NS))
        assert row[f"oi_change_{minutes}m"] == pytest.approx(change, rel=1e-12)
    assert row["long_ratio"] == known(inputs.ratio_available_at, inputs.long_ratio, at)
    other = known(inputs.cross_available_at, inputs.cross_rate_per_hour, at)
    assert row["cross_basis"] == pytest.approx(row["rate_last"] - 8.0 * other, rel=1e-12)
    assert (row.cap_lower, row.cap_upper) == (-2 * CAP, 2 * CAP)
    implied = float(funding_rate(row["premium_so_far"], 8.0))
    assert row["implied_rate_now"] == pytest.approx(implied, rel=1e-12)
    assert row["cap_distance"] == pytest.approx((2 * CAP - abs(implied)) / (2 * CAP), rel=1e-12)
    assert row["weight_fixed"] == pytest.approx(391 / 592, rel=1e-12)
    assert row["band_edge_distance"] == pytest.approx(
        abs(row["latent_mean"] - interest(8.0)) - DAMPENER, rel=1e-9
    )
    assert (row["horizon_min"], row["interval_h"]) == (90.0, 8.0)


def test_what_a_venue_lacks_is_missing_not_zero() -> None:
    whole = _exact(10.0)
    bare = FundingInputs(
        "AAAUSDT",
        **{
            n: getattr(whole, n)
            for n in (
                "settlement_ts",
                "rate",
                "premium_available_at",
                "premium_ts",
                "premium_bar_s",
                "premium",
                "premium_source",
            )
        },
    )
    row = _row(bare, -1, 90)
    missing = {name for name in FEATURE_NAMES if math.isnan(row[name])}
    assert missing == {"oi_change_5m", "oi_change_15m", "long_ratio", "cross_basis", "cap_distance"}
    assert (row.cap_lower, row.cap_upper) == (-math.inf, math.inf)


def test_stale_open_interest_is_missing() -> None:
    inputs = _exact(10.0)
    at = int(inputs.settlement_ts[-1]) - 90 * MINUTE_NS
    old = inputs.oi_available_at <= at - 11 * MINUTE_NS
    row = _row(
        replace(inputs, oi_available_at=inputs.oi_available_at[old], open_interest=inputs.open_interest[old]),
        -1,
        90,
    )
    assert math.isnan(row["oi_change_5m"])


def test_too_little_premium_gives_no_row() -> None:
    inputs = _exact(10.0)
    settlement = int(inputs.settlement_ts[-1])
    at = settlement - 90 * MINUTE_NS
    interval = (inputs.premium_ts >= settlement - 8 * HOUR_NS) & (inputs.premium_ts < at)
    for share, expected in ((0.75, False), (0.85, True)):
        rng = np.random.default_rng(1)
        dropped = np.flatnonzero(interval)
        dropped = dropped[rng.permutation(len(dropped))[: round((1 - share) * len(dropped))]]
        keep = np.ones(len(inputs.premium), dtype=bool)
        keep[dropped] = False
        names = ("premium_available_at", "premium_ts", "premium_bar_s", "premium", "premium_source")
        row = FundingContext(replace(inputs, **{n: getattr(inputs, n)[keep] for n in names})).row(
            settlement, at, 8.0
        )
        assert (row is not None) == expected


def test_without_a_settlement_there_is_no_row() -> None:
    inputs = _exact(2.0)
    first = int(inputs.settlement_ts[0])
    assert FundingContext(inputs).row(first, first - 90 * MINUTE_NS, 8.0) is None


def test_intervals_come_from_consecutive_settlements() -> None:
    ts = START_NS + np.array([0, 8, 16, 20, 21, 23, 40, 48], dtype=np.int64) * HOUR_NS
    assert np.array_equal(intervals_h(ts), [np.nan, 8, 8, 4, 1, 2, np.nan, 8], equal_nan=True)
    assert intervals_h(ts[:0]).size == 0


def test_a_table_skips_the_settlement_after_a_hole() -> None:
    inputs = _exact(20.0)
    hole = np.ones(len(inputs.rate), dtype=bool)
    hole[30:32] = False
    told: list[tuple[str, int]] = []
    table = build_table(
        [replace(inputs, settlement_ts=inputs.settlement_ts[hole], rate=inputs.rate[hole])],
        on_symbol=lambda symbol, rows: told.append((symbol, rows)),
    )
    expected = [int(ts) for i, ts in enumerate(inputs.settlement_ts) if i not in (0, 30, 31, 32)]
    assert sorted(set(table.settlement_ns.tolist())) == expected
    assert told == [("AAAUSDT", len(table))]
    assert len(table) == 3 * len(expected)
    assert (np.diff(table.made_at_ns) >= 0).all()
    assert np.array_equal(table.settlement_ns - table.made_at_ns, table.horizon_min * MINUTE_NS)


def test_an_empty_history_gives_an_empty_table() -> None:
    table = build_table(
        [FundingInputs("AAAUSDT"), since(_exact(2.0), {"settlement_ts": START_NS + 99 * DAY_NS})]
    )
    assert len(table) == 0
    assert table.features.shape == (0, len(FEATURE_NAMES))


def test_names_are_unique_and_indexed() -> None:
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES) == len(INDEX)
    assert FEATURE_NAMES[INDEX["filtered_rate"]] == "filtered_rate"


def _reloaded_hash() -> str:
    spec = importlib.util.spec_from_file_location("features_again", features.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, "features_again", module)
        spec.loader.exec_module(module)
    return str(module.FEATURE_SPEC_HASH)


def test_the_spec_hash_follows_everything_the_numbers_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _reloaded_hash() == FEATURE_SPEC_HASH
    path = premium_path.PATH_PARAMS
    monkeypatch.setattr(premium_path, "PATH_PARAMS", {**path, 1: replace(path[1], tail_min=41.0)})
    assert _reloaded_hash() != FEATURE_SPEC_HASH
    monkeypatch.setattr(premium_path, "PATH_PARAMS", path)
    offsets = structural.OFFSET_PARAMS
    monkeypatch.setattr(structural, "OFFSET_PARAMS", {**offsets, 1: replace(offsets[1], drift_sd=9e-7)})
    assert _reloaded_hash() != FEATURE_SPEC_HASH
