"""Facts from files: a real backtest read back, its trials counted, evidence by market."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hean_pipelines.backtest.document import document_of
from hean_pipelines.backtest.plan import make_plan
from hean_pipelines.backtest.run import run_backtest
from hean_pipelines.backtest.save import save_backtest
from hean_pipelines.defs.learning.inputs import read_trades
from hean_pipelines.defs.promotion.facts import (
    backtest_of,
    check_synthetic,
    evidence_of,
    facts_of,
    parameters_in_force,
    trials,
)
from hean_pipelines.resources.products import Products
from hean_pipelines.studies.catalogue import FIRST_STEPS, STUDIES
from models.errors import ConfigError
from models.learning.promotion import promote
from models.learning.roster import REQUIREMENTS, STRATEGIES
from tests.pipelines.learning.marts import LOCAL, settings_of, write_marts

NAME = "impact_reversion"


@pytest.fixture(scope="module")
def backtests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backtests")
    plan = make_plan(NAME, days=0.5, scenario="whales", capacity=(1.0,))
    save_backtest(document_of(run_backtest(plan)), folder / plan.folder(), 1.0)
    return folder


def test_a_real_backtest_with_the_parameters_in_force_counts(backtests: Path) -> None:
    found = backtest_of(NAME, trials(backtests)[NAME], parameters_in_force(NAME))
    assert found is not None
    assert (found.market, found.trials) == ("synthetic", 1)
    assert found.days == pytest.approx(0.5, abs=1e-3)
    assert found.trades > 0
    assert 0.0 <= found.deflated <= 1.0


def test_other_parameters_are_trials_and_lower_the_ratio(backtests: Path, tmp_path: Path) -> None:
    [original] = backtests.glob("*/result.json")
    document = json.loads(original.read_text())
    for number in range(5):
        own = json.loads(original.read_text())
        own["plan"]["parameters"]["_tried"] = number
        (tmp_path / f"trial{number}").mkdir()
        (tmp_path / f"trial{number}" / "result.json").write_text(json.dumps(own))
    tried = trials(tmp_path)[NAME]
    assert backtest_of(NAME, tried, parameters_in_force(NAME)) is None  # none with what is in force
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "result.json").write_text(json.dumps(document))
    alone = backtest_of(NAME, trials(backtests)[NAME], parameters_in_force(NAME))
    found = backtest_of(NAME, trials(tmp_path)[NAME], parameters_in_force(NAME))
    assert alone is not None
    assert found is not None
    assert found.trials == 6
    assert found.deflated < alone.deflated


def test_files_that_are_no_backtests_are_passed_over(tmp_path: Path) -> None:
    for number, text in enumerate(("", "{}", '{"plan": 1}')):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "result.json").write_text(text)
    assert trials(tmp_path) == {}
    assert trials(tmp_path / "absent") == {}


def test_evidence_names_its_market(tmp_path: Path) -> None:
    products = Products(settings_of(tmp_path).lake_root)
    assert evidence_of(products, "E1", "https://api.bybit.com") is None
    products.write_json(products.study("E1"), {"study": "E1", "verdict": "passed"})
    made = evidence_of(products, "E1", "https://api.bybit.com")
    assert made is not None
    assert made.market == "recorded"
    local = evidence_of(products, "E1", LOCAL)
    assert local is not None
    assert local.market == "synthetic"  # the lake holds what the local testnet made up


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_must_take_its_first_step_and_every_study_named_is_made_by_something(
    strategy: str,
) -> None:
    studies = REQUIREMENTS[strategy].studies
    assert studies[-1] == FIRST_STEPS[strategy].name
    assert len(set(studies)) == len(studies)
    made = {"E1", *STUDIES, *(study.name for study in FIRST_STEPS.values())}
    assert set(studies) <= made


def first_step_words(home: Path, verdict: str | None, kind: str = "recorded") -> list[tuple[str, str]]:
    """Say what promotion holds against momentum_trader's evidence once its first step has left this behind."""
    products = write_marts(settings_of(home))
    if verdict is not None:
        body = {"study": "S9", "verdict": verdict, "reason": "why", "market": {"kind": kind}}
        products.write_json(products.study("S9"), body)
    url = "https://api.bybit.com"
    all_facts = facts_of(products, read_trades(products), None, 0, {}, set(), home / "none", url)
    _, reasons = promote(next(facts for facts in all_facts if facts.strategy == "momentum_trader"))
    return [(reason.word, reason.text) for reason in reasons if "EVIDENCE" in reason.word]


def test_a_first_step_blocks_until_it_has_passed_on_a_recorded_market(tmp_path: Path) -> None:
    assert first_step_words(tmp_path, None) == [("NO_EVIDENCE", "study S9 has not been made")]
    assert first_step_words(tmp_path, "failed") == [("EVIDENCE_FAILED", "study S9: failed. why")]
    assert first_step_words(tmp_path, "not enough data") == [
        ("EVIDENCE_OPEN", "study S9: not enough data. why")
    ]
    [(word, _)] = first_step_words(tmp_path, "passed", "synthetic")
    assert word == "EVIDENCE_SYNTHETIC"
    assert first_step_words(tmp_path, "passed") == []


def test_the_switch_is_for_this_machine() -> None:
    assert check_synthetic(True, "http://localhost:8000")
    assert not check_synthetic(False, "https://api.bybit.com")
    for url in ("https://api.bybit.com", "https://api-testnet.bybit.com", "http://127.0.0.1.example.org"):
        with pytest.raises(ConfigError, match="local testnet only"):
            check_synthetic(True, url)
    assert parameters_in_force("nobody") is None
