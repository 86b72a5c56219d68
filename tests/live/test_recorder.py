"""The recorder: rotates, forgets the oldest, survives a full disk and kill -9, and what it kept can be read."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hean_live.recorder.recorder import DISK, DROPPED, Recorder, RecorderRules
from hean_live.recorder.segments import OPEN, closed_segments, index_path, load_index, recover
from models.errors import ConfigError
from models.market.readers.bybit import BybitReader
from tests.live.streams.recorded import recorded_messages
from tests.live.streams.scripted import eventually
from tests.live.test_recorder_segments import text_of

SECOND = 1_000_000_000
RULES = RecorderRules(flush_s=0.02, retry_s=0.05, least_free_bytes=0, durable=False)


@pytest.fixture(autouse=True)
def testnet() -> None:
    """Keep the executor's testnet out: these tests need none."""


class Alerts(list[tuple[str, str]]):
    """What was said, in order."""

    def __call__(self, code: str, words: str) -> None:
        self.append((code, words))


def rules(**changes: object) -> RecorderRules:
    return RecorderRules(**{**vars(RULES), **changes})  # type: ignore[arg-type]


def test_recorded_frames_come_back_whole_and_read_like_the_original(tmp_path: Path) -> None:
    messages = recorded_messages()
    recorder = Recorder(tmp_path, ("BTCUSDT",), rules(rotate_s=15), Alerts())
    recorder.start()
    for received_ns, payload in messages:
        recorder.write(payload, received_ns)
    recorder.close()
    paths = closed_segments(tmp_path)
    indexes = [load_index(index_path(path)) for path in paths]
    assert len(paths) >= 3
    # No segment spans a boundary of the period, so none spans a midnight.
    assert all(one.first_ns // (15 * SECOND) == one.last_ns // (15 * SECOND) for one in indexes)
    assert sum(one.messages for one in indexes) == len(messages)
    lines = b"".join(map(text_of, paths))
    assert lines == b"".join(b"%d %b\n" % message for message in messages)
    reader = BybitReader()
    for path in paths:
        reader.feed(text_of(path))
    assert reader.stats.messages == len(messages)
    assert not reader.stats.problems()
    assert recorder.counts.written == len(messages)
    assert recorder.counts.dropped == 0


def test_size_rotates_and_the_oldest_are_forgotten(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, (), rules(rotate_bytes=400, keep_bytes=2_000), Alerts())
    recorder.start()
    start = time.time_ns()
    for k in range(40):
        recorder.write(json.dumps({"noise": f"{hash((k, 1)):x}" * 20}).encode(), start + k)
        time.sleep(0.03)
    recorder.close()
    sizes = [path.stat().st_size for path in closed_segments(tmp_path)]
    assert recorder.counts.segments > 5
    assert recorder.counts.removed > 0
    assert sum(sizes) <= 2_000
    assert len(list(tmp_path.glob("*.json"))) == len(sizes)


def test_a_full_disk_stops_the_recording_and_nothing_else(tmp_path: Path) -> None:
    alerts = Alerts()
    recorder = Recorder(tmp_path, (), rules(least_free_bytes=1 << 60), alerts)
    recorder.start()
    eventually(lambda: alerts)
    assert alerts[0][0] == DISK
    assert "the disk is full" in alerts[0][1]
    assert "trading goes on" in alerts[0][1]
    for k in range(100):
        recorder.write(b"{}", k + 1)
    assert recorder.counts.dropped == 100
    object.__setattr__(recorder.rules, "least_free_bytes", 0)
    eventually(lambda: (DISK, "") in alerts)
    recorder.write(b'{"back":1}', time.time_ns())
    eventually(lambda: recorder.counts.written == 1)
    eventually(lambda: any(code == DROPPED and "100" in words for code, words in alerts))
    recorder.close()
    assert len(alerts) == len(set(alerts))  # nothing said twice


def test_two_recorders_of_one_folder_are_refused(tmp_path: Path) -> None:
    first = Recorder(tmp_path, (), RULES, Alerts())
    first.start()
    with pytest.raises(ConfigError, match="no other recorder"):
        Recorder(tmp_path, (), RULES, Alerts()).start()
    first.close()
    second = Recorder(tmp_path, (), RULES, Alerts())
    second.start()
    second.close()


WRITER = """
import sys, time
from pathlib import Path
from hean_live.recorder.recorder import Recorder, RecorderRules
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
if limit:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
rules = RecorderRules(rotate_s=900, flush_s=0.01, retry_s=60.0, least_free_bytes=0)
alerts = lambda code, words: print("ALERT", code, words, flush=True)
recorder = Recorder(folder, ("BTCUSDT",), rules, alerts)
recorder.start()
k = 0
while True:
    k += 1
    recorder.write(b'{"topic":"publicTrade.BTCUSDT","k":%d}' % k, time.time_ns())
    if k % 50 == 0:
        print("FLUSHED", recorder.counts.written, flush=True)
        time.sleep(0.002)
"""


def run_writer(folder: Path, limit: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), str(limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_after_kill_9_everything_flushed_is_readable_and_the_next_run_goes_on(tmp_path: Path) -> None:
    kept = 0
    for round_number in range(4):
        process = run_writer(tmp_path)
        flushed = 0
        assert process.stdout is not None
        for line in process.stdout:
            flushed = max(flushed, int(line.split()[1])) if line.startswith("FLUSHED") else flushed
            if flushed > 200 * (round_number + 1):
                break
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        (left,) = tmp_path.glob(f"*{OPEN}")  # the round before was mended by this one
        if round_number == 3:
            recover(left)
        else:
            continue
        kept = flushed
    segments = closed_segments(tmp_path)
    assert len(segments) == 4
    for path in segments:
        index = load_index(index_path(path))
        assert index.recovered
        numbers = [json.loads(line.partition(b" ")[2])["k"] for line in text_of(path).splitlines()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert index.messages == len(numbers)
    assert load_index(index_path(segments[-1])).messages >= kept > 800


def test_a_file_that_may_not_grow_is_closed_whole_and_said(tmp_path: Path) -> None:
    process = run_writer(tmp_path, limit=20_000)
    assert process.stdout is not None
    said = next(line for line in process.stdout if line.startswith("ALERT"))
    eventually(lambda: closed_segments(tmp_path))
    process.kill()
    process.wait()
    process.stdout.close()
    assert DISK in said
    assert "the disk is full" in said
    (path,) = closed_segments(tmp_path)
    index = load_index(index_path(path))
    assert path.stat().st_size == index.file_bytes <= 20_000
    assert index.messages == len(text_of(path).splitlines()) > 0
