"""Backtests on the slow market: outlooks reach the strategy, second legs are in the money, and runs repeat."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hean_live.cli import main
from hean_pipelines.backtest.document import document_of, to_bytes
from hean_pipelines.backtest.plan import make_plan
from hean_pipelines.backtest.run import run_backtest
from hean_pipelines.backtest.tapes import Tape
from hean_pipelines.report.backtest.page import backtest_page
from models.simulation.backtest.figures import net_of
from models.simulation.backtest.records import BacktestParameters
from models.simulation.backtest.results import trades_of
from models.simulation.bank.legs import leg_profit
from models.simulation.bank.records import BankParameters
from models.simulation.bank.run import run_strategies
from tests.pipelines.backtest.recording import record
from tests.pipelines.report.page import parse


def test_the_command_runs_a_strategy_that_asks_for_outlooks_and_repeats(tmp_path, capsys):
    contents = []
    for name in ("a", "b"):
        out = tmp_path / name
        arguments = ("--strategy", "funding_harvester", "--days", "1", "--seed", "2", "--out", str(out))
        assert main(["backtest", *arguments, "--json"]) == 0
        body = json.loads(capsys.readouterr().out)
        assert body["report"] == str(out / "report.html")
        assert (body["plan"]["market"], body["plan"]["scenario"]) == ("slow", "persistent_funding")
        contents.append((out / "result.json").read_bytes())
    assert contents[0] == contents[1]
    document = json.loads(contents[0])
    assert document["tape"]["missing"] == document["tape"]["problems"] == []
    # A premium stands throughout: no episodes, but the numbers it was planted with.
    [throughout] = document["truth"]
    assert (throughout["cause"], throughout["trades"]) == (
        "throughout the market",
        document["figures"]["trades"],
    )
    planted = {row["name"]: (row["here"], row["nothing"]) for row in document["planted"]}
    assert planted["premium_sd_bps"] == (40.0, 1.5)
    assert document["figures"]["orders"] > 0
    assert document["figures"]["funding_usd"] < 0.0
    page = parse((tmp_path / "a" / "report.html").read_text(encoding="utf-8"))
    assert page.faults == []
    assert "slow synthetic, scenario persistent_funding, seed 2" in page.text
    assert "The market is synthetic" in page.text
    assert ["premium_sd_bps", "40", "1.5"] in page.tables["What is planted"]


PLAN = make_plan("basis_arbitrage", days=1.0, capacity=(1.0,), capital_usd=10_000.0)


@pytest.fixture(scope="module")
def two_legs():
    return run_backtest(PLAN)


def test_trades_of_two_legs_have_the_second_ones_profit_in_them(two_legs):
    results = two_legs.results
    hour = BankParameters(BacktestParameters(PLAN.capital_usd, 3_600_000_000_000))
    stretches = Tape(PLAN).again(1.0, lambda _share: None)
    record = run_strategies(stretches, [PLAN.entry.name], PLAN.venue, hour)[PLAN.entry.name]
    [leg] = record.leg
    assert leg["trades"] > 0
    assert len(results.trades) == len(record.trips) > 0
    np.testing.assert_allclose(net_of(results.trades), record.trips["profit"], atol=1e-9)
    first = trades_of(results.fills)
    paid = float(results.fills["fee"].sum())
    assert results.fees == pytest.approx(paid + leg["fees"])
    volume = float((results.fills["price"] * results.fills["quantity"]).sum())
    assert results.turnover * PLAN.capital_usd == pytest.approx(volume + leg["turnover"])
    assert not record.unfinished
    both = net_of(first).sum() - (results.funding - leg["funding"]) + leg_profit(leg)
    assert record.trips["profit"].sum() == pytest.approx(both, abs=1e-6)
    assert results.profit == pytest.approx(both, abs=1e-6)


def test_the_page_of_two_legs_says_whose_fees_it_draws(two_legs):
    document = json.loads(to_bytes(document_of(two_legs)))
    page = parse(backtest_page(document, 1.0))
    assert page.faults == []
    assert "those of the second leg are in the figures above" in page.text


def test_trades_are_held_against_planted_courses():
    plan = make_plan("impulse_engine", days=1.0, capacity=(1.0,), capital_usd=10_000.0)
    document = json.loads(to_bytes(document_of(run_backtest(plan))))
    rows = {row["cause"]: row for row in document["truth"]}
    assert set(rows) == {"impulse, stage 1", "impulse, stage 2", "nothing planted"}
    assert rows["impulse, stage 2"]["episodes"] > 3
    assert sum(row["trades"] for row in rows.values()) == document["figures"]["trades"] > 3
    assert rows["impulse, stage 2"]["traded_with"] > rows["impulse, stage 2"]["traded_against"]
    page = parse(backtest_page(document, 1.0))
    assert page.faults == []
    assert [cells[0] for cells in page.tables["Episodes and trades"][1:]] == list(rows)


def test_what_a_recording_lacks_is_said(tmp_path):
    [tape] = record(tmp_path, duration_s=60.0)
    plan = make_plan("S17", market="recorded", tapes=[tape], symbol="XRPUSDT")
    document = json.loads(to_bytes(document_of(run_backtest(plan))))
    assert document["tape"]["missing"] == ["funding", "other venue"]
    assert document["figures"]["trades"] == 0
    page = parse(backtest_page(document, 1.0))
    assert "needs other venue, and the tape holds none" in page.text
