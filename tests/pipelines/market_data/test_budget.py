"""The request budget holds over objects, threads and processes together."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hean_pipelines.sources.budget import VALID_S, WINDOW_S, SharedBudget
from hean_pipelines.sources.http import PoliteHttp
from tests.local_testnet.server import start_testnet
from tests.support import ROOT


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def most_in_window(stamps: list[float], window: float) -> int:
    stamps = sorted(stamps)
    return max(sum(1 for other in stamps if at <= other < at + window) for at in stamps)


def test_two_objects_share_one_budget_in_every_window(tmp_path: Path) -> None:
    clock = Clock()
    first, second = (SharedBudget(tmp_path, 100, sleep=clock.sleep, monotonic=clock) for _ in range(2))
    stamps = []
    for turn in range(600):
        (first if turn % 3 else second).take("venue:1")
        stamps.append(clock.now)
        clock.now += 0.002
    assert most_in_window(stamps, WINDOW_S) <= 100


def test_hosts_have_budgets_of_their_own(tmp_path: Path) -> None:
    clock = Clock()
    budget = SharedBudget(tmp_path, 8, sleep=clock.sleep, monotonic=clock)
    assert [budget.take("a") for _ in range(8)] == [0.0] * 8
    assert budget.take("b") == 0.0
    assert budget.take("a") == pytest.approx(WINDOW_S + VALID_S, abs=0.01)


def test_a_lease_not_used_at_once_is_forgone(tmp_path: Path) -> None:
    clock = Clock()
    budget = SharedBudget(tmp_path, 16, sleep=clock.sleep, monotonic=clock)  # leases of two
    for _ in range(8):
        budget.take("a")
        clock.now += VALID_S
    assert budget.take("a") > 0.0


def test_a_damaged_or_future_note_is_no_obstacle(tmp_path: Path) -> None:
    clock = Clock()
    budget = SharedBudget(tmp_path, 100, sleep=clock.sleep, monotonic=clock)
    (tmp_path / "a.json").write_text("[[1")
    assert budget.take("a") == 0.0
    (tmp_path / "b.json").write_text("[[99999999, 100]]")  # before a restart of the machine
    assert budget.take("b") == 0.0


def test_processes_together_stay_within_the_budget(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from hean_pipelines.sources import budget\n"
        "budget.WINDOW_S, budget.VALID_S, budget.LEASE = 0.5, 0.05, 5\n"
        "shared = budget.SharedBudget(pathlib.Path(sys.argv[1]), 50)\n"
        "for _ in range(100):\n"
        "    shared.take('venue')\n"
        "    print(time.monotonic())\n"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    stamps = [float(line) for process in running for line in process.communicate(timeout=60)[0].split()]
    assert len(stamps) == 300
    # A stamp is taken a moment after the request was granted: the window is cut by that much.
    assert most_in_window(stamps, 0.45) <= 50


def test_fresh_clients_one_after_another_are_not_banned_by_the_venue(tmp_path: Path) -> None:
    with start_testnet(("BTCUSDT",), days=2, ip_limit=120) as testnet:
        answers = 0
        for _ in range(3):  # as assets do: a client each
            http = PoliteHttp(shared=SharedBudget(tmp_path, 100))
            threads = [
                threading.Thread(
                    target=lambda client=http: [
                        client.get_json(f"{testnet.base_url}/v5/market/time", lambda _b, _h: None)
                        for _ in range(15)
                    ]
                )
                for _ in range(4)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            answers += http.traffic.requests
            http.close()
        assert answers == 180
