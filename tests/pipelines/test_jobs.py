"""A job run from the command line: its progress, its outcome, its failure in words."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from hean_pipelines.jobs import JobFailed, run_selection
from tests.pipelines.training.lake_of_marts import settings_at, small_world, write_marts


def test_steps_are_told_as_they_finish_and_nothing_else_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = settings_at(tmp_path)
    write_marts(settings, small_world(35))
    told: list[tuple[str, int, int]] = []
    chosen = dg.AssetSelection.assets("feat_bybit__settlement_funding", "evidence_funding__premium_study")
    result = run_selection(settings, chosen, on_step=lambda *step: told.append(step))
    assert told == [("feat_bybit__settlement_funding", 1, 2), ("evidence_funding__premium_study", 2, 2)]
    assert result.metadata["feat_bybit__settlement_funding"]["dagster/row_count"] > 0
    assert "STEP_START" not in capfd.readouterr().err
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert run.is_success


def test_a_failed_step_names_itself_and_the_cause(tmp_path: Path) -> None:
    chosen = dg.AssetSelection.assets("feat_bybit__settlement_funding")
    with pytest.raises(JobFailed, match=r"feat_bybit__settlement_funding: .*does not exist yet"):
        run_selection(settings_at(tmp_path), chosen)
