"""Signs of life on a real notification socket: given while all is well, withheld otherwise, prolonged at the start."""

from __future__ import annotations

import socket
import time
from dataclasses import replace

import pytest

from hean_live.app.health import SignsOfLife, wait_for_venues
from hean_live.app.recording import RecordingWatch
from hean_live.app.runner import Options
from tests.live.receivers import free_port
from tests.live.support import local_settings, make_runner
from tests.live.test_restart import live_process


class Manager:
    """The service manager's end of the socket."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    def heard(self):
        messages = []
        while True:
            try:
                messages.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return messages

    def close(self):
        self._socket.close()


@pytest.fixture
def manager(tmp_path, monkeypatch):
    listening = Manager(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    yield listening
    listening.close()


def test_a_status_is_said_once_and_life_at_every_beat(manager):
    signs = SignsOfLife("trading BTCUSDT", "no entries")
    signs.beat([], {})
    signs.beat([], {})
    signs.beat([], {"KILL_SWITCH": "by\nhand"})
    signs.beat(["market data are 75 s old"], {})
    signs.beat(["market data are 75 s old"], {})
    signs.beat([], {})
    assert manager.heard() == [
        "WATCHDOG=1\nSTATUS=trading BTCUSDT",
        "WATCHDOG=1",
        "WATCHDOG=1\nSTATUS=trading BTCUSDT; no entries: KILL_SWITCH (by hand)",
        "STATUS=not well: market data are 75 s old",
        "WATCHDOG=1\nSTATUS=trading BTCUSDT",
    ]


@pytest.fixture
def executor(testnet, tmp_path):
    now = [1000.0]

    def begin(**changes):
        settings = local_settings(tmp_path, testnet, timeout_s=1.0, **changes)
        runner = make_runner(settings, Options(dry_run=not settings.has_key))
        parts = runner._parts
        parts.monitor._monotonic = lambda: now[0]
        parts.feed._monotonic = lambda: now[0]
        runners.append(runner)

        def round_():
            runner.poll()
            parts.monitor.polled(parts, runner._halts(), dry_run=runner._options.dry_run)

        return round_, now

    runners = []
    yield begin
    for runner in runners:
        runner.shut_down("the test ends")
        runner.farewell()


def alive(manager):
    return [message for message in manager.heard() if "WATCHDOG=1" in message]


def test_an_executor_without_market_data_gives_no_sign_of_life(manager, executor, testnet):
    beat, now = executor(api_key="", api_secret="")
    beat()
    assert alive(manager)
    for _ in range(3):
        testnet.fault("http_status", path_prefix="/v5/market/tickers", status=500)
    now[0] += 30.0
    beat()
    assert alive(manager)  # half a minute is no reason yet
    now[0] += 40.0
    beat()
    assert manager.heard()[-1].startswith("STATUS=not well: market data are more than 60 s old")
    now[0] += 1.0
    beat()
    assert not alive(manager)
    beat()
    assert alive(manager)


def test_an_executor_that_does_not_know_its_account_gives_no_sign_of_life(manager, executor, testnet):
    beat, now = executor()
    beat()
    assert alive(manager)
    testnet.fault("http_status", path_prefix="/v5/position/list", status=500, count=1000)
    said: list[str] = []
    # The account is asked again when its time has come, by the real clock.
    for _ in range(200):
        beat()
        said = manager.heard()
        if said and "not well: the account is not reconciled" in said[-1]:
            break
        time.sleep(0.05)
    assert "not well: the account is not reconciled" in said[-1]
    assert not any("WATCHDOG=1" in message for message in said)
    testnet.clear_faults()
    for _ in range(200):
        now[0] += 1.0
        beat()
        if alive(manager):
            return
        time.sleep(0.05)
    raise AssertionError("no sign of life after the account could be asked again")


def test_a_start_waits_for_the_venue_and_has_its_time_prolonged(manager, testnet):
    for _ in range(2):
        testnet.fault("http_status", path_prefix="/v5/market/time", status=503)
    pauses = []
    wait_for_venues([testnet.base_url, testnet.base_url], 1.0, pauses.append)
    said = manager.heard()
    assert len(pauses) == len(said) == 2
    assert all(message.startswith("EXTEND_TIMEOUT_USEC=") for message in said)
    assert "waiting for the venue" in said[0]


def test_a_process_waits_for_its_venue_and_says_ready_and_alive(manager, testnet, tmp_path):
    testnet.fault("http_status", path_prefix="/v5/market/time", status=503)
    process = live_process(tmp_path, testnet, "--dry-run", "--duration-s", "1")
    process.communicate(timeout=60)
    assert process.returncode == 0
    said = manager.heard()
    assert said[0].startswith("EXTEND_TIMEOUT_USEC=")
    assert said[1] == "READY=1\nSTATUS=trading BTCUSDT"
    assert any(message.startswith("WATCHDOG=1") for message in said[2:])
    assert said[-1] == "STOPPING=1"


def test_outside_of_a_service_manager_a_silent_venue_is_exit_code_4(testnet, tmp_path):
    away = replace(testnet, base_url=f"http://127.0.0.1:{free_port()}", api_key="", api_secret="")
    process = live_process(tmp_path, away, "--dry-run", "--duration-s", "20")
    _, log = process.communicate(timeout=60)
    assert (process.returncode, "remedy: check the network" in log) == (4, True)


def test_without_a_service_manager_nobody_waits():
    wait_for_venues([f"http://127.0.0.1:{free_port()}"], 0.2, lambda _s: pytest.fail("waited"))


def test_a_recorder_without_messages_gives_no_sign_of_life(manager, tmp_path, testnet):
    now = [0.0]
    watch = RecordingWatch(local_settings(tmp_path, testnet), monotonic=lambda: now[0])

    for second in range(130):
        now[0] = float(second)
        watch.look(messages=min(second, 59))
    said = manager.heard()
    assert sum("WATCHDOG=1" in message for message in said) == 120
    assert said[-1].startswith("STATUS=not well: no message for more than 60 s")
    watch.alert("RECORDER_DISK", "the disk is full")
    watch.look(messages=60)
    assert manager.heard() == ["WATCHDOG=1\nSTATUS=recording BTCUSDT; but: RECORDER_DISK (the disk is full)"]
    watch.close()
