"""When a trouble is told: after it has lasted, once in a quiet time, and when it is over."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hean_live.alerts.desk import AlertDesk, Trouble
from models.alerts import Deduplicator

S = 1_000_000_000
QUIET_S = 100


class Listener:
    def __init__(self):
        self.heard = []
        self._rule = Deduplicator(QUIET_S * S)
        self.desk = AlertDesk(self._take, QUIET_S)

    def _take(self, alert):
        # Behind the desk stands the sender's own rule: together they must say what the desk alone would.
        if self._rule.admit(alert) is not None:
            self.heard.append((alert.code, alert.over, alert.at_ns // S))

    def run(self, trouble, seconds):
        for at in seconds:
            self.desk.update({"X": trouble} if trouble else {}, at * S)


def test_a_trouble_is_told_when_it_has_lasted_and_when_it_is_over():
    listener = Listener()
    listener.run(Trouble("words", lasting_s=10), range(50))
    listener.run(None, [50, 51])
    assert listener.heard == [("X", False, 10), ("X", True, 50)]


def test_a_short_trouble_is_not_told_at_all():
    listener = Listener()
    listener.run(Trouble("words", lasting_s=10), range(9))
    listener.run(None, range(9, 40))
    assert listener.heard == []


def test_what_stays_is_told_again_after_the_quiet_time():
    listener = Listener()
    listener.run(Trouble("words", lasting_s=0), range(250))
    assert listener.heard == [("X", False, 0), ("X", False, 100), ("X", False, 200)]


def test_what_comes_and_goes_is_told_once_in_a_quiet_time():
    listener = Listener()
    for start in range(0, 200, 20):
        listener.run(Trouble("words", lasting_s=0), range(start, start + 10))
        listener.run(None, range(start + 10, start + 20))
    assert listener.heard == [("X", False, 0), ("X", True, 10), ("X", False, 100), ("X", True, 110)]


def test_a_critical_trouble_is_told_each_time_it_begins():
    listener = Listener()
    for start in (0, 20):
        listener.run(Trouble("words", "critical", 0), range(start, start + 10))
        listener.run(None, range(start + 10, start + 20))
    assert listener.heard == [("X", False, 0), ("X", True, 10), ("X", False, 20), ("X", True, 30)]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 90)), max_size=40), st.booleans())
def test_beginnings_and_ends_alternate_and_warnings_keep_the_quiet_time(steps, critical):
    listener, at = Listener(), 0
    for on, seconds in steps:
        at += seconds
        listener.run(Trouble("words", "critical" if critical else "warning", 0) if on else None, [at])
    told = [at for _, over, at in listener.heard if not over]
    if not critical:
        assert all(later - earlier >= QUIET_S for earlier, later in pairwise(told))
    ends = [k for k, (_, over, _) in enumerate(listener.heard) if over]
    assert all(not listener.heard[k - 1][1] for k in ends)
