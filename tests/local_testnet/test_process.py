"""The command as a process: its one line, its end, what it refuses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
# The command through its own parser, as the dispatcher would call it.
PROGRAM = """
import argparse, sys
from hean_live.commands import testnet
from models.errors import HeanError
parser = argparse.ArgumentParser(prog="hean")
testnet.add_parser(parser.add_subparsers(required=True))
args = parser.parse_args(sys.argv[1:])
try:
    code = args.run(args)
except HeanError as error:
    print(f"error: {error}", file=sys.stderr)
    code = error.exit_code
sys.exit(code)
"""
SMALL = ("--symbols", "BTCUSDT", "--days", "2", "--extra-days", "1", "--now", "2025-03-01T12:30")

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "testnet", *arguments],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


def test_one_line_when_ready_then_a_clean_and_quick_end(start: Start) -> None:
    process = start(*SMALL, "--speed", "0", "--equity", "1234", "--can-withdraw")
    line = ready(process)
    assert line["ready"] is True
    assert line["base_url"].startswith("http://127.0.0.1:")
    assert (line["market"], line["speed"], line["symbols"]) == ("synthetic", 0.0, ["BTCUSDT"])
    assert line["market_time_ms"] == 1_740_832_200_000
    body = requests.get(line["base_url"] + "/v5/market/tickers?category=linear", timeout=5).json()
    assert (body["retCode"], body["time"]) == (0, line["market_time_ms"])
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=5)
    assert time.monotonic() - started < 1.0
    assert (process.returncode, out, err) == (0, "", "")


def test_ctrl_c_ends_it_even_with_a_connection_open(start: Start) -> None:
    process = start(*SMALL)
    line = ready(process)
    with requests.Session() as session:
        session.get(line["base_url"] + "/v5/market/time", timeout=5)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(5) == 0
        assert time.monotonic() - started < 1.0


def test_it_ends_with_its_parent(start: Start) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    process = start(*SMALL, "--parent-pid", str(parent.pid))
    ready(process)
    time.sleep(0.4)
    assert process.poll() is None
    parent.kill()
    parent.wait()
    assert process.wait(3) == 0


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.com", "::"])
def test_other_hosts_than_loopback_are_refused(start: Start, host: str) -> None:
    process = start(*SMALL, "--host", host)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (2, "")
    assert f"listens on loopback only, was asked for host '{host}'" in err


def test_a_taken_port_is_an_error(start: Start) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start(*SMALL, "--port", str(taken.getsockname()[1]))
        _, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "must be free" in err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--market", "imagined"), 2, "synthetic or recorded:FOLDER"),
        (("--market", "recorded:/nowhere"), 2, "must be a folder"),
        (("--symbols", "NOPEUSDT"), 2, "must be among BTCUSDT"),
        (("--now", "yesterday"), 2, "must be ISO 8601"),
        (("--start", "2025-03-05", "--now", "2025-03-01"), 2, "was "),
        (("--equity", "-5"), 2, "must be positive"),
        (("--symbols", "btcusdt"), 2, "upper-case"),
    ],
)
def test_bad_arguments_are_explained(start: Start, arguments: tuple[str, ...], code: int, words: str) -> None:
    process = start(*arguments)
    _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert words in err
    assert "Traceback" not in err
