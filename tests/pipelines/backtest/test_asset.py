from __future__ import annotations

import dagster as dg

from hean_pipelines.defs.backtest.strategies import (
    CHECK,
    JOB,
    NAME,
    BacktestConfig,
    backtest_definitions,
    plans_of,
)
from hean_pipelines.settings import load_settings
from tests.pipelines.backtest.recording import record


def materialise(home, **config):
    definitions = backtest_definitions(load_settings(home=home))
    with dg.DagsterInstance.ephemeral() as instance:
        job = definitions.resolve_job_def(JOB)
        run_config = {"ops": {NAME: {"config": config}}}
        return job.execute_in_process(instance=instance, run_config=run_config, raise_on_error=False)


def check_of(done):
    [check] = done.get_asset_check_evaluations()
    assert check.check_name == CHECK
    return check


def test_configured_strategies_leave_figures_pictures_and_reports(tmp_path):
    done = materialise(tmp_path, strategies=["S5"], days=0.01, seed=3)
    assert done.success
    [event] = done.get_asset_materialization_events()
    metadata = {k: v.value for k, v in event.materialization.metadata.items()}
    assert metadata["impact_reversion: report"].endswith("report.html")
    assert "data:image/png" in metadata["impact_reversion: equity"]
    assert metadata["impact_reversion: trades"] >= 0
    assert metadata["impact_reversion: round trips the gates pass"] == 0  # its edge does not pay its fees
    assert len(list((tmp_path / "backtests").iterdir())) == 1
    assert check_of(done).passed


def test_a_tape_without_trades_fails_the_check(tmp_path):
    [tape] = record(tmp_path, duration_s=5.0)
    config = {"strategies": ["S5"], "market": "recorded", "symbol": "BTCUSDT", "days": 0.0}
    done = materialise(tmp_path, **config, tapes=[str(tape)])
    check = check_of(done)
    assert not check.passed
    assert "expected trades of BTCUSDT" in str(check.metadata["failed"].value)


def test_an_unknown_strategy_fails_the_run_before_anything_is_written(tmp_path):
    done = materialise(tmp_path, strategies=["S5", "S55"])
    assert not done.success
    assert not (tmp_path / "backtests").exists()


def test_the_job_is_shown_in_a_group_of_its_own(tmp_path):
    definitions = backtest_definitions(load_settings(home=tmp_path))
    assert definitions.resolve_job_def("run_backtests").name == JOB
    assert definitions.resolve_asset_graph().get(dg.AssetKey(NAME)).group_name == "backtests"


def test_each_market_has_its_own_length_where_nobody_says():
    plans = {plan.entry.name: plan for plan in plans_of(BacktestConfig())}
    assert (plans["impact_reversion"].market, plans["impact_reversion"].days) == ("synthetic", 1.0)
    assert (plans["momentum_trader"].market, plans["momentum_trader"].days) == ("slow", 30.0)
