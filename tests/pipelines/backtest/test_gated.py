"""The pass that asks the gates: the same run, stopped at the signals a live bank tells, with the record of the tick alone."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from hean_live.cli import main
from hean_live.shadow.bank import SymbolBank, venue_of
from hean_live.shadow.contracts import ShadowContract
from hean_pipelines.backtest.assumed import assumptions_of
from hean_pipelines.backtest.document import document_of, to_bytes
from hean_pipelines.backtest.gated import PassesDiffer, judge_trips, signals_of, stops_of
from hean_pipelines.backtest.plan import make_plan
from hean_pipelines.backtest.run import run_backtest
from hean_pipelines.backtest.tapes import Tape, TapeFacts
from hean_pipelines.report.backtest.page import backtest_page
from hean_pipelines.report.backtest.terminal import remarks
from models.gates.records import Fees
from models.market.feature_params import params_record
from models.market.feature_spec import FEATURE_NAMES
from models.market.step import features_of
from models.market.tape import TRADE
from models.market.tape_report import TapeCheck
from models.simulation.backtest.judging import Judge
from models.simulation.backtest.records import BacktestParameters
from models.simulation.bank.records import BankParameters
from models.simulation.bank.run import BankRun, run_strategies
from models.simulation.bank.steps import Params
from tests.pipelines.backtest.recording import record as write_recording
from tests.pipelines.report.page import parse

HOUR = 3_600_000_000_000
SCALPER, MAKER, FADER = "hf_scalping", "inventory_neutral_mm", "impact_reversion"
CAPITAL = 10_000.0
PARAMETERS = BankParameters(BacktestParameters(CAPITAL, 60_000_000_000))


def plan_of(name, days, **options):
    return make_plan(name, days=days, capital_usd=CAPITAL, capacity=(1.0,), **options)


def told_by(market):
    """Everything a market record says but the kernels' memory."""
    return {name: market[name].item() for name in market.dtype.names if name != "internal"}


class Ran:
    """A plan's tape, its main run, and what the second pass yields."""

    def __init__(self, plan):
        self.plan = plan
        tape = Tape(plan)
        self.stretches = list(tape.first_pass(lambda _share: None))
        name = plan.entry.name
        self.record = run_strategies(
            self.stretches, [name], plan.venue, PARAMETERS, feature_params=params_record(plan.features)
        )[name]
        self.run = BankRun([name], plan.venue, PARAMETERS, feature_params=params_record(plan.features))
        stops = stops_of(plan, self.record)
        # Without the kernels' memory, which is most of a record.
        self.found = [
            (signal, told_by(market))
            for signal, market, _ in signals_of(self.run, stops, self.record.trips["exit_ns"], self.stretches)
        ]
        self.trips = self.run.finish()[name].trips


@pytest.fixture(scope="module")
def scalper():
    return Ran(plan_of(SCALPER, 0.6))


@pytest.fixture(scope="module")
def maker():
    return Ran(plan_of(MAKER, 0.1))


@pytest.fixture(scope="module")
def fader():
    return Ran(plan_of(FADER, 0.02, seed=2))


RUNS = ["scalper", "maker", "fader"]


@pytest.mark.parametrize("name", RUNS)
def test_the_pass_that_is_cut_gives_the_same_trips(name, request):
    ran = request.getfixturevalue(name)
    assert len(ran.trips) > 5
    assert ran.trips.tobytes() == ran.record.trips.tobytes()


@pytest.mark.parametrize("name", RUNS)
def test_every_trip_has_its_own_signal_before_it(name, request):
    ran = request.getfixturevalue(name)
    at_ns = np.array([signal.at_ns for signal, _ in ran.found])
    assert (np.diff(at_ns) > 0).all()
    entries, exits = ran.trips["entry_ns"], ran.trips["exit_ns"]
    own = np.searchsorted(at_ns, entries, side="right") - 1
    assert (np.diff(own) > 0).all()
    assert (at_ns[own[1:]] >= exits[:-1]).all()
    assert [ran.found[place][0].side for place in own] == ran.trips["side"].tolist()
    if name == "maker":
        assert at_ns.tolist() == entries.tolist()


def messages(stretch):
    """Cut a stretch where the receive time changes: what a live bank is given at once at the finest."""
    cuts = np.flatnonzero(np.diff(stretch.events["local_ts"])) + 1
    return itertools.pairwise([0, *cuts.tolist(), len(stretch.events)])


@pytest.mark.parametrize("name", ["scalper", "maker"])
def test_signals_are_those_the_executors_shadow_tells(name, request):
    ran = request.getfixturevalue(name)
    plan, venue = ran.plan, ran.plan.venue
    contract = ShadowContract(
        venue.tick_size, venue.lot_size, venue.maker_fee, venue.taker_fee, venue.leverage
    )
    assert venue_of(contract) == venue
    bank = SymbolBank(plan.symbol, contract, CAPITAL, (plan.entry.name,), features=plan.features)
    told = []
    for stretch in ran.stretches:
        if len(stretch.outlooks):
            bank.tell(stretch.outlooks)
        for start, end in messages(stretch):
            told += bank.take(stretch.events[start:end])[0]
    assert [(own.at_ns, own.side, own.is_taker) for own in told] == [tuple(own) for own, _ in ran.found]


@pytest.mark.parametrize("name", RUNS)
def test_the_record_is_that_of_the_tick_and_nothing_later(name, request):
    ran = request.getfixturevalue(name)
    events = np.concatenate([stretch.events.view(np.uint8) for stretch in ran.stretches])
    events = events.view(ran.stretches[0].events.dtype)
    times, rows = features_of(events, ran.plan.venue.tick_size, params_record(ran.plan.features))
    places = np.searchsorted(times, [signal.at_ns for signal, _ in ran.found])
    for (signal, market), place in zip(ran.found, places, strict=True):
        assert market["tick_at_ns"] == signal.at_ns == times[place]
        assert max(market[n] for n in ("book_at_ns", "trade_at_ns", "open_interest_at_ns")) < signal.at_ns
        np.testing.assert_array_equal([market[feature] for feature in FEATURE_NAMES], rows[place])


def test_what_comes_at_the_tick_or_later_changes_nothing_that_is_read(scalper):
    """The event that sets a tick off is received at it or later: as a wild trade it must not reach the record."""
    name, stops = SCALPER, stops_of(scalper.plan, scalper.record)
    at_ns = scalper.found[3][0].at_ns
    wild = []
    for stretch in scalper.stretches:
        events = stretch.events.copy()
        late = events["local_ts"] >= at_ns
        events["kind"][late], events["price"][late], events["size"][late] = TRADE, 1e3, 1e6
        wild.append(stretch._replace(events=events))
        if late.any():
            break
    run = BankRun([name], scalper.plan.venue, PARAMETERS, feature_params=params_record(scalper.plan.features))
    seen = signals_of(run, stops, scalper.record.trips["exit_ns"], wild)
    for signal, expected in scalper.found[:4]:
        own, market, _ = next(seen)
        assert own == signal
        np.testing.assert_equal(told_by(market), expected)
    # The run itself has gone on by that one event, which a record read there would hold.
    assert int(run.symbols["market"]["trade_at_ns"][0]) >= at_ns


def test_trips_that_differ_are_an_error_of_our_own(fader):
    plan, record = fader.plan, fader.record
    told = {"hears_open_interest": True}
    found = judge_trips(plan, record, PARAMETERS, Params(), fader.stretches, **told)
    assert found.every.trips == len(record.trips)
    trips = record.trips.copy()
    trips["profit"][-1] += 1e-12
    with pytest.raises(
        PassesDiffer, match=f"expected the {len(trips)} round trips of the first pass"
    ) as error:
        judge_trips(plan, record._replace(trips=trips), PARAMETERS, Params(), fader.stretches, **told)
    assert "--no-gates" in error.value.remedy
    short = [fader.stretches[0]._replace(events=fader.stretches[0].events[:50_000])]
    with pytest.raises(PassesDiffer):
        judge_trips(plan, record, PARAMETERS, Params(), short, **told)


def test_trips_of_asian_hours_are_blocked_by_the_golden_hour(scalper):
    plan, venue = scalper.plan, scalper.plan.venue
    judge = Judge(
        SCALPER, plan.symbol, plan.params, Fees(1e4 * venue.maker_fee, 1e4 * venue.taker_fee), CAPITAL
    )
    inside = []
    for signal, market in scalper.found:
        blocks = [outcome.reason for outcome in judge.judge(signal, market, plan.entry.new_state()).blocks]
        inside.append(9 <= signal.at_ns % (24 * HOUR) / HOUR < 16)
        assert ("GOLDEN_HOUR" in blocks) == (not inside[-1])
    assert 0 < sum(inside) < len(inside)


@pytest.fixture(scope="module")
def document():
    return json.loads(to_bytes(document_of(run_backtest(plan_of(SCALPER, 0.6)))))


def test_the_document_adds_up_and_agrees_with_the_run(document, scalper):
    result = document["gates"]["result"]
    parts = [result["passed"], result["shared"], *(gate["alone"] for gate in result["gates"])]
    assert sum(part["trips"] for part in parts) == result["every"]["trips"] == len(scalper.trips)
    assert sum(part["net_usd"] for part in parts) == pytest.approx(result["every"]["net_usd"])
    assert result["every"]["net_usd"] == pytest.approx(scalper.trips["profit"].sum())
    assert result["signals"] == len(scalper.found)
    assert [gate["row"] for gate in result["gates"]][:2] == ["G12", "G8"]


def test_the_page_says_what_passes_and_what_is_taken_for_granted(document):
    page = parse(backtest_page(document, 1.0))
    assert page.faults == []
    [section] = [e for e in page.elements if e.tag == "section" and e.attributes["id"] == "gates"]
    words = " ".join(section.text.split())
    result = document["gates"]["result"]
    assert f"{result['passed']['trips']} of {result['every']['trips']} round trips pass all gates" in words
    assert len(page.table("What each gate did")) == 13
    [golden] = [row for row in page.table("What each gate did") if "golden_hour" in row["gate"]]
    assert "GOLDEN_HOUR" in golden["reasons"]
    assert "nothing was learnt of the symbol" in words
    said = remarks(document)
    assert said[0].startswith(f"gates: {result['passed']['trips']} of {result['every']['trips']} round trips")
    assert said[1].startswith("blocked by G1 golden_hour")


def test_without_trips_or_without_gates_the_page_says_so_in_words():
    nothing = json.loads(to_bytes(document_of(run_backtest(make_plan("S6", days=0.01, scenario="null")))))
    assert nothing["gates"]["result"] is None
    assert "No round trip was ended" in parse(backtest_page(nothing, 1.0)).text
    left_out = run_backtest(plan_of(FADER, 0.02, seed=2, gates=False))
    ungated = json.loads(to_bytes(document_of(left_out)))
    assert (ungated["gates"], left_out.gated) == (None, None)
    assert "The gates were not asked" in parse(backtest_page(ungated, 1.0)).text
    assert not [words for words in remarks(ungated) if words.startswith("gates")]


def test_the_option_leaves_the_pass_out_and_has_a_folder_of_its_own(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HEAN_HOME", str(tmp_path))
    arguments = ["backtest", "--strategy", "S5", "--days", "0.01", "--seed", "2", "--capacity", "1"]
    assert main(arguments) == 0
    assert "asking the gates" in capsys.readouterr().out
    assert main([*arguments, "--no-gates", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gates"] is None
    assert len(list((tmp_path / "backtests").iterdir())) == 2


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ("S1", ["G11: the strategy rests on a model", "on a road of its own"]),
        ("S12", ["judged at the fill a trip begins with"]),
        ("S14", ["trades a second market"]),
        ("S15", ["the partner must be free"]),
    ],
)
def test_what_is_taken_for_granted_fits_the_strategy(strategy, said):
    facts = TapeFacts(TapeCheck().report(), (), None)
    told, usual = (assumptions_of(make_plan(name), facts) for name in (strategy, "S5"))
    own = [words for words in told if words not in usual]
    assert len(own) == len(said)
    assert all(words in sentence for words, sentence in zip(said, own, strict=True))
    assert not facts.hears_open_interest


def test_a_recording_without_open_interest_is_not_blocked_for_it(tmp_path):
    tapes = write_recording(tmp_path)
    plan = make_plan("S5", market="recorded", tapes=tapes, symbol="XRPUSDT", capacity=(1.0,))
    gates = json.loads(to_bytes(document_of(run_backtest(plan))))["gates"]
    assert gates["assumptions"][0].startswith("G12: the tape holds no open interest")
    assert gates["result"]["every"]["trips"] > 2
    assert gates["result"]["gates"][0]["blocked"] == 0
