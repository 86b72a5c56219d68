"""`hean live --replay` of real sessions on the local testnet: trades, a kill -9 and a restart, and what can go wrong."""

from __future__ import annotations

import json
import shutil
import signal
import socket
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from hean_live.cli import main
from hean_live.replay.command import DIFFERENT
from hean_live.replay.replay import replay
from hean_live.replay.segments import SegmentWriter, read_lines
from hean_live.replay.session import find_segments
from tests.live.conftest import BEFORE_MS, DAYS, SETTLEMENT_MS
from tests.live.support import (
    cache_bundle,
    constant_predictor,
    funding_bundle,
    local_settings,
    make_runner,
    poll_until,
)
from tests.live.test_restart import START_MS, live_process, rows, wait_for
from tests.local_testnet.server import start_testnet

HOURS_MS = 3_600_000
FILLED = "SELECT count(*) FROM fills WHERE kind = 'trade'"
SHORT = 0.002  # a forecast far above anything settled


def replayed(capsys, *arguments):
    code = main(["live", "--replay", *map(str, arguments)])
    output = capsys.readouterr()
    return code, json.loads(output.out) if output.out else {}, output.err


def numbers(row):
    """Compare amounts by value: the venue writes prices with more zeros."""
    symbol, side, qty, price = row
    return symbol, side, Decimal(qty), None if price is None else Decimal(price)


def trade_two_settlements(home, testnet):
    """Two settlements with trades by real processes, the first of which is killed while quoting."""
    cache_bundle(local_settings(home, testnet), funding_bundle(constant_predictor(SHORT)))
    first = live_process(home, testnet)
    assert json.loads(first.stdout.readline())["ready"] is True
    testnet.clock(now_ms=START_MS)
    wait_for(lambda: rows(home, "SELECT count(*) FROM orders") != [(0,)])
    first.send_signal(signal.SIGKILL)
    first.communicate()
    second = live_process(home, testnet, "--until-settlements", "2")
    assert json.loads(second.stdout.readline())["ready"] is True
    for number in (0, 1):
        settlement_ms = SETTLEMENT_MS + 8 * number * HOURS_MS
        if number:
            testnet.clock(now_ms=settlement_ms - 90 * 60_000)
        testnet.clock(speed=60)
        ((before,),) = rows(home, FILLED)
        wait_for(lambda before=before: rows(home, FILLED) > [(before,)])
        testnet.clock(now_ms=settlement_ms + 200_000)
        trades = f"SELECT count(*) > {number} FROM trades WHERE mode = 'live'"
        wait_for(lambda trades=trades: rows(home, trades) == [(1,)])
    _, log = second.communicate(timeout=30)
    assert second.returncode == 0, log


@pytest.fixture
def no_network_after(monkeypatch):
    """Forbid connections from the call on: a replay needs none."""

    def refuse(*_arguments):
        raise AssertionError("a replay needs no network")

    return lambda: monkeypatch.setattr(socket.socket, "connect", refuse)


def test_a_session_with_a_kill_replays_to_identical_commands(testnet, tmp_path, capsys, no_network_after):
    home = tmp_path / "home"
    trade_two_settlements(home, testnet)
    orders = rows(home, "SELECT symbol, side, qty, price FROM orders")
    copy = tmp_path / "copy"
    shutil.copytree(home / "inputs", copy)
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    no_network_after()
    code, summary, words = replayed(capsys, copy)
    assert (code, words) == (0, "")
    assert summary["identical"] is True
    assert summary["differences"] == 0
    assert summary["lives"] == 2
    assert len(summary["unfinished"]) == 1  # the first life's last segment
    assert summary["unanswered"] <= 1
    assert summary["commands"] > len(orders) > 3
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    decided = set()
    for path in find_segments(copy):
        for line in read_lines(path):
            for command in line[2] if line[0] == "did" and len(line) == 3 else []:
                if "Place" in command:
                    decision = command["Place"]["decision"]
                    decided.add(numbers(decision[name] for name in ("symbol", "side", "qty", "price")))
    assert {numbers(order) for order in orders} <= decided
    # The same under the journal's name, and for a part of the time.
    assert replayed(capsys, home / "journal.sqlite")[1]["polls"] == summary["polls"]
    at = datetime.fromtimestamp(SETTLEMENT_MS / 1000, tz=UTC).isoformat()
    code, later, _ = replayed(capsys, home, "--from", at)
    assert code == 0
    code, earlier, _ = replayed(capsys, home, "--until", str(SETTLEMENT_MS * 1_000_000 - 1))
    assert code == 0
    assert later["polls"] + earlier["polls"] == summary["polls"]
    assert min(later["polls"], earlier["polls"]) > 0


@pytest.fixture
def recorded(testnet, tmp_path):
    """A home in which one entry was traded."""
    settings = local_settings(tmp_path / "home", testnet)
    cache_bundle(settings, funding_bundle(constant_predictor(SHORT)))
    testnet.clock(now_ms=START_MS)
    runner = make_runner(settings)
    runner.warm_up()
    held = testnet.venue.exchange.account.position
    poll_until(runner, lambda: held("BTCUSDT").qty != 0, each=lambda: testnet.advance(seconds=10))
    runner.shut_down("test")
    return settings.home


def rewritten(home, folder, change):
    """Write the segment again, changed: with checksums and an end, so that only the replay can see it."""
    folder.mkdir()
    (path,) = find_segments(home)
    lines = list(read_lines(path))
    change(lines)
    writer = SegmentWriter(folder, 1, START_MS * 1_000_000, lines[0])
    writer.write(*lines[1:-1])
    writer.close()
    return folder


def test_a_tampered_price_is_named(recorded, tmp_path, capsys):
    assert replayed(capsys, recorded)[0] == 0
    told = {}

    def cheaper(lines):
        """Put a poll's ask, at which the first sell order was quoted, a tick higher."""
        at = next(i for i, line in enumerate(lines) if line[0] == "did" and '"Place"' in json.dumps(line))
        answer = next(command["Place"] for command in lines[at][2] if "Place" in command)
        told["price"] = answer["decision"]["price"]
        poll = next(line for line in reversed(lines[:at]) if line[0] == "poll")
        quotes = poll[1]["snapshot"]["quotes"]["BTCUSDT"]
        assert float(quotes["ask"][0]) == float(told["price"])
        quotes["ask"] = [str(float(told["price"]) + 0.5)]

    folder = rewritten(recorded, tmp_path / "tampered", cheaper)
    code, summary, words = replayed(capsys, folder)
    assert code == DIFFERENT == 7
    assert summary["identical"] is False
    assert summary["differences"] >= 1
    (price,) = [row for row in summary["first"]["fields"] if row["name"].endswith("Place.decision.price")]
    assert json.loads(price["recorded"]) == told["price"]
    assert float(json.loads(price["replayed"])) == float(told["price"]) + 0.5
    assert f"{price['name']}: recorded {price['recorded']}, replayed {price['replayed']}" in words


def test_another_engine_is_refused_unless_forced(recorded, tmp_path, capsys):
    def another(lines):
        lines[0][1]["code"]["hean_live.app.engine"] = "0" * 16

    folder = rewritten(recorded, tmp_path / "older", another)
    code, summary, words = replayed(capsys, folder)
    assert (code, summary) == (2, {})
    assert "was another one: hean_live.app.engine differ" in words
    assert "--force" in words
    code, summary, _ = replayed(capsys, folder, "--force")
    assert code == 0
    assert summary["changed"] == ["hean_live.app.engine"]


def test_a_torn_session_replays_up_to_where_it_broke_off(recorded, capsys):
    (path,) = find_segments(recorded)
    whole = replayed(capsys, path)[1]
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10] + b"\0" * 100)
    code, summary, words = replayed(capsys, path)
    assert (code, words) == (0, "")
    assert 0 < summary["polls"] < whole["polls"]
    assert summary["unfinished"] == [path.name]


def test_what_cannot_be_replayed_says_why(tmp_path, capsys):
    code, _, words = replayed(capsys, tmp_path)
    assert (code, "a journal with the folder inputs" in words) == (2, True)
    assert main(["live", "--force"]) == 2
    assert "belong to --replay" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["live", "--replay", str(tmp_path), "--from", "yesterday"])
    assert "expected a time such as" in capsys.readouterr().err


def test_nothing_in_a_span_is_said(recorded, capsys):
    code, _, words = replayed(capsys, recorded, "--until", "2001-01-01")
    assert (code, "none were found" in words) == (2, True)


def test_no_secret_is_in_the_inputs(recorded, testnet):
    (path,) = find_segments(recorded)
    text = json.dumps(list(read_lines(path)))
    assert testnet.api_key not in text
    assert testnet.api_secret not in text


def test_a_session_on_streams_replays(tmp_path):
    """Tickers and private events of the streams reach the engine in its snapshots, what is seen of markets as sights."""
    with start_testnet(("BTCUSDT",), days=DAYS, now_ms=BEFORE_MS, equity="100000", speed=1.0) as testnet:
        settings = local_settings(tmp_path, testnet, streams=True, reconcile_s=60.0)
        cache_bundle(settings, funding_bundle(constant_predictor(SHORT)))
        runner = make_runner(settings)
        runner.warm_up()
        poll_until(runner, lambda: not runner._halts())
        testnet.clock(now_ms=START_MS)
        held = testnet.venue.exchange.account.position
        poll_until(runner, lambda: held("BTCUSDT").qty != 0, each=lambda: testnet.advance(seconds=10))
        runner.shut_down("test")
    outcome = replay(find_segments(tmp_path))
    assert (outcome.first, outcome.unfinished, outcome.unanswered) == (None, [], 0)
    # How many polls it takes until the entry is filled depends on the machine; halt, entry and what followed are three.
    assert outcome.polls >= 3
    assert outcome.commands > 5
