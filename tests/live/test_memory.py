"""The compiler's code is given back, once and not too soon, and compiled code goes on working."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from hean_live.app import process
from hean_live.app.process import COMPILER, give_back_code, give_back_when_settled

pytestmark = pytest.mark.skipif(not Path("/proc/self/smaps").is_file(), reason="memory maps are Linux's")


def resident_code_kb():
    total, ours = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        fields = line.split()
        if "-" in fields[0]:
            ours = COMPILER in fields[-1] and fields[1] == "r-xp"
        elif ours and fields[0] == "Rss:":
            total += int(fields[1])
    return total


def test_code_is_given_back_and_read_again_when_it_is_called():
    import numba

    numba.njit(lambda x: x + 1)(1)
    before = resident_code_kb()
    assert before > 1000
    assert give_back_code() >= before * 1024
    assert resident_code_kb() < before / 4
    assert numba.njit(lambda x: x * 3)(7) == 21
    assert resident_code_kb() > 1000


def test_a_library_that_is_not_loaded_has_no_code():
    assert give_back_code("libnothing-of-the-sort") == 0


def test_a_system_without_maps_gives_nothing_back(monkeypatch, tmp_path):
    monkeypatch.setattr(process, "_MAPS", tmp_path / "maps")
    assert give_back_code() == 0


def test_it_waits_until_all_is_loaded(monkeypatch):
    settled, given = threading.Event(), threading.Event()
    monkeypatch.setattr(process, "_LOOK_S", 0.01)
    monkeypatch.setattr(process, "give_back_code", lambda: given.set() or 0)
    thread = give_back_when_settled(settled.is_set, settle_s=0.0)
    assert not given.wait(0.1)
    settled.set()
    assert given.wait(10.0)
    thread.join(10.0)
    assert not thread.is_alive()
