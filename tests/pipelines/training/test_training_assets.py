"""The training, evidence, promotion and learning assets over real files and a real MLflow store."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pytest

from hean_pipelines.defs.evidence.premium_study import premium_study_definitions
from hean_pipelines.defs.features import checks
from hean_pipelines.defs.features.assets import feature_definitions
from hean_pipelines.defs.features.load import load_inputs, load_table
from hean_pipelines.defs.promotion.champion import champion_definitions, decide
from hean_pipelines.defs.training.forecasts import forecast_definitions, load_predictions
from hean_pipelines.defs.training.predictor import challenger_checks, predictor_definitions
from hean_pipelines.resources.products import Products
from hean_pipelines.resources.registry import Registry
from hean_pipelines.settings import PipelineSettings
from models.bundle import verify_bundle
from models.errors import DataError
from models.funding.evaluation import Score
from models.funding.predictor import FundingPredictor, check_golden_rows
from tests.pipelines.training.lake_of_marts import settings_at, small_world, write_marts


def definitions(settings: PipelineSettings) -> dg.Definitions:
    registry = Registry.from_settings(settings)
    return dg.Definitions.merge(
        feature_definitions(settings),
        forecast_definitions(settings),
        premium_study_definitions(settings),
        predictor_definitions(settings, registry),
        champion_definitions(settings, registry),
    )


def retrain(settings: PipelineSettings, *, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
    return dg.materialize(list(definitions(settings).assets or []), raise_on_error=raise_on_error)


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[PipelineSettings, dg.ExecuteInProcessResult]:
    settings = settings_at(tmp_path_factory.mktemp("home"))
    write_marts(settings, small_world(45))
    return settings, retrain(settings)


def test_the_whole_job_promotes_a_first_champion(
    trained: tuple[PipelineSettings, dg.ExecuteInProcessResult],
) -> None:
    settings, result = trained
    assert result.success
    registry, products = Registry.from_settings(settings), Products(settings.lake_root)
    version = registry.alias_version("hean-funding", "champion")
    assert version == registry.alias_version("hean-funding", "challenger") == 1
    champion = products.read_json(products.champion)
    assert champion is not None
    assert champion["version"] == version
    assert champion["promotion"]["moved"]


def test_the_registered_bundle_is_what_an_executor_can_verify(
    trained: tuple[PipelineSettings, dg.ExecuteInProcessResult],
) -> None:
    settings, _ = trained
    files = Registry.from_settings(settings).download_bundle("hean-funding", 1)
    manifest = verify_bundle(files)
    check_golden_rows(FundingPredictor.from_files(files), manifest.golden)
    assert 10 <= len(manifest.golden) <= 50
    assert manifest.trained_through_ns == int(load_table(Products(settings.lake_root)).settlement_ns.max())
    assert manifest.expires_at_ns > manifest.trained_through_ns
    assert set(manifest.evidence["E1"]) >= {"passed", "r2", "verdict"}


def test_every_candidate_has_a_run_with_metrics_by_horizon(
    trained: tuple[PipelineSettings, dg.ExecuteInProcessResult],
) -> None:
    settings, result = trained
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=settings.tracking_uri)
    experiment = client.get_experiment_by_name("hean-funding")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) >= {"last_rate", "structural_offset", "ridge", "lightgbm_residual"}
    best = runs["structural_offset"].data
    assert {"r2_90", "r2_60", "r2_30", "mae_bps_90", "r2_90_AAAUSDT"} <= set(best.metrics)
    assert best.tags["dagster_run_id"] == result.run_id
    assert best.tags["data_version"]
    assert best.tags["code_version"]


def test_out_of_sample_file_reads_back_as_predictions(
    trained: tuple[PipelineSettings, dg.ExecuteInProcessResult],
) -> None:
    settings, _ = trained
    products = Products(settings.lake_root)
    table = load_table(products)
    many = load_predictions(products, table)
    frame = pl.read_parquet(products.out_of_sample)
    assert sum(len(p.rows) for p in many.values()) == frame.height
    own = many["structural_offset"]
    stored = frame.filter(pl.col("model") == "structural_offset").sort("row")
    np.testing.assert_array_equal(table.realised[own.rows], stored.get_column("realised").to_numpy())
    assert (frame.get_column("made_at") < frame.get_column("settlement_ts")).all()


def test_predictions_of_another_table_are_refused(
    trained: tuple[PipelineSettings, dg.ExecuteInProcessResult],
) -> None:
    settings, _ = trained
    products = Products(settings.lake_root)
    table = load_table(products)
    with pytest.raises(DataError, match="another feature table"):
        load_predictions(products, table.take(np.arange(1, len(table))))


def test_feature_checks_pass_on_honest_rows_and_fail_on_tampered_ones(
    trained: tuple[PipelineSettings, dg.ExecuteInProcessResult],
) -> None:
    settings, _ = trained
    products = Products(settings.lake_root)
    table = load_table(products)
    inputs = {i.symbol: i for i in load_inputs(products)}
    assert checks.causal(table, inputs).passed
    assert checks.finite_where_required(table).passed
    peeking = table.features.copy()
    peeking[:, 0] += 1e-9  # as if the last rate had been taken from after the row's instant
    tampered = table.take(np.arange(len(table)))
    tampered.features[:] = peeking
    seen = checks.causal(tampered, inputs)
    assert not seen.passed
    assert "rate_last" in str(seen.seen["differing"])
    tampered.features[3, :] = np.nan
    assert not checks.finite_where_required(tampered).passed


def test_a_second_retrain_on_the_same_data_renews_the_champion(
    trained: tuple[PipelineSettings, dg.ExecuteInProcessResult], tmp_path: Path
) -> None:
    settings = settings_at(tmp_path)
    write_marts(settings, small_world(35))
    retrain(settings)
    write_marts(settings, small_world(45))
    result = retrain(settings)
    products = Products(settings.lake_root)
    champion = products.read_json(products.champion)
    assert result.success
    assert champion is not None
    assert champion["promotion"]["reason"]
    versions = [v.version for v in Registry.from_settings(settings).versions("hean-funding")]
    assert versions == [1, 2]


def test_a_challenger_that_fails_its_checks_leaves_the_alias_alone(
    trained: tuple[PipelineSettings, dg.ExecuteInProcessResult],
) -> None:
    settings, _ = trained
    registry, products = Registry.from_settings(settings), Products(settings.lake_root)
    challenger = products.read_json(products.challenger)
    assert challenger is not None
    challenger["checks"]["interval_is_honest"] = False
    decision = decide(registry, products, challenger, 0.05)
    assert not decision.promote
    assert "interval_is_honest" in decision.reason


def score_of(model: str, r2: float, coverage: float) -> Score:
    return Score(model, "ALL", 90, 100, r2, 1e-5, 0.7, 1e-5, coverage)


@pytest.mark.parametrize(
    ("r2", "unbeaten", "coverage", "failed"),
    [
        (0.5, [], 0.9, set()),
        (-0.1, [], 0.9, {"explains_something"}),
        (0.5, ["last_rate"], 0.9, {"beats_naive_baselines"}),
        (0.5, [], 0.5, {"interval_is_honest"}),
    ],
)
def test_challenger_checks_by_outcome(
    r2: float, unbeaten: list[str], coverage: float, failed: set[str]
) -> None:
    outcome = challenger_checks([score_of("ridge", r2, coverage)], "ridge", unbeaten, (0.75, 0.99))
    assert {name for name, passed in outcome.items() if not passed} == failed


def test_missing_marts_name_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_inputs(Products(tmp_path))
    assert "warehouse rebuild" in caught.value.remedy
