"""The bell: what waits is woken, from threads and from signal handlers in the very thread that waits."""

from __future__ import annotations

import subprocess
import sys
import threading

from hean_live.app.bell import Bell

# A timer interrupts the waiting thread thousands of times, at any instruction; an event is stuck within a fraction of a second.
_HAMMERED = """
import signal, time
from hean_live.app.bell import Bell
bell, rings, woken = Bell(), 0, 0
def ring(_number, _frame):
    global rings
    rings += 1
    bell.ring()
signal.signal(signal.SIGALRM, ring)
signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
end = time.monotonic() + 1.5
while time.monotonic() < end:
    woken += bell.wait(0.05)
signal.setitimer(signal.ITIMER_REAL, 0)
assert rings > 100 and woken > 100, (rings, woken)
"""


def test_a_signal_handler_may_ring_while_its_own_thread_waits():
    subprocess.run([sys.executable, "-c", _HAMMERED], check=True, timeout=60)


def test_rung_before_it_ends_the_next_wait_and_only_that():
    bell = Bell()
    assert not bell.wait(0.0)
    bell.ring()
    bell.ring()
    assert bell.wait(60.0)
    assert not bell.wait(0.01)


def test_another_thread_wakes_it():
    bell = Bell()
    timer = threading.Timer(0.05, bell.ring)
    timer.start()
    assert bell.wait(60.0)
    timer.join()
