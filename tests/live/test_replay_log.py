"""The log of inputs: segments that break off anywhere, rotation, retention, and a disk that fails."""

from __future__ import annotations

import pytest

from hean_live.app.alarms import Alarms
from hean_live.app.engine import Engine
from hean_live.replay.inputs import PollInputs, decide
from hean_live.replay.log import FOLDER, InputLog, LogRules
from hean_live.replay.replay import replay
from hean_live.replay.segments import SegmentWriter, read_lines, segment_paths
from hean_live.replay.session import Segment, find_segments, in_span
from models.errors import ConfigError, DataError
from tests.live.factories import NS, RULES, START, SYMBOL, forecasted, snapshot, ticker

DAY_NS = 86_400 * NS


class Life:
    """An engine with its log, told a poll at a time."""

    def __init__(self, home, journal, rules=None):
        self.alarms = Alarms(journal)
        self.engine = Engine([SYMBOL], RULES)
        self.log = InputLog(home, RULES, rules or LogRules(), self.alarms)

    def poll(self, now_ns=START, **told):
        inputs = PollInputs(snapshot(now_ns, **told))
        self.log.heard(self.engine, inputs)
        commands = decide(self.engine, inputs)
        self.log.decided(commands)
        return commands


def session(home, journal, polls=20, rules=None):
    """A signal, its entry, and some polls after it."""
    life = Life(home, journal, rules)
    life.poll(forecasts=(forecasted(),))
    for second in range(1, polls):
        life.poll(START + second * NS, tickers={SYMBOL: ticker(mark_price=100.0 + second)})
    return life


def test_a_session_replays(tmp_path, journal):
    session(tmp_path, journal).log.close()
    (path,) = find_segments(tmp_path / "journal.sqlite")
    before = path.read_bytes()
    outcome = replay([path])
    assert (outcome.differences, outcome.polls, outcome.unanswered, outcome.unfinished) == (0, 20, 0, [])
    assert outcome.commands > 5
    assert (outcome.first_ns, outcome.last_ns) == (START, START + 19 * NS)
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o077 == 0  # positions are nobody else's business


def test_a_segment_that_breaks_off_anywhere_is_read_up_to_there(tmp_path, journal):
    session(tmp_path, journal).log.close()
    (path,) = find_segments(tmp_path)
    lines, data = list(read_lines(path)), path.read_bytes()
    torn = tmp_path / path.name
    counts = []
    for length in range(0, len(data), 7):
        torn.write_bytes(data[:length])
        found = list(read_lines(torn))
        assert found == lines[: len(found)]
        counts.append(len(found))
        outcome = replay([torn])
        assert outcome.differences == 0
        assert outcome.unfinished == [path.name]
    assert counts == sorted(counts)
    assert counts[0] == 0
    assert counts[-1] > len(lines) - 3


def test_bytes_that_are_none_of_ours_end_a_segment(tmp_path, journal):
    session(tmp_path, journal).log.close()
    (path,) = find_segments(tmp_path)
    lines, data = list(read_lines(path)), path.read_bytes()
    torn = tmp_path / path.name
    # What a power cut may leave: blocks of zeros, or of another file.
    for at in range(50, len(data), 31):
        for junk in (bytes(64), b"\xa5" * 64):
            torn.write_bytes(data[:at] + junk + data[at + 64 :])
            found = list(read_lines(torn))
            assert found == lines[: len(found)]
            assert replay([torn]).differences == 0


def test_a_line_with_a_wrong_checksum_ends_a_segment(tmp_path):
    writer = SegmentWriter(tmp_path, 1, 5, ["head", {}])
    writer.write(["poll", {}])
    wrong = writer._stream.compress(b'00000000 ["poll",{}]\n')
    writer._out(wrong)
    writer.close()
    assert list(read_lines(writer.path)) == [["head", {}], ["poll", {}]]


def test_every_segment_stands_for_itself(tmp_path, journal):
    """A segment begins with all that the engine remembers, so that older ones may be thrown away."""
    session(tmp_path, journal, rules=LogRules(rotate_bytes=1)).log.close()
    paths = find_segments(tmp_path / FOLDER)
    assert len(paths) == 20
    outcome = replay(paths)
    assert (outcome.differences, outcome.polls, outcome.segments, outcome.lives) == (0, 20, 20, 1)
    assert replay(paths[10:]).differences == 0
    assert replay([paths[7]]).polls == 1


def test_a_day_ends_a_segment_and_the_oldest_go(tmp_path, journal):
    life = Life(tmp_path, journal, LogRules(rotate_bytes=6_000, keep_bytes=20_000))
    for day in range(8):
        life.poll(START + day * DAY_NS)
    life.log.close()
    paths = segment_paths(tmp_path / FOLDER)
    assert sum(path.stat().st_size for path in paths) <= 20_000
    assert 1 < len(paths) < 8
    assert paths[-1].name.startswith("00000008-")  # numbers go on although the first files are gone
    assert replay(paths).differences == 0


def test_a_span_of_time(tmp_path, journal):
    session(tmp_path, journal, rules=LogRules(rotate_bytes=600)).log.close()
    paths = find_segments(tmp_path)
    assert len(paths) > 2
    first, last = START + 4 * NS, START + 9 * NS
    kept = in_span(paths, first, last)
    assert len(kept) < len(paths)
    outcome = replay(kept, from_ns=first, until_ns=last)
    assert (outcome.polls, outcome.first_ns, outcome.last_ns) == (6, first, last)


def test_a_disk_that_fails_stops_the_log_and_not_the_loop(tmp_path, journal):
    (tmp_path / FOLDER).write_text("in the way")
    life = Life(tmp_path, journal)
    assert life.poll(forecasts=(forecasted(),))
    assert "could not be written down" in life.alarms.active["INPUTS"]
    (tmp_path / FOLDER).unlink()
    life.poll(START + NS)
    assert "INPUTS" not in life.alarms.active
    life.log.close()
    outcome = replay(find_segments(tmp_path))
    assert (outcome.polls, outcome.differences) == (1, 0)


def test_another_life_begins_another_segment(tmp_path, journal):
    killed = Life(tmp_path, journal)
    killed.poll(START - 3 * NS)
    killed.poll(START - 2 * NS)
    session(tmp_path, journal, polls=5).log.close()
    paths = find_segments(tmp_path)
    outcome = replay(paths)
    assert (outcome.lives, outcome.segments, outcome.differences) == (2, 2, 0)
    assert outcome.unfinished == [paths[0].name]
    assert (outcome.polls, outcome.unanswered) == (6, 1)  # an empty answer waits for the next poll


def test_what_is_no_segment_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="a journal with the folder inputs beside it was expected"):
        find_segments(tmp_path)
    with pytest.raises(ConfigError, match="none with"):
        find_segments(tmp_path / "absent" / "journal.sqlite")
    writer = SegmentWriter(tmp_path, 1, 5, ["poll", {}])
    writer.close()
    with pytest.raises(DataError, match="the head of a segment of hean-inputs-1 was expected"):
        Segment(writer.path)
