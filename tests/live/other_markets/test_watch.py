"""The thread that asks: who is due, what a trouble does to the others, and that it ends."""

from __future__ import annotations

import threading

from hean_live.other_markets.watch import LEAST_S, Asked, OtherMarkets
from hean_live.venues.errors import RateLimited, VenueUnreachable


class Scripted:
    """A source that answers as told, and remembers when it was asked."""

    def __init__(self, clock, *answers):
        self._clock, self._answers = clock, list(answers)
        self.asked = []
        self.done = threading.Event()

    def poll(self):
        self.asked.append(self._clock())
        self.done.set()
        answer = self._answers.pop(0) if self._answers else None
        if answer is not None:
            raise answer


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def run(watch, clock, until, step=0.25):
    while clock.now < until:
        watch.step()
        clock.now += step


def test_each_is_asked_in_its_own_time_and_sooner_on_a_faster_market():
    clock = Clock()
    often, rare = Scripted(clock), Scripted(clock)
    speeds = [1.0]
    watch = OtherMarkets([Asked("A", often, 5.0), Asked("B", rare, 100.0)], lambda: speeds[0], clock)
    run(watch, clock, 11.0)
    assert (often.asked, rare.asked) == ([0.0, 5.0, 10.0], [0.0])
    speeds[0] = 60.0
    run(watch, clock, 17.0)
    # At most every half second of ours.
    assert often.asked[3:] == [15.0 + k * LEAST_S for k in range(4)]


def test_a_trouble_is_said_and_over_and_keeps_nobody_else():
    clock = Clock()
    gone = Scripted(clock, VenueUnreachable("gone"), KeyError("odd"), RateLimited("slow down", wait_s=60.0))
    fine = Scripted(clock)
    watch = OtherMarkets([Asked("A", gone, 1000.0), Asked("B", fine, 5.0)], monotonic=clock)
    watch.step()
    assert watch.problems() == {"A": "gone", "B": ""}
    run(watch, clock, 10.0)
    # What is rarely asked is tried again soon.
    assert gone.asked == [0.0]
    watch.step()
    assert "KeyError" in watch.problems()["A"]
    assert gone.asked == [0.0, 10.0]
    clock.now = 1010.0
    watch.step()
    assert watch.problems()["A"] == "slow down"
    clock.now = 1069.0
    watch.step()
    assert len(gone.asked) == 3
    clock.now = 1070.0
    watch.step()
    assert (len(gone.asked), watch.problems()["A"]) == (4, "")
    assert len(fine.asked) > 3


def test_the_thread_asks_and_ends():
    source = Scripted(lambda: 0.0)
    watch = OtherMarkets([Asked("A", source, 0.5)])
    watch.start()
    assert source.done.wait(5.0)
    watch.close()
    assert not any(thread.name == "other-markets" for thread in threading.enumerate())
