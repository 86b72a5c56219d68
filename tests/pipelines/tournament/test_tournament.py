"""A tournament from its tasks to its page: a small one is run for real."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hean_pipelines.backtest.document import to_bytes
from hean_pipelines.tournament.document import COLUMNS, document_of, verdict_of
from hean_pipelines.tournament.page import interval, terminal_table, tournament_page
from hean_pipelines.tournament.parts import Parts
from hean_pipelines.tournament.processes import run_tournament
from hean_pipelines.tournament.run import (
    COARSE_NS,
    EVERYTHING,
    FAST_SCENARIOS,
    FINE_NS,
    NULL,
    OWN,
    plan_tasks,
)
from hean_pipelines.tournament.save import folder_name
from models.errors import ConfigError
from models.simulation.bank.scores import Score, score_of
from models.simulation.slow_market.scenarios import PLANTED_FOR, SCENARIOS
from models.simulation.slow_market.symbols import SYMBOLS
from models.strategies.catalogue import CATALOGUE
from tests.pipelines.report.page import parse

NAMES = ("impact_reversion", "inventory_neutral_mm", "basis_arbitrage")
SYMBOL = "XRPUSDT"
DAYS = 0.05


def score(low, high, trades=100):
    mean = None if low is None else 0.5 * (low + high)
    return Score(trades, mean, low, high, 1.0, 1.0, 0.0, 0.5, 1.0, 60.0)


@pytest.fixture(scope="module")
def done():
    return run_tournament(plan_tasks(NAMES, [SYMBOL], DAYS, DAYS), processes=1)


@pytest.fixture(scope="module")
def document(done):
    return json.loads(to_bytes(document_of(done, 1)))


def test_every_strategy_meets_the_null_everything_and_its_own_effect():
    tasks = plan_tasks(tuple(CATALOGUE), ("BTCUSDT", SYMBOL), 3.0, 1.0, seed=5)
    for symbol, seed in (("BTCUSDT", 5), (SYMBOL, 6)):
        own = [task for task in tasks if task.symbol == symbol]
        assert {task.seed for task in own} == {seed}
        for column in (NULL, EVERYTHING):
            [task] = [task for task in own if task.column == column]
            assert (task.scenario, task.names, task.days) == (column, tuple(CATALOGUE), 3.0)
        met = {name: task for task in own if task.column == OWN for name in task.names}
        assert {name: task.scenario for name, task in met.items()} == PLANTED_FOR
        assert {task.days for task in met.values()} == {1.0}
    assert [task.cost for task in tasks] == sorted((task.cost for task in tasks), reverse=True)


def test_ticks_are_fine_only_where_what_is_planted_is_over_within_seconds():
    tasks = plan_tasks(tuple(CATALOGUE), (SYMBOL,), 3.0, 1.0)
    fine = {task.scenario for task in tasks if task.tick_ns == FINE_NS}
    assert fine == set(FAST_SCENARIOS) <= set(SCENARIOS)
    assert {task.tick_ns for task in tasks if task.scenario not in FAST_SCENARIOS} == {COARSE_NS}


def test_without_days_of_its_own_an_effect_is_not_run_alone():
    tasks = plan_tasks(NAMES, tuple(SYMBOLS), 1.0, 0.0)
    assert len(tasks) == 2 * len(SYMBOLS)
    assert {task.column for task in tasks} == {NULL, EVERYTHING}


def test_the_folder_tells_tasks_apart():
    assert folder_name(plan_tasks(NAMES, [SYMBOL], 1.0, 1.0)) == folder_name(
        plan_tasks(NAMES, [SYMBOL], 1.0, 1.0)
    )
    others = [plan_tasks(NAMES, [SYMBOL], 1.0, 1.0, seed=2), plan_tasks(NAMES, [SYMBOL], 2.0, 1.0)]
    assert len({folder_name(tasks) for tasks in [plan_tasks(NAMES, [SYMBOL], 1.0, 1.0), *others]}) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((["ABCUSDT"], 1.0, 1.0), "symbols: expected some of BTCUSDT.*was ABCUSDT"),
        (([], 1.0, 1.0), "symbols: expected some of.*was none"),
        (([SYMBOL], 0.0, 1.0), "days: expected above 0"),
        (([SYMBOL], float("nan"), 1.0), "days: expected above 0"),
        (([SYMBOL], 1.0, -1.0), "days: expected"),
        (([SYMBOL], 1.0, 1.0, 1, 0.0), "capital: expected USD above 0"),
        (([SYMBOL], 1.0, 1.0, 1, float("nan")), "capital: expected USD above 0"),
        (([SYMBOL], 1.0, 1.0, -1), "seed: expected a whole number from 0"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(arguments, words):
    with pytest.raises(ConfigError, match=words):
        plan_tasks(NAMES, *arguments)


@pytest.mark.parametrize(
    ("own", "null", "verdict"),
    [
        (score(1.0, 3.0), score(-9.0, -3.0), "found"),
        (score(1.0, 3.0), None, "found"),
        (score(-1.0, 3.0), score(-9.0, -3.0), "not found"),
        (score(0.0, 3.0), None, "not found"),
        (score(None, None, 4), score(-9.0, -3.0), "too few trades"),
        (None, score(-9.0, 3.0), "too few trades"),
        (score(1.0, 3.0), score(0.5, 3.0), "earns on nothing"),
        (None, score(0.5, 3.0), "earns on nothing"),
    ],
)
def test_a_verdict_follows_from_the_two_intervals(own, null, verdict):
    assert verdict_of(own, null) == verdict


def test_the_document_holds_the_score_of_each_strategy_in_each_market(done, document):
    assert [row["strategy"] for row in document["rows"]] == list(NAMES)
    assert document["days"] == dict.fromkeys(COLUMNS, DAYS)
    assert document["events"] == sum(each.events for each in done) > 10_000
    assert document["symbol_days"] == pytest.approx(5 * DAYS)
    for row in document["rows"]:
        assert row["planted"] == PLANTED_FOR[row["strategy"]] in SCENARIOS
        for column in COLUMNS:
            trips = [
                each.trips[row["strategy"]]
                for each in done
                if each.task.column == column and row["strategy"] in each.task.names
            ]
            assert row["scores"][column]["trades"] == score_of(np.concatenate(trips)).trades
    assert sum(row["scores"][OWN]["trades"] for row in document["rows"]) > 0


def test_processes_and_order_change_no_byte_and_finished_markets_are_kept(document, tmp_path):
    tasks = plan_tasks(NAMES, [SYMBOL], DAYS, DAYS)
    seen = []
    again = run_tournament(tasks, 2, lambda what, share: seen.append((what, share)), Parts(tmp_path))
    assert json.loads(to_bytes(document_of(again, 1))) == document
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert seen[-1][0].startswith(f"{len(tasks)} of {len(tasks)} markets; XRPUSDT")
    kept = sorted((tmp_path / "parts").iterdir())
    assert len(kept) == len(tasks)
    # Interrupted: one market is missing and one file is broken. The others are not traded again.
    kept[0].unlink()
    kept[1].write_bytes(b"half a file")
    seen.clear()
    once_more = run_tournament(tasks, 1, lambda what, share: seen.append((what, share)), Parts(tmp_path))
    assert json.loads(to_bytes(document_of(once_more, 1))) == document
    finished = {what.partition(" of ")[0] for what, _ in seen}
    assert finished == {str(len(tasks) - 2), str(len(tasks) - 1), str(len(tasks))}
    Parts(tmp_path).drop()
    assert list(tmp_path.iterdir()) == []


def test_parts_of_another_tournament_are_not_found(done, tmp_path):
    parts = Parts(tmp_path)
    parts.save(done[0])
    [other] = [t for t in plan_tasks(NAMES, [SYMBOL], DAYS, DAYS, seed=2) if t.cost == done[0].task.cost][:1]
    assert parts.load(other) is None
    found = parts.load(done[0].task)
    assert found.events == done[0].events
    for name, trips in done[0].trips.items():
        assert np.array_equal(found.trips[name].view(np.uint8), trips.view(np.uint8)), name


def test_the_page_is_whole_and_says_what_the_document_says(document):
    page = parse(tournament_page(document, 12.0))
    assert page.faults == []
    assert not [e for e in page.elements if e.tag in ("script", "img", "iframe", "object")]
    rows = page.tables["Results against the planted truth"]
    assert [cells[0] for cells in rows[1:]] == [f"{r['system']} {r['strategy']}" for r in document["rows"]]
    assert [cells[1] for cells in rows[1:]] == [PLANTED_FOR[r["strategy"]] for r in document["rows"]]
    assert [cells[-1] for cells in rows[1:]] == [r["verdict"] for r in document["rows"]]
    for cells, row in zip(rows[1:], document["rows"], strict=True):
        assert cells[2].replace(",", "") == str(row["scores"][OWN]["trades"])
        assert cells[4].replace(",", "") == str(row["scores"][NULL]["trades"])
    assert len(page.tables["All markets"][0]) == 13
    assert "licenses no trade" in page.text
    table = terminal_table(document)
    assert table.row_count == len(NAMES)


def test_without_days_of_its_own_the_page_judges_on_everything(done):
    without = document_of([each for each in done if each.task.column != OWN], 1)
    assert {row["judged_on"] for row in without["rows"]} == {EVERYTHING}
    page = parse(tournament_page(json.loads(to_bytes(without)), 12.0))
    assert page.faults == []
    rows = page.tables["Results against the planted truth"]
    assert {cells[1] for cells in rows[1:]} == {EVERYTHING}
    assert len(page.tables["All markets"][0]) == 9
    assert "where its own effect is planted" not in page.text.replace(_FOUND_WORDS, "")


_FOUND_WORDS = "earns where its effect is planted, interval and all"


def test_an_interval_is_told_in_words():
    assert interval(None) == "–"
    assert interval({"net_bps": 2.0, "low_bps": None, "high_bps": None}) == "+2.0 (too few)"
    assert interval({"net_bps": 2.0, "low_bps": 1.0, "high_bps": 3.0}) == "+2.0 [1.0, 3.0]"
