"""The kill switch: what trips it, what one bad reading does not, what it says while closing, how it stays off."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from hean_live.execution.journal import Journal
from hean_live.execution.kill_switch import KillSwitch, request_kill
from hean_live.execution.records import OPEN
from models.errors import ConfigError
from tests.live.records import order_row


@pytest.fixture
def switch(journal, tmp_path):
    return KillSwitch(journal, tmp_path, D("0.20"))


def readings(switch, *values):
    for value in values:
        switch.observe_equity(D(value))
    return switch.reason


def test_a_drawdown_from_the_peak_trips_at_its_second_reading(switch):
    assert readings(switch, 1000, 1000, 1200, 1200, 960) == ""
    assert "960.00 USD <= 960.00 USD, 20.00 % below its peak 1200.00" in readings(switch, 955, 960)


def test_one_wrong_reading_neither_trips_nor_makes_a_peak(switch):
    assert readings(switch, 1000, 1000, 0, 1000, 10**9, 1000, "0.0001", 1000) == ""


def test_the_first_reading_after_a_restart_is_compared_with_the_peak_before(journal, tmp_path, switch):
    readings(switch, 1000, 1000)
    again = KillSwitch(journal, tmp_path, D("0.20"))
    assert readings(again, 700) == ""
    assert readings(again, 700)


def test_it_stays_off_across_restarts_until_re_armed(journal, tmp_path, switch):
    switch.trip("by hand")
    switch.trip("again")
    second = Journal(journal.path)
    restarted = KillSwitch(second, tmp_path, D("0.20"))
    assert restarted.reason == "by hand"
    assert restarted.rearm() == "by hand"
    assert switch.reason == ""
    second.close()


def test_the_file_trips_and_forbids_re_arming(switch, tmp_path):
    path = request_kill(tmp_path, "a test")
    switch.look_for_file()
    assert "KILL" in switch.reason
    with pytest.raises(ConfigError, match="should be gone"):
        switch.rearm()
    path.unlink()
    switch.rearm()
    with pytest.raises(ConfigError, match="should be writable"):
        request_kill(tmp_path / "absent", "a test")


def test_it_says_what_is_still_open_until_nothing_is(switch, journal):
    switch.say_progress({}, [], "")
    switch.trip("by hand")
    for _ in range(3):
        switch.say_progress(None, [], "no answer")
    switch.say_progress({"BTCUSDT": D(2)}, [order_row(state=OPEN)], "")
    switch.say_progress({"BTCUSDT": D(0)}, [], "")
    said = [event["found"] for event in journal.events("kill_progress")]
    assert said == [
        "the venue does not answer, closing is tried again",
        f"still open: BTCUSDT, {order_row().client_id}",
        "nothing of ours is open, confirmed by the venue",
    ]
