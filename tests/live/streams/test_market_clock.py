"""The venue's clock followed: never back, no jump beyond the error, right at any speed; and streams that go by it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hean_live.market.clock import Answer, MarketClock, WallClock
from hean_live.market.service import MarketStreams, StreamRules, follow_clock, tick_sizes_of
from hean_live.venues.public import PublicMarket
from hean_live.venues.streams.thread import StreamThread
from tests.live.streams.scripted import eventually
from tests.local_testnet.server import RunningTestnet
from tests.local_testnet.sockets import flow_testnet

MS = 1_000_000
S = 1_000_000_000
SYMBOLS = ("BTCUSDT", "XRPUSDT")


class Venue:
    """A venue whose clock runs evenly, heard with delays."""

    def __init__(self, speed: float, at_ns: int = 1_735_689_600 * S) -> None:
        self.mono_ns = 7 * S
        self.speed, self._base = speed, (self.mono_ns, at_ns)

    def time_ns(self) -> int:
        since, at_ns = self._base
        return at_ns + int(self.speed * (self.mono_ns - since))

    def become(self, speed: float, *, forward_ns: int = 0) -> None:
        self._base = (self.mono_ns, self.time_ns() + forward_ns)
        self.speed = speed

    def answer(self, out_ns: int, back_ns: int) -> Answer:
        sent_ns = self.mono_ns
        self.mono_ns += out_ns
        stamp_ns = self.time_ns() // MS * MS
        self.mono_ns += back_ns
        return Answer(stamp_ns, sent_ns, self.mono_ns)

    def clock(self, out_ns: int = MS, back_ns: int = MS) -> MarketClock:
        first = self.answer(out_ns, back_ns)
        self.mono_ns += S // 2
        return MarketClock(first, self.answer(out_ns, back_ns), monotonic_ns=lambda: self.mono_ns)

    def message(self, delay_ns: int) -> tuple[bytes, int]:
        """A message that arrives now and left so long ago."""
        stamp_ns = (self.time_ns() - int(self.speed * delay_ns)) // MS * MS
        return b'{"topic":"tickers.X","type":"delta","data":{},"ts":%d}' % (stamp_ns // MS), stamp_ns


SPEEDS = st.one_of(st.just(1.0), st.floats(1.1, 2000.0))
DELAYS = st.integers(0, 40 * MS)
WAITS = st.integers(0, 300 * MS)


@given(SPEEDS, st.lists(st.tuples(WAITS, DELAYS, st.booleans()), min_size=1, max_size=120))
@settings(max_examples=150, deadline=None)
def test_it_never_goes_back_and_never_jumps_beyond_its_error(
    speed: float, heard: list[tuple[int, int, bool]]
) -> None:
    venue = Venue(speed)
    clock = venue.clock()
    last_ns, read_ns, speeds = clock.now_ns(), venue.mono_ns, clock.speed
    for wait_ns, delay_ns, answers in heard:
        venue.mono_ns += wait_ns
        if answers:
            clock.answered(venue.answer(delay_ns // 2, delay_ns // 2))
        else:
            payload, stamp_ns = venue.message(delay_ns)
            came_ns = clock.receive_ns(payload, clock.now_ns())
            assert clock.speed == 1.0 or came_ns >= stamp_ns
        speeds = max(speeds, clock.speed)
        now_ns = clock.now_ns()
        assert now_ns >= last_ns
        # Two readings since the last: each may make up for one error.
        assert now_ns - last_ns <= speeds * (venue.mono_ns - read_ns) + 2 * clock.error_ns + MS
        last_ns, read_ns = now_ns, venue.mono_ns
    assert clock.steps == 0


@given(SPEEDS, st.integers(0, 1 << 32))
@settings(max_examples=40, deadline=None)
def test_it_shows_the_venues_time_at_any_speed(speed: float, seed: int) -> None:
    chance = Random(seed)
    venue = Venue(speed)
    clock = venue.clock()
    for _ in range(400):
        venue.mono_ns += chance.randrange(20 * MS)
        clock.receive_ns(venue.message(int(chance.expovariate(1 / (4 * MS))))[0], clock.now_ns())
    # The least delayed of 400 messages of mean 4 ms was delayed by far less than the half round trip of 1 ms.
    off_ns = clock.now_ns() - venue.time_ns()
    assert abs(off_ns) <= 3 * speed * MS + 2 * MS
    assert clock.speed == pytest.approx(1.0 if speed <= 1.02 else speed, rel=0.01)


def test_a_venue_in_real_time_has_speed_one_whatever_the_delays() -> None:
    venue = Venue(1.0)
    clock = venue.clock(90 * MS, 30 * MS)
    for delay_ms in [200, 180, 150, 100, 60, 40, 30, 30, 80, 300] * 8:
        venue.mono_ns += 100 * MS
        clock.receive_ns(venue.message(delay_ms * MS)[0], clock.now_ns())
        assert clock.speed == 1.0
    assert abs(clock.now_ns() - venue.time_ns()) <= 60 * MS


def test_a_bunch_of_messages_keeps_its_distances() -> None:
    venue = Venue(60.0)
    clock = venue.clock()
    venue.mono_ns += 100 * MS
    now_ns = clock.now_ns()
    came = [clock.receive_ns(venue.message(delay_ms * MS)[0], now_ns) for delay_ms in range(10, -1, -1)]
    assert all(45 * MS < later - earlier < 75 * MS for earlier, later in pairwise(came))


def test_a_moved_clock_is_followed_forward_and_a_new_speed_is_found() -> None:
    venue = Venue(1.0)
    clock = venue.clock()
    venue.become(1.0, forward_ns=3600 * S)
    clock.receive_ns(venue.message(0)[0], clock.now_ns())
    assert clock.steps == 1
    assert abs(clock.now_ns() - venue.time_ns()) < 10 * MS
    venue.become(100.0)
    for _ in range(200):
        venue.mono_ns += 20 * MS
        clock.receive_ns(venue.message(MS)[0], clock.now_ns())
    assert clock.speed == pytest.approx(100.0, rel=0.01)
    assert abs(clock.now_ns() - venue.time_ns()) < 100 * 4 * MS


def test_a_slower_clock_is_waited_for() -> None:
    venue = Venue(100.0)
    clock = venue.clock()
    for speed in (100.0, 1.0):
        venue.become(speed)
        before_ns = clock.now_ns()
        for _ in range(800):
            venue.mono_ns += 20 * MS
            clock.receive_ns(venue.message(MS)[0], clock.now_ns())
            assert clock.now_ns() >= before_ns
    assert clock.speed == pytest.approx(1.0)


def test_after_two_seconds_of_silence_time_passes_as_on_the_wall() -> None:
    venue = Venue(60.0)
    clock = venue.clock()
    start_ns = clock.now_ns()
    venue.mono_ns += 100 * S
    passed_ns = clock.now_ns() - start_ns
    assert passed_ns == pytest.approx(2 * 60 * S + 98 * S, rel=0.03)


def test_the_wall_clock_takes_stamps_for_nothing() -> None:
    clock = WallClock()
    assert clock.receive_ns(b'{"ts":1735689600000}', 5) == 5
    assert clock.speed == 1.0


# --- over loopback


@pytest.fixture
def flow() -> Iterator[RunningTestnet]:
    with flow_testnet(SYMBOLS) as running:
        yield running


def test_streams_tick_in_market_time_at_sixty_times_the_wall(
    flow: RunningTestnet, thread: StreamThread
) -> None:
    ticks: list[tuple[int, int]] = []
    flow.clock(speed=60.0)
    rest = PublicMarket(flow.base_url, timeout_s=5.0)
    streams = MarketStreams(
        flow.base_url.replace("http", "ws") + "/v5/public/linear",
        rest,
        tick_sizes_of(rest, SYMBOLS),
        StreamRules(open_interest_s=60.0, fresh_s=600.0),
        thread,
        on_tick=lambda places, at_ns: ticks.extend((place, at_ns) for place in places),
        clock=follow_clock(rest, SYMBOLS[0]),
    )
    streams.start()
    try:
        eventually(lambda: len(ticks) > 1200, seconds=60)
        # Half a second of the wall: where kernels are compiled first, the venue has to catch up.
        eventually(lambda: abs(streams.clock.now_ns() / 1e9 - flow.now_ms / 1e3) < 30.0, seconds=60)
        tickers = streams.tickers()
        counts = streams.hub.markets.counts
        open_interest = streams.hub.markets.state[0]["market"]["open_interest"]
    finally:
        streams.close()
    assert streams.clock.speed == pytest.approx(60.0, rel=0.05)
    assert not tickers.stale
    assert open_interest > 0
    assert (counts.malformed, counts.gaps) == (0, 0)
    for place in range(len(SYMBOLS)):
        times = np.array([at_ns for who, at_ns in ticks if who == place])
        np.testing.assert_array_equal(np.diff(times), streams.hub.markets.step_ns)
    # Messages lie between ticks instead of all before or all behind a bunch of them.
    assert streams.hub.markets.counts.messages > len(ticks) / 2
