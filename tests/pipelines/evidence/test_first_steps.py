"""First steps of strategies: a question for each, signals and funding as bank and outlooks have them, command and asset."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from hean_live.cli import main
from hean_pipelines.defs.evidence.tape_studies import FIRST_STEPS_JOB, tape_study_definitions
from hean_pipelines.resources.products import Products
from hean_pipelines.settings import load_settings
from hean_pipelines.studies import first_step
from hean_pipelines.studies.bank_signals import _paid, follow
from hean_pipelines.studies.catalogue import FIRST_STEPS, studies_named
from hean_pipelines.studies.first_step import judge_signals, run
from hean_pipelines.studies.outcome import Outcome
from hean_pipelines.studies.planted import NULL, TRUTH
from hean_pipelines.studies.questions import CARRY, EQUAL_MOVES, QUESTIONS, Question
from hean_pipelines.studies.session import recorded_tapes
from models.errors import ConfigError
from models.evidence.signal_worth import Course, Signals
from models.evidence.verdict import NOT_ENOUGH_DATA, PASSED
from models.portfolio.roster import STRATEGIES
from models.simulation.slow_market.generator import stream_labelled_market
from models.simulation.slow_market.scenarios import PLANTED_FOR, SCENARIOS
from models.strategies.catalogue import CATALOGUE
from tests.support import shared_path

STUDY = [EntryPoint("study", "hean_pipelines.commands.study:add_parser", "hean.commands")]
SECOND_NS = 1_000_000_000


@pytest.fixture(scope="module")
def whales() -> Outcome:
    study = FIRST_STEPS["impact_reversion"]
    return study.run(study.planted(TRUTH, 1, 10.0), None)


def test_every_strategy_has_a_question_and_the_catalogues_id() -> None:
    assert tuple(QUESTIONS) == STRATEGIES
    for name, study in FIRST_STEPS.items():
        assert study.name == CATALOGUE[name].system
        assert study.words(TRUTH).startswith(f"slow market `{PLANTED_FOR[name]}`")
        assert study.words(NULL).startswith("slow market `null`")


@pytest.mark.parametrize("name", STRATEGIES)
def test_questions_can_be_asked(name: str) -> None:
    question = QUESTIONS[name]
    assert (question.step_s / question.tick_s).is_integer()
    assert (question.horizon_s / question.step_s).is_integer()
    assert (question.control == EQUAL_MOVES) == (question.back_s > 0.0)
    assert (question.back_s / question.step_s).is_integer()
    assert question.fills or not question.at_fill_price
    # Ten stretches of five signals and two horizons each have to fit.
    assert 3600.0 * question.hours >= 50.0 * question.horizon_s


def test_studies_are_found_by_either_name() -> None:
    assert studies_named("strategy:s9") == studies_named("strategy:Momentum_Trader")
    assert len(studies_named("strategy:all")) == 19
    with pytest.raises(ConfigError, match="expected one of funding_pressure"):
        studies_named("strategy:s20")


def test_planted_whales_are_found_and_every_signal_is_accounted_for(whales: Outcome) -> None:
    assert (whales.study, whales.verdict) == ("S5", PASSED)
    assert whales.unknown_ingredients() == []
    assert all(balance.holds for balance in whales.balances)
    first = whales.figures[0]
    assert first.threshold == 1.0
    assert first.n == whales.counts["measured"] > 50
    assert whales.details["path"][-1]["s"] == 7.5
    assert 0.0 < whales.details["least_found_bps"] < first.estimate
    assert first_step.draw(whales).startswith(b"\x89PNG")


def test_what_is_found_has_the_size_of_what_was_planted(whales: Outcome) -> None:
    scenario = SCENARIOS["whales"]()
    # Half a second later the half-life has taken its part; larger whales move the price by the root of their size.
    kept = 0.5 ** (0.5 / scenario.whale_half_life_s)
    assert scenario.whale_transient_bps * kept * 0.5 < whales.figures[0].estimate
    assert whales.figures[0].estimate < scenario.whale_transient_bps * 6.0**0.5


def test_too_short_a_null_is_not_enough() -> None:
    study = FIRST_STEPS["impact_reversion"]
    outcome = study.run(study.planted(NULL, 1, 2.0), None)
    assert outcome.verdict == NOT_ENOUGH_DATA
    assert "50 are needed" in outcome.reason
    assert first_step.draw(outcome).startswith(b"\x89PNG")


def test_signals_are_the_strategys_own_and_on_the_side_against_the_whale() -> None:
    study = FIRST_STEPS["impact_reversion"]
    found = follow(study.planted(TRUTH, 3, 4.0), "impact_reversion", SECOND_NS // 4, SECOND_NS // 4, False)
    events = [
        stretch.episodes
        for stretch in stream_labelled_market(SCENARIOS["whales"](), "BTCUSDT", 3, 4.0 / 24.0)
    ]
    whale_ns = np.concatenate([rows["start_ns"] for rows in events])
    whale_side = np.concatenate([rows["side"] for rows in events])
    at_ns = found.course.start_ns + found.course.step_ns * found.signals.row
    place = np.searchsorted(whale_ns, at_ns) - 1
    near = (place >= 0) & (at_ns - whale_ns[np.maximum(place, 0)] < 3 * SECOND_NS)
    assert near.mean() > 0.8
    assert (found.signals.side[near] == -whale_side[place[near]]).mean() > 0.95


def test_makers_signals_are_fills_at_their_price() -> None:
    study = FIRST_STEPS["inventory_neutral_mm"]
    found = follow(study.planted(TRUTH, 1, 2.0), "inventory_neutral_mm", SECOND_NS, SECOND_NS, True)
    assert len(found.signals.row) > 50
    mid = found.course.mid[found.signals.row]
    away = found.signals.side * (mid - found.signals.price) / mid
    assert np.isfinite(found.signals.price).all()
    assert 0.0 < np.median(away) < 10e-4


def test_funding_is_what_was_settled_and_only_from_then_on() -> None:
    grid = np.arange(0, 50, 10)
    settlement = np.array([15, 15, 35, 35, 55])
    rate = np.array([0.5, 0.5, 0.001, 0.002, -0.004])
    # At 15 the row after it says what was settled; at 35 the row after that.
    whole = np.ones(5)
    assert _paid(settlement, rate, whole, grid, settled=True) == pytest.approx(
        [0.0, 0.0, -0.001, -0.001, 0.003]
    )
    # Of another venue the last rate seen before is taken, an hourly one for the hours it covers.
    hours = np.array([8.0, 8.0, 4.0, 4.0, 1.0])
    assert _paid(settlement, rate, hours, grid, settled=False) == pytest.approx(
        [0.0, 0.0, -4.0, -4.0, -4.008]
    )
    assert _paid(settlement, rate, hours, grid, settled=True) == pytest.approx(
        [0.0, 0.0, -0.008, -0.008, 0.008]
    )


def test_a_carry_is_price_and_funding() -> None:
    n = 4000
    walk = 100.0 * np.exp(np.cumsum(np.random.default_rng(1).normal(0.0, 1e-5, n)))
    paid = -0.001 * (np.arange(n) // 40)
    nothing = np.zeros(n)
    course = Course(0, SECOND_NS, walk, paid, nothing, nothing)
    row = np.arange(30, n - 50, 40)
    signals = Signals(row, np.full(len(row), -1.0), np.zeros(len(row)), np.full(len(row), np.nan))
    question = Question("", 20.0, "costs", 1.0, worth=CARRY, cost_bps=4.0)
    judged = judge_signals(question, course, signals)
    by_name = {figure.name: figure.estimate for figure in judged.figures}
    assert by_name["of it funding"] == pytest.approx(10.0)
    assert by_name["worth of a signal"] == pytest.approx(by_name["of it price"] + 10.0)
    assert by_name["beyond costs"] == pytest.approx(by_name["worth of a signal"] - 4.0)
    assert judged.step.verdict == PASSED


def test_a_recording_says_what_it_lacks_or_how_few_signals_it_holds() -> None:
    tapes, _ = recorded_tapes([shared_path("data/streams/hftbacktest__usdm_ethusdt_20240808.gz")])
    basis = run("basis_arbitrage", tapes[0])
    assert (basis.verdict, basis.market.kind) == (NOT_ENOUGH_DATA, "recorded")
    assert basis.reason == "a recording of one market's messages holds no spot"
    assert first_step.draw(basis).startswith(b"\x89PNG")
    whale = run("impact_reversion", tapes[0])
    assert all(balance.holds for balance in whale.balances)
    assert whale.counts["events"] > 100_000


def test_the_command_runs_a_first_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["study", "strategy:S5", "--market", "slow", "--days", "0.1", "--home", str(tmp_path), "--json"]
    assert main(command, STUDY) == 0
    truth, null = json.loads(capsys.readouterr().out)
    assert (truth["study"], null["verdict"]) == ("S5", NOT_ENOUGH_DATA)
    folder = tmp_path / "report" / "studies"
    assert json.loads((folder / "s5_synthetic.json").read_text())["study"] == "S5"
    assert len(list(folder.glob("s5_*.png"))) == 2


def test_seeds_of_a_first_step_print_how_often_it_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["study", "strategy:S5", "--seeds", "2", "--days", "0.4", "--home", str(tmp_path), "--json"]
    assert main(command, STUDY) == 0
    null, truth = json.loads(capsys.readouterr().out)
    assert (null["market"], truth["market"], truth["seeds"]) == ("null", "truth", 2)
    assert truth["passed"] + truth["failed"] + truth["not_enough"] == 2
    assert null["passed"] == 0
    assert (tmp_path / "report" / "studies" / "s5_power.json").is_file()


def test_the_slow_market_is_for_strategies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "E5", "--market", "slow", "--home", str(tmp_path)], STUDY) == 2
    assert "--market slow is for strategies" in capsys.readouterr().err


def test_the_list_names_every_first_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "--list"], STUDY) == 0
    shown = capsys.readouterr().out
    assert all(f"strategy:{name} ({CATALOGUE[name].system})" in shown for name in STRATEGIES)


def test_the_asset_leaves_product_and_picture(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    definitions = tape_study_definitions(settings)
    name = "evidence_strategy__impact_reversion"
    asset = next(a for a in definitions.assets or [] if a.key.to_user_string() == name)  # type: ignore[union-attr]
    result = dg.materialize([asset], run_config={"ops": {name: {"config": {"hours": 3.0}}}})
    assert result.success
    products = Products(settings.lake_root)
    body = products.read_json(products.study("S5"))
    assert body is not None
    assert body["rows"][0]["details"]["strategy"] == "impact_reversion"
    (event,) = result.get_asset_materialization_events()
    assert event.materialization.metadata["picture"].value.count("data:image/png;base64") == 2
    checks = {c.check_name: c.passed for c in result.get_asset_check_evaluations()}
    assert checks == {"figures_are_finite": True, "counts_add_up": True}


def test_the_job_runs_every_first_step(tmp_path: Path) -> None:
    definitions = tape_study_definitions(load_settings(home=tmp_path))
    keys = definitions.resolve_job_def(FIRST_STEPS_JOB).asset_layer.selected_asset_keys
    assert {key.to_user_string() for key in keys} == {f"evidence_strategy__{name}" for name in STRATEGIES}
