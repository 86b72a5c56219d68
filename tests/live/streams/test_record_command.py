"""`hean record` as a process: records a venue, closes its segment on SIGTERM, mends one left open by kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from hean_live.recorder.segments import OPEN, closed_segments, index_path, load_index
from models.market.readers.bybit import BybitReader
from models.market.tape import OPEN_INTEREST
from tests.live.streams.scripted import SYMBOL, ScriptedVenue, eventually
from tests.live.test_recorder_segments import text_of

COMMAND = """
import sys
from importlib.metadata import EntryPoint
from hean_live.cli import GROUP, main
commands = [EntryPoint("record", "hean_live.commands.record:add_parser", GROUP)]
sys.exit(main(["record"], commands))
"""


def start(scripted: ScriptedVenue, home: Path) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    environment = {
        **os.environ,
        "HEAN_HOME": str(home),
        "HEAN_LIVE_ENVIRONMENT": "local",
        "HEAN_LIVE_ORDER_URL": scripted.rest_url,
        "HEAN_LIVE_SYMBOLS": SYMBOL,
        "HEAN_LIVE_RECORDER_FREE_GB": "0",
        "HEAN_LIVE_OPEN_INTEREST_POLL_S": "0.2",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def test_the_recorder_is_a_process_of_its_own(scripted: ScriptedVenue, tmp_path: Path) -> None:
    process, ready = start(scripted, tmp_path)
    assert ready["recording"]
    assert ready["symbols"] == [SYMBOL]
    folder = Path(ready["folder"])
    eventually(lambda: list(folder.glob(f"*{OPEN}")))
    for _ in range(5):
        scripted.push(scripted.script.print_trade())
    time.sleep(1.5)  # more than a flush
    process.send_signal(signal.SIGKILL)
    process.wait()

    process, _ = start(scripted, tmp_path)
    eventually(lambda: len(closed_segments(folder)) == 1 and list(folder.glob(f"*{OPEN}")))
    scripted.drop()
    eventually(lambda: scripted.open_sockets() == 1)
    scripted.push(scripted.script.print_trade())
    time.sleep(1.5)
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    ended = json.loads(process.stdout.readline())
    assert process.wait(20) == 0
    process.stdout.close()
    assert ended["ended"]
    assert ended["hub_disconnects"] >= 1

    first, second = closed_segments(folder)
    assert load_index(index_path(first)).recovered
    assert not load_index(index_path(second)).recovered
    assert ended["recorder_written"] == load_index(index_path(second)).messages
    reader = BybitReader()
    ((_, before),) = reader.feed(text_of(first))
    ((_, after),) = reader.feed(text_of(second))
    assert (before["kind"] == 1).sum() == 5
    assert (after["kind"] == 1).sum() >= 1
    assert (after["kind"] == OPEN_INTEREST).sum() > 2
    assert reader.stats.gaps == 1  # the dropped connection is on the tape
    assert reader.stats.malformed == 0
