"""Simulated sessions, with all their faults and deaths, decided again: the same commands; a tampered one is named."""

from __future__ import annotations

import json

import pytest

from hean_live.execution.journal import Journal
from hean_live.replay.comparison import Field
from hean_live.replay.inputs import decide
from hean_live.replay.log import LogRules
from hean_live.replay.replay import replay
from hean_live.replay.segments import SegmentWriter, read_lines
from hean_live.replay.session import find_segments
from hean_live.simulation.session import Session

SEEDS = range(40, 64)
EVERY_POLL = LogRules(rotate_bytes=1)


@pytest.mark.parametrize("rules", [LogRules(), EVERY_POLL], ids=["one segment a life", "one a poll"])
def test_simulated_sessions_replay(tmp_path, rules):
    commands = lives = 0
    for seed in SEEDS:
        home = tmp_path / str(seed)
        home.mkdir()
        told = Session(seed, home, record=rules).run()
        assert told.violations == []
        outcome = replay(find_segments(home))
        assert (outcome.first, outcome.differences) == (None, 0)
        assert outcome.lives >= told.crashes
        commands += outcome.commands
        lives += outcome.lives
    assert commands > 10 * len(SEEDS)
    assert lives > len(SEEDS)


def test_recording_changes_nothing(tmp_path):
    for seed, folder in ((17, "a"), (40, "b")):
        plain, recorded = tmp_path / folder / "plain", tmp_path / folder / "recorded"
        plain.mkdir(parents=True)
        recorded.mkdir()
        without = Session(seed, plain, trace=True).run()
        assert Session(seed, recorded, trace=True, record=LogRules()).run() == without


def placed(lines):
    answers = [line[2] for line in lines if line[0] == "did" and len(line) == 3]
    return [command["Place"]["decision"] for answer in answers for command in answer if "Place" in command]


def test_every_order_of_the_journal_is_among_the_commands(tmp_path):
    Session(42, tmp_path, ("calm",), record=LogRules()).run()
    (path,) = find_segments(tmp_path)
    journal = Journal(tmp_path / "journal.sqlite")
    rows = [row for symbol in ("AAAUSDT", "BBBUSDT") for row in journal.orders_of(symbol)]
    journal.close()
    decided = placed(read_lines(path))
    assert rows
    for row in rows:
        price = None if row.price is None else str(row.price)
        assert any(
            (decision["symbol"], decision["side"], decision["qty"], decision["price"])
            == (row.symbol, row.side, str(row.qty), price)
            for decision in decided
        )


def rewritten(lines, folder):
    """Write lines as a segment that is whole: with checksums and an end."""
    folder.mkdir()
    writer = SegmentWriter(folder, 1, 0, lines[0])
    writer.write(*lines[1:-1])
    writer.close()
    return writer.path


def test_a_tampered_input_is_named(tmp_path):
    Session(42, tmp_path, ("calm",), record=LogRules()).run()
    (path,) = find_segments(tmp_path)
    lines = list(read_lines(path))
    assert replay([rewritten(lines, tmp_path / "same")]).differences == 0
    news = (line[1]["snapshot"].get("forecasts", [[]])[0] for line in lines[2:] if line[0] == "poll")
    # Of a symbol on which S1 wants something: twice nothing is nothing.
    forecast = next(row for rows in news for row in rows if row["predicted"] not in (0.0, "-0.0"))
    was = forecast["predicted"]
    forecast["predicted"] = 2 * was
    outcome = replay([rewritten(lines, tmp_path / "other")])
    assert outcome.differences >= 1
    name = "commands[0].KeepForecast.forecast.predicted"
    assert outcome.first.fields[0] == Field(name, json.dumps(was), json.dumps(2 * was))
    # The signal, and the state that is kept, tell of it too.
    assert any(".Note.body.predicted" in field.name for field in outcome.first.fields)
    assert any(".SaveState.text." in field.name for field in outcome.first.fields)


def test_one_way_of_deciding():
    """Loop and replay call the same function; another way of deciding would be another engine."""
    from hean_live.app import runner
    from hean_live.replay import replay as replaying

    assert runner.decide is decide
    assert replaying.decide is decide
