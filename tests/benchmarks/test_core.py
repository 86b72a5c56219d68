"""The pieces of the core benchmark on a tiny tape: sane figures, whatever the speed, and no peers needed."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import core, core_parts, core_peers, core_tape
from models.market.readers.binance import BinanceReader
from models.market.readers.bybit import BybitReader
from models.market.readers.hftbacktest_events import to_hftbacktest
from models.market.tape import DEPTH, SNAPSHOT, TRADE
from tests.support import ROOT


@pytest.fixture(scope="module")
def tape():
    return core_tape.synthetic_tape("tiny", core_tape.BUSY, 30.0)


def test_the_loop_quotes_and_fills(tape):
    seconds, result = core_parts.full_loop(tape, tape.events)
    assert seconds > 0.0
    assert result.events == len(tape.events)
    assert result.ticks == 119
    assert len(result.orders) > 2
    facts = tape.facts()
    assert facts["events"] == sum(facts["kinds"].values())
    assert facts["events_per_tick"] == pytest.approx(len(tape.events) / 120.0, rel=0.02)


def test_vpin_and_the_live_step_are_timed(tape):
    assert len(core_parts.vpin_alone(10_000, 3)) == 3
    times = core_parts.live_step(tape, 20_000, 2_000)
    assert len(times.events) == len(times.clock) == 2_000
    assert len(times.ticks) > 2
    assert (times.events > 0).all()
    assert times.defined > 20


@pytest.mark.parametrize("venue", ["bybit", "binance"])
def test_messages_made_of_a_tape_say_what_the_tape_says(tape, venue):
    write = core_tape.as_bybit_lines if venue == "bybit" else core_tape.as_binance_lines
    reader = BybitReader() if venue == "bybit" else BinanceReader("BTCUSDT")
    part = tape.events[:20_000]
    lines = write(part)
    seconds, rows = core_parts.parse(reader, lines)
    assert seconds > 0.0
    assert reader.stats.problems() == ()
    (chunk,) = (BybitReader() if venue == "bybit" else BinanceReader("BTCUSDT")).feed(lines)
    assert len(chunk.events) == rows
    levels = np.isin(chunk.events["kind"], (DEPTH, SNAPSHOT))
    wanted, found = part[part["kind"] == DEPTH], chunk.events[levels]
    assert len(found) == len(wanted)
    assert found["price"].sum() == pytest.approx(wanted["price"].sum())
    trades, theirs = part[part["kind"] == TRADE], chunk.events[chunk.events["kind"] == TRADE]
    for field in ("side", "price", "size", "local_ts"):
        assert np.allclose(trades[field], theirs[field], rtol=0.0, atol=5e-4), field


def test_the_recording_in_a_row_is_one_sorted_tape():
    tape = core_tape.recorded_tape(2)
    if tape is None:
        pytest.skip(f"recorded data not found: {core_tape.BINANCE.name} is absent beside the checkout")
    half = len(tape.events) // 2
    assert (np.diff(tape.events["local_ts"]) >= 0).all()
    assert (tape.events["local_ts"] >= tape.events["exch_ts"]).all()
    assert tape.events["price"][:half].tobytes() == tape.events["price"][half:].tobytes()


def test_a_peer_that_cannot_be_had_is_a_reason(tape, tmp_path, monkeypatch):
    monkeypatch.setenv("HEAN_HOME", str(tmp_path))
    monkeypatch.setattr(core_peers.shutil, "which", lambda _name: None)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    compared = core.compare(tape, 1, tmp_path)
    assert compared["ours"]["fills"] >= 0
    assert compared["hftbacktest_rows"] == sum(len(rows) for rows in to_hftbacktest([tape.events], 0.5))
    head = core.headline(compared)
    assert head["event_loop_events_per_s"] > 0
    for peer in ("hftbacktest", "nautilus"):
        assert head[f"ratio_{peer}"] is None
        assert "uv" in head[f"ratio_{peer}_reason"]


def test_the_quicker_depth_of_hftbacktest_counts():
    def peer(ratio, speed):
        return {"reason": None, "ratio": ratio, "events_per_s": speed}

    compared = {"ours": {"events_per_s": 30, "events_per_s_best": 31}, "nautilus": {"reason": "absent"}}
    compared |= {"hftbacktest_roi": peer(2.0, 15), "hftbacktest_hashmap": peer(3.0, 10)}
    head = core.headline(compared | {"nautilus_grouped": {"reason": "absent"}})
    assert (head["ratio_hftbacktest"], head["hftbacktest_events_per_s"]) == (2.0, 15)
    assert head["ratio_hftbacktest_reason"] is None
    assert (head["ratio_nautilus"], head["ratio_nautilus_reason"]) == (None, "absent")


def test_growth_runs_in_a_process_of_its_own():
    command = [sys.executable, "-m", "benchmarks.core_growth", "20", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    run = json.loads(done.stdout)
    assert run["events"] > 10_000
    assert run["seconds"] > 0.0
    assert 50.0 < run["peak_rss_mb"] < 4000.0
