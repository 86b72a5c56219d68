"""Runs from end to end: the document, its bytes, the page, recordings, and the errors of tapes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hean_pipelines.backtest.document import document_of, to_bytes
from hean_pipelines.backtest.plan import make_plan
from hean_pipelines.backtest.run import run_backtest
from hean_pipelines.backtest.save import save_backtest
from hean_pipelines.backtest.tapes import NoTrades
from hean_pipelines.report.backtest.page import backtest_page
from models.errors import DataError
from models.simulation.order_flow.generator import generate_order_flow
from tests.pipelines.backtest.recording import record
from tests.pipelines.report.page import parse
from tests.support import shared_path

DAYS = 0.04


@pytest.fixture(scope="module")
def outcome():
    return run_backtest(make_plan("S5", days=DAYS, seed=2, capacity=(1.0, 1000.0)))


@pytest.fixture(scope="module")
def document(outcome):
    return json.loads(to_bytes(document_of(outcome)))


@pytest.fixture(scope="module")
def page(document):
    return parse(backtest_page(document, 1.0))


def section(page, anchor):
    [found] = [e for e in page.elements if e.tag == "section" and e.attributes["id"] == anchor]
    return " ".join(found.text.split())


def test_the_same_arguments_give_the_same_bytes(document):
    again = run_backtest(make_plan("impact_reversion", days=DAYS, seed=2, capacity=(1000.0,)))
    assert to_bytes(document_of(again)) == to_bytes(document)


def test_the_tape_is_told_in_full(outcome, document):
    market = generate_order_flow(outcome.plan.order_flow, 2, DAYS * 86_400.0)
    assert document["tape"]["events"] == len(market.events)
    assert document["tape"]["days"] == pytest.approx(DAYS, rel=1e-3)
    assert document["tape"]["problems"] == document["tape"]["missing"] == []
    assert sum(row["episodes"] for row in document["truth"]) == len(market.episodes)


def test_money_adds_up_everywhere_it_is_shown(outcome, document):
    figures, rows = document["figures"], document["periods"]["rows"]
    assert figures["trades"] > 20
    assert document["equity"]["equity_usd"][-1] == pytest.approx(500.0 + figures["net_usd"])
    assert document["equity"]["fees_usd"][-1] == pytest.approx(figures["fees_usd"])
    assert sum(r["fees_usd"] for r in rows) == pytest.approx(figures["fees_usd"])
    assert sum(r["turnover"] for r in rows) == pytest.approx(figures["turnover"])
    assert sum(r["net_usd"] for r in rows) == pytest.approx(figures["net_trades_usd"]["value"])
    assert min(document["equity"]["drawdown_usd"]) == pytest.approx(-figures["drawdown"]["usd"])
    assert document["capacity"]["rows"][0]["trades"] == figures["trades"]


def test_panels_hold_the_busiest_hour_and_the_trades_at_either_end(outcome, document):
    whole, busiest, worst, best = document["panels"]
    assert whole["fill_count"] == len(outcome.results.fills)
    assert busiest["fill_count"] == max(
        np.bincount(outcome.results.fills["exch_ns"] // 3_600_000_000_000 % 1000)
    )
    nets = [t["net_usd"] for t in document["trades"]["worst"]]
    assert nets == sorted(nets)
    assert nets[0] in [t["net_usd"] for t in worst["trades"]]
    assert document["trades"]["best"][0]["net_usd"] in [t["net_usd"] for t in best["trades"]]


def test_the_page_is_whole_and_asks_for_nothing(document, page):
    assert page.faults == []
    anchors = [e.attributes["id"] for e in page.elements if e.tag == "section"]
    assert anchors == [
        "summary",
        "equity",
        "price",
        "markouts",
        "costs",
        "gates",
        "capacity",
        "truth",
        "trades",
        "activity",
        "setup",
    ]
    assert not [e for e in page.elements if e.tag in ("script", "img", "iframe", "object")]
    plots = [e for e in page.elements if "plot" in e.attributes.get("class", "").split()]
    assert len(plots) >= 20
    assert all(len(e.attributes["aria-label"]) > 20 for e in plots)
    assert "Backtest: impact_reversion on XRPUSDT" in page.text


def test_the_page_shows_the_documents_figures(document, page):
    words = section(page, "summary")
    assert f"{document['figures']['net_bps']['value']:.2f}".replace("-", "−") in words
    assert "Sharpe" in words
    capitals = page.table("Capitals")
    assert [row["capital USD"] for row in capitals] == ["500", "500,000"]
    whale = page.table("Episodes and trades")[0]
    assert whale["episodes"] == str(document["truth"][0]["episodes"])
    assert (
        "Whoever trades with these orders knows more" in section(page, "markouts")
        or document["markouts"]["quoting"] != "toxic"
    )


def test_hostile_words_stay_words(document):
    hostile = '<script>alert(1)</script>"><img src=x>'
    changed = json.loads(json.dumps(document))
    changed["plan"] |= {"symbol": hostile, "tapes": [hostile]}
    changed["tape"]["problems"] = [hostile]
    page = parse(backtest_page(changed, 1.0))
    assert page.faults == []
    assert not [e for e in page.elements if e.tag in ("script", "img")]


def test_an_account_too_small_for_one_lot_is_told_so(tmp_path):
    plan = make_plan("S5", symbol="BTCUSDT", days=0.01, seed=2, capacity=(10.0,))
    outcome = run_backtest(plan)
    document = document_of(outcome)
    assert document["figures"]["trades"] == 0
    assert document["figures"]["dropped"] > 0
    assert [row["trades"] > 0 for row in document["capacity"]["rows"]] == [False, True]
    page = parse(save_backtest(document, tmp_path, 1.0).page.read_text(encoding="utf-8"))
    words = section(page, "summary")
    assert "every order was too small to be sent" in words
    assert "One lot of BTCUSDT is 0.001" in words
    assert page.table("Intents")[0]["reason"] == "ENTRY"


def test_a_strategy_that_never_wanted_to_trade_says_what_it_said():
    document = json.loads(to_bytes(document_of(run_backtest(make_plan("S6", days=0.01, scenario="null")))))
    page = parse(backtest_page(document, 1.0))
    assert page.faults == []
    assert "never wanted to trade" in section(page, "summary")
    said = page.table("What the strategy said at each tick of the first half hour")
    assert {row["said"] for row in said} == {"hold"}
    assert sum(int(row["times"].replace(",", "")) for row in said) == document["activity"]["ticks"]


def test_a_recording_in_parts_is_the_recording_whole(tmp_path):
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    common = {"market": "recorded", "symbol": "XRPUSDT", "capacity": (1.0,)}
    one = document_of(run_backtest(make_plan("S5", tapes=record(tmp_path / "whole"), **common)))
    two = document_of(run_backtest(make_plan("S5", tapes=record(tmp_path / "parts", files=3), **common)))
    assert one["figures"]["trades"] > 2
    assert one["truth"] is None
    assert two["plan"].pop("tapes") == ["part0.jsonl", "part1.jsonl", "part2.jsonl"]
    one["plan"].pop("tapes")
    assert to_bytes(one) == to_bytes(two)


def test_days_cut_a_recording_and_too_few_are_an_error(tmp_path):
    tapes = record(tmp_path)
    common = {"market": "recorded", "tapes": tapes, "symbol": "XRPUSDT", "capacity": (1.0,)}
    cut = run_backtest(make_plan("S5", days=300.0 / 86_400.0, **common))
    assert cut.tape.days * 86_400.0 == pytest.approx(300.0, abs=1.0)
    with pytest.raises(DataError, match=r"expected 1 days, was 0\.0069") as error:
        run_backtest(make_plan("S5", days=1.0, **common))
    assert "leave --days out" in error.value.remedy


def test_a_tape_without_trades_of_the_symbol_names_those_it_holds(tmp_path):
    plan = make_plan("S5", market="recorded", tapes=record(tmp_path, duration_s=5.0), symbol="BTCUSDT")
    with pytest.raises(NoTrades, match=r"expected trades of BTCUSDT, was none .* the files hold XRPUSDT"):
        run_backtest(plan)


def test_a_recording_without_open_interest_is_flagged_for_a_strategy_that_needs_it(tmp_path):
    plan = make_plan("S6", market="recorded", tapes=record(tmp_path, duration_s=60.0), symbol="XRPUSDT")
    assert document_of(run_backtest(plan))["tape"]["missing"] == ["open interest"]


def test_a_real_recording_runs_and_its_clock_skew_is_said():
    path = shared_path("data/streams/hftbacktest__usdm_btcusdt_20240808.gz")
    plan = make_plan(
        "S5", market="recorded", tapes=[path], tape_format="binance", symbol="BTCUSDT", capital_usd=5000.0
    )
    document = document_of(run_backtest(plan))
    assert document["tape"]["events"] == 666_810
    assert document["figures"]["fills"] > 0
    assert any("behind the venue's" in problem for problem in document["tape"]["problems"])
