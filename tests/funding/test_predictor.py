"""Predictors as bundle files: read back they give the same bits, damaged they are refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.bundle import build_bundle, verify_bundle
from models.errors import BundleError
from models.funding.candidates import BASELINES, CANDIDATES, LEARNED, Candidate, Ridge
from models.funding.distribution import LEVELS, NORMAL_QUANTILES
from models.funding.features import FEATURE_NAMES, FEATURE_SPEC_HASH, INDEX, FeatureRow
from models.funding.predictor import (
    FundingPredictor,
    check_golden_rows,
    golden_rows,
)
from models.funding.table import FeatureTable
from models.funding.training import TrainingParams, fit

SHAPES = {h: NORMAL_QUANTILES * (1.0 + h / 1000) for h in (30, 60, 90)}


@pytest.fixture(scope="module")
def predictors(table: FeatureTable) -> dict[str, FundingPredictor]:
    holes = table.take(np.arange(len(table)))
    holes.features[::7, INDEX["long_ratio"]] = np.nan
    return {name: FundingPredictor(fit(name, holes), SHAPES) for name in CANDIDATES}


def _row(table: FeatureTable, position: int) -> FeatureRow:
    return FeatureRow(
        str(table.symbol[position]),
        int(table.settlement_ns[position]),
        int(table.made_at_ns[position]),
        int(table.horizon_min[position]),
        8.0,
        float(table.cap_lower[position]),
        float(table.cap_upper[position]),
        table.features[position],
    )


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_row_alone_is_predicted_as_in_a_batch(
    name: str, table: FeatureTable, predictors: dict[str, FundingPredictor]
) -> None:
    candidate = predictors[name].candidate
    features = table.features[::9].copy()
    features[3, INDEX["long_ratio"]] = np.nan
    lower, upper = table.cap_lower[::9], table.cap_upper[::9]
    batch = candidate.predict(features, lower, upper)
    alone = [
        candidate.predict(features[i : i + 1], lower[i : i + 1], upper[i : i + 1])[0]
        for i in range(len(batch))
    ]
    assert np.isfinite(batch).all()
    assert np.array(alone).tobytes() == batch.tobytes()
    # A table read from a file is column-major.
    assert candidate.predict(np.asfortranarray(features), lower, upper).tobytes() == batch.tobytes()
    assert candidate.predict(features[::2], lower[::2], upper[::2]).tobytes() == batch[::2].tobytes()


@pytest.mark.parametrize("name", LEARNED)
def test_fitting_does_not_depend_on_the_layout_of_the_table(
    name: str, table: FeatureTable, predictors: dict[str, FundingPredictor]
) -> None:
    turned = table.take(np.arange(len(table)))
    turned.features[::7, INDEX["long_ratio"]] = np.nan
    object.__setattr__(turned, "features", np.asfortranarray(turned.features))
    again = fit(name, turned)
    assert again.to_files() == predictors[name].candidate.to_files()


@pytest.mark.parametrize("name", CANDIDATES)
def test_round_trip_gives_the_same_bits(
    name: str, table: FeatureTable, predictors: dict[str, FundingPredictor]
) -> None:
    predictor = predictors[name]
    files = predictor.to_files()
    read = FundingPredictor.from_files(files)
    assert read.to_files() == files
    free = np.full(len(table), np.inf)
    mine = predictor.candidate.predict(table.features, -free, free)
    assert read.candidate.predict(table.features, -free, free).tobytes() == mine.tobytes()
    first, second = predictor.forecast(_row(table, 40)), read.forecast(_row(table, 40))
    assert first.spread.quantiles.tobytes() == second.spread.quantiles.tobytes()
    assert (first.predicted, first.q05, first.q50, first.q95) == (
        second.predicted,
        second.q05,
        second.q50,
        second.q95,
    )


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_forecast_stays_within_the_caps(
    name: str, table: FeatureTable, predictors: dict[str, FundingPredictor]
) -> None:
    position = int(np.argmax(np.abs(table.features[:, INDEX["filtered_rate"]])))
    row = _row(table, position)
    tight = FeatureRow(**{**row.__dict__, "cap_lower": -5e-5, "cap_upper": 4e-5})
    forecast = predictors[name].forecast(tight)
    numbers = [forecast.predicted, forecast.q05, forecast.q50, forecast.q95, *forecast.spread.quantiles]
    assert min(numbers) >= -5e-5
    assert max(numbers) <= 4e-5
    assert forecast.q05 <= forecast.q50 <= forecast.q95


def test_a_forecast_says_what_it_is_of(table: FeatureTable, predictors: dict[str, FundingPredictor]) -> None:
    row = _row(table, 100)
    forecast = predictors["structural_offset"].forecast(row)
    assert (forecast.symbol, forecast.settlement_ns, forecast.made_at_ns, forecast.horizon_min) == (
        row.symbol,
        row.settlement_ns,
        row.made_at_ns,
        row.horizon_min,
    )
    assert forecast.predicted == row["filtered_rate"]
    assert forecast.current == row["rate_last"]
    toward = forecast.probability_above(forecast.current)
    assert forecast.confidence() == (toward if forecast.predicted >= forecast.current else 1.0 - toward)


def test_the_nearest_horizons_errors_are_used(
    table: FeatureTable, predictors: dict[str, FundingPredictor]
) -> None:
    row = _row(table, 100)
    widths = {}
    for horizon in (89, 47, 5):
        forecast = predictors["last_rate"].forecast(FeatureRow(**{**row.__dict__, "horizon_min": horizon}))
        widths[horizon] = forecast.q95 - forecast.q05
    assert widths[89] / widths[5] == pytest.approx(1.09 / 1.03, rel=1e-9)
    assert widths[47] / widths[5] == pytest.approx(1.06 / 1.03, rel=1e-9)


def test_a_row_of_another_width_is_refused(
    table: FeatureTable, predictors: dict[str, FundingPredictor]
) -> None:
    row = FeatureRow(**{**_row(table, 0).__dict__, "values": np.zeros(3)})
    with pytest.raises(BundleError, match=f"should have {len(FEATURE_NAMES)} values, had 3"):
        predictors["ridge"].forecast(row)


@pytest.mark.parametrize("name", ["structural_offset", "ridge", "lightgbm_residual"])
def test_golden_rows_round_trip(
    name: str, table: FeatureTable, predictors: dict[str, FundingPredictor]
) -> None:
    features = table.features.copy()
    features[0, INDEX["cap_distance"]] = np.nan
    golden = golden_rows(predictors[name], features)
    assert len(golden) == 50
    assert golden[0]["features"][INDEX["cap_distance"]] is None
    files = build_bundle(
        predictors[name].to_files(),
        name="hean-funding",
        kind="funding_predictor",
        feature_spec_hash=FEATURE_SPEC_HASH,
        trained_through_ns=1,
        expires_at_ns=2,
        code_version="c",
        data_version="d",
        golden=golden,
    )
    read = verify_bundle(files)
    assert read.golden == golden
    check_golden_rows(FundingPredictor.from_files(files), read.golden)


def test_a_prediction_that_differs_from_its_golden_row_is_refused(
    table: FeatureTable, predictors: dict[str, FundingPredictor]
) -> None:
    golden = golden_rows(predictors["ridge"], table.features)
    golden[7]["expected"]["predicted"] += 1e-9
    with pytest.raises(BundleError, match="golden row 7: prediction should be"):
        check_golden_rows(predictors["ridge"], golden)
    with pytest.raises(BundleError, match="golden row"):
        check_golden_rows(predictors["lightgbm"], golden_rows(predictors["ridge"], table.features))


DAMAGED_GOLDEN: dict[str, Callable[[list[dict[str, Any]]], object]] = {
    "none": lambda golden: [],
    "narrow": lambda golden: [{**golden[0], "features": golden[0]["features"][:-1]}],
    "ragged": lambda golden: [golden[0], {**golden[1], "features": golden[1]["features"][:-1]}],
    "no features": lambda golden: [{"expected": {"predicted": 0.0}}],
    "no expected": lambda golden: [{"features": golden[0]["features"]}],
    "text": lambda golden: [{**golden[0], "features": ["x"] * len(FEATURE_NAMES)}],
    "not rows": lambda golden: [3],
    "missing prediction": lambda golden: [{**golden[0], "expected": {"predicted": None}}],
}


@pytest.mark.parametrize("damage", DAMAGED_GOLDEN)
def test_damaged_golden_rows_are_refused(
    damage: str, table: FeatureTable, predictors: dict[str, FundingPredictor]
) -> None:
    golden = golden_rows(predictors["ridge"], table.features)
    with pytest.raises(BundleError) as raised:
        check_golden_rows(predictors["ridge"], DAMAGED_GOLDEN[damage](copy.deepcopy(golden)))  # type: ignore[arg-type]
    assert raised.value.remedy


def _json(files: dict[str, bytes], name: str, change: Callable[[Any], Any]) -> dict[str, bytes]:
    return {**files, name: json.dumps(change(json.loads(files[name]))).encode()}


def _without(key: str) -> Callable[[Any], Any]:
    return lambda body: {k: v for k, v in body.items() if k != key}


DAMAGE: dict[str, Callable[[dict[str, bytes]], dict[str, bytes]]] = {
    "no candidate": lambda f: {k: v for k, v in f.items() if k != "candidate.json"},
    "no distribution": lambda f: {k: v for k, v in f.items() if k != "distribution.json"},
    "candidate is not JSON": lambda f: {**f, "candidate.json": f["candidate.json"][:50]},
    "candidate is not text": lambda f: {**f, "candidate.json": b"\xff\xfe\x00"},
    "candidate is a list": lambda f: {**f, "candidate.json": b"[]"},
    "candidate has no name": lambda f: _json(f, "candidate.json", _without("name")),
    "unknown candidate": lambda f: _json(f, "candidate.json", lambda b: {**b, "name": "oracle"}),
    "other features": lambda f: _json(f, "candidate.json", lambda b: {**b, "features": b["features"][::-1]}),
    "features are a number": lambda f: _json(f, "candidate.json", lambda b: {**b, "features": 3}),
    "distribution is not JSON": lambda f: {**f, "distribution.json": b"{"},
    "distribution is a list": lambda f: {**f, "distribution.json": b"[]"},
    "shapes are a list": lambda f: _json(f, "distribution.json", lambda b: {**b, "shapes": []}),
    "no shapes": lambda f: _json(f, "distribution.json", lambda b: {**b, "shapes": {}}),
    "horizon is text": lambda f: _json(
        f, "distribution.json", lambda b: {**b, "shapes": {"x": b["shapes"]["30"]}}
    ),
    "short shape": lambda f: _json(f, "distribution.json", lambda b: {**b, "shapes": {"30": [0.0, 1.0]}}),
    "shape not ascending": lambda f: _json(
        f, "distribution.json", lambda b: {**b, "shapes": {"30": b["shapes"]["30"][::-1]}}
    ),
    "shape not finite": lambda f: _json(
        f, "distribution.json", lambda b: {**b, "shapes": {"30": [float("nan")] * len(LEVELS)}}
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", ["ridge", "lightgbm"])
def test_damaged_files_are_refused(damage: str, name: str, predictors: dict[str, FundingPredictor]) -> None:
    with pytest.raises(BundleError) as raised:
        FundingPredictor.from_files(DAMAGE[damage](predictors[name].to_files()))
    assert raised.value.remedy


@pytest.mark.parametrize(
    "change",
    [
        _without("mean"),
        _without("intercept"),
        lambda part: {**part, "scale": part["scale"][:-1]},
        lambda part: {**part, "coefficients": ["x"] * len(FEATURE_NAMES)},
        lambda part: {**part, "coefficients": [float("nan")] * len(FEATURE_NAMES)},
        lambda part: [],
    ],
    ids=["no mean", "no intercept", "short", "text", "not finite", "list"],
)
def test_a_damaged_ridge_is_refused(
    change: Callable[[Any], Any], predictors: dict[str, FundingPredictor]
) -> None:
    files = _json(
        predictors["ridge"].to_files(),
        "candidate.json",
        lambda body: {**body, "ridge": change(body["ridge"])},
    )
    with pytest.raises(BundleError, match=r"ridge of candidate\.json"):
        FundingPredictor.from_files(files)


@pytest.mark.parametrize("keep", [0, 5, 200, 0.5, 0.99])
def test_a_damaged_booster_is_refused_before_the_library_sees_it(
    keep: float, predictors: dict[str, FundingPredictor]
) -> None:
    # LightGBM aborts the process on a truncated tree, so it must never get one.
    files = predictors["lightgbm"].to_files()
    text = files["model.txt"]
    cut = text[: int(keep * len(text)) if 0 < keep < 1 else int(keep)]
    with pytest.raises(BundleError, match=r"model\.txt: SHA-256 should be"):
        FundingPredictor.from_files({**files, "model.txt": cut})


def test_a_learned_candidate_without_its_model_is_refused(
    table: FeatureTable, predictors: dict[str, FundingPredictor]
) -> None:
    files = predictors["lightgbm"].to_files()
    read = FundingPredictor.from_files({k: v for k, v in files.items() if k != "model.txt"})
    with pytest.raises(BundleError, match="no fitted model"):
        read.forecast(_row(table, 0))


def test_baselines_are_features(table: FeatureTable) -> None:
    free = np.full(len(table), np.inf)
    for name, feature in BASELINES.items():
        predicted = Candidate(name).predict(table.features, -free, free)
        assert np.array_equal(predicted, table.features[:, INDEX[feature]]), name


def test_a_missing_feature_stands_at_its_mean() -> None:
    width = len(FEATURE_NAMES)
    ridge = Ridge(np.arange(width, dtype=float), np.full(width, 2.0), np.ones(width), 5.0)
    row = np.arange(width, dtype=float)
    row[3] = np.nan
    row[4] += 2.0
    assert ridge.predict(row[None, :])[0] == pytest.approx(6.0)


def test_a_seed_gives_the_same_booster_and_another_seed_another(
    table: FeatureTable, predictors: dict[str, FundingPredictor]
) -> None:
    holes = table.take(np.arange(len(table)))
    holes.features[::7, INDEX["long_ratio"]] = np.nan
    again = fit("lightgbm", holes).to_files()["model.txt"]
    assert again == predictors["lightgbm"].to_files()["model.txt"]
    assert fit("lightgbm", holes, TrainingParams(seed=8)).to_files()["model.txt"] != again
