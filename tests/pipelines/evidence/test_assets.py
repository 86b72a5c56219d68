"""The studies as assets: product, pictures, checks that fail for the right reason, and the job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from hean_pipelines.defs.evidence import tape_studies
from hean_pipelines.defs.evidence.tape_studies import JOB, tape_study_definitions
from hean_pipelines.resources.products import Products
from hean_pipelines.settings import load_settings
from hean_pipelines.studies.catalogue import STUDIES
from hean_pipelines.studies.outcome import Balance, Figure, Market, Outcome
from tests.support import shared_path

NAME = "evidence_tape__whale_study"


def materialise(home: Path, recordings: Path | None, hours: float) -> tuple[Any, dg.ExecuteInProcessResult]:
    settings = load_settings(home=home, recordings=recordings)
    definitions = tape_study_definitions(settings)
    asset = next(a for a in definitions.assets or [] if a.key.to_user_string() == NAME)  # type: ignore[union-attr]
    result = dg.materialize([asset], run_config={"ops": {NAME: {"config": {"hours": hours}}}})
    return settings, result


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dg.ExecuteInProcessResult]:
    return materialise(tmp_path_factory.mktemp("home"), None, 1.0)


def test_the_product_holds_truth_and_null_and_names_the_market(synthetic: Any) -> None:
    settings, result = synthetic
    assert result.success
    products = Products(settings.lake_root)
    body = products.read_json(products.study("E5"))
    assert body is not None
    assert {"study", "passed", "verdict", "reason", "market", "rows", "estimate", "n"} <= set(body)
    assert body["market"]["kind"] == "synthetic"
    assert [row["market"]["seed"] for row in body["rows"]] == [1, 1]
    assert {row["verdict"] for row in body["rows"]} == {"passed", "failed"}


def test_metadata_show_verdict_market_and_pictures(synthetic: Any) -> None:
    settings, result = synthetic
    (event,) = result.get_asset_materialization_events()
    metadata = event.materialization.metadata
    assert metadata["verdict"].value in ("passed", "failed")
    assert metadata["market"].value.startswith("synthetic: planted")
    assert metadata["picture"].value.count("data:image/png;base64") == 2
    assert len(list((settings.home / "report" / "studies").glob("e5_*.png"))) == 2


def test_a_failed_study_is_not_a_failed_check(synthetic: Any) -> None:
    _, result = synthetic
    checks = {c.check_name: c.passed for c in result.get_asset_check_evaluations()}
    assert checks == {"figures_are_finite": True, "counts_add_up": True}


def test_recordings_are_read_where_they_are_named(tmp_path: Path) -> None:
    path = shared_path("data/streams/hftbacktest__usdm_ethusdt_20240808.gz")
    settings, result = materialise(tmp_path, path, 0.0)
    assert result.success
    products = Products(settings.lake_root)
    body = products.read_json(products.study("E5"))
    assert body is not None
    assert body["market"]["kind"] == "recorded"
    assert body["market"]["files"] == [path.name]


def test_checks_fail_where_sums_or_figures_do_not_hold() -> None:
    market = Market("synthetic", "m", "X", 1, (), 1.0)
    wrong = Outcome(
        "E5",
        market,
        "passed",
        "r",
        (Figure("f", "bps", float("nan"), 0.0, 1.0, 3, 3.0, 0.0),),
        {},
        (Balance("sample", 3, (1, 1)),),
    )
    found = {c.check_name: c for c in tape_studies._checks(NAME, [wrong])}
    assert not found["figures_are_finite"].passed
    assert not found["counts_add_up"].passed
    assert "3 is not 1 + 1" in str(found["counts_add_up"].metadata)


def test_the_job_runs_every_study_and_nothing_else(tmp_path: Path) -> None:
    definitions = tape_study_definitions(load_settings(home=tmp_path))
    keys = definitions.resolve_job_def(JOB).asset_layer.selected_asset_keys
    assert {key.to_user_string() for key in keys} == {s.asset for s in STUDIES.values()}
