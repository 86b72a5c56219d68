"""The BTC crash filter and stale data: each with its reason and arithmetic, at its limit and just beyond."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.execution.market_gates import (
    CrashRules,
    FreshnessRules,
    PriceHistory,
    PricePoint,
    crash_breach,
    freshness_breach,
    remember_price,
)
from models.execution.sight import MarketSight
from tests.execution.situations import NOW, NS

RULES = CrashRules()
MINUTE = 60 * NS


def history(*prices, until_ns=NOW, every_ns=MINUTE):
    found = PriceHistory()
    for i, price in enumerate(reversed(prices)):
        at_ns = until_ns - (len(prices) - 1 - i) * every_ns
        found = remember_price(found, at_ns, price, RULES)
    return found


def falling(first, last, minutes=15):
    """One price a minute, the fall in the last step, newest first for `history`."""
    return history(last, *[first] * minutes)


def breach(found, symbol="ETHUSDT", side=1, now_ns=NOW):
    return crash_breach(symbol, side, found, now_ns, RULES)


def test_a_fall_beyond_the_limit_blocks_long_alts_with_its_arithmetic():
    found = breach(falling(100_000.0, 98_900.0))
    assert found is not None
    assert found.reason == "BTC_CRASH"
    assert found.arithmetic == (
        "return of BTC over 300 s should be at least -1.00%, was 98900 / 100000 - 1 = -1.10% over 300 s"
    )


@pytest.mark.parametrize(("symbol", "side"), [("ETHUSDT", -1), ("BTCUSDT", 1)])
def test_shorts_and_btc_itself_pass(symbol, side):
    assert breach(falling(100_000.0, 90_000.0), symbol, side) is None


def test_a_fall_at_the_limit_passes():
    assert breach(falling(100.0, 99.0)) is None
    assert breach(falling(100.0, 98.99)) is not None


def test_a_slow_fall_is_seen_by_the_longer_window_alone():
    prices = [100.0 - 0.15 * i for i in range(16)]  # 0.76 % in five minutes, 2.25 % in fifteen
    found = breach(history(*reversed(prices)))
    assert found is not None
    assert "over 900 s should be at least -2.00%" in found.arithmetic


def test_a_crash_that_is_over_no_longer_blocks():
    prices = [100.0] * 5 + [95.0] * 20
    assert breach(history(*reversed(prices))) is None


def test_the_longer_window_is_measured_as_far_as_known():
    prices = [100.0 - 0.25 * i for i in range(9)]  # eight minutes: -2.0 % and a little of the last step
    found = breach(history(*reversed([*prices, 97.9])))
    assert found is not None
    assert found.reason == "BTC_CRASH"


def test_until_the_shortest_window_is_known_long_alts_wait():
    found = breach(history(*[100.0] * 5))
    assert found is not None
    assert (found.reason, found.arithmetic) == (
        "BTC_HISTORY",
        "300 s of BTC prices should be known, were 240 s",
    )
    assert breach(history(*[100.0] * 6)) is None


def test_an_old_price_says_nothing():
    found = breach(history(*[100.0] * 16), now_ns=NOW + 61 * NS)
    assert found is not None
    assert found.reason == "BTC_STALE"
    restarted = replace(history(*[100.0] * 16), latest=None)
    assert breach(restarted) is None
    assert breach(restarted, now_ns=NOW + 61 * NS) is not None


def test_without_btc_nothing_is_filtered():
    assert breach(PriceHistory()) is None


@given(
    st.lists(st.tuples(st.integers(-5 * NS, 200 * NS), st.floats(1.0, 1e6)), min_size=1, max_size=80),
)
def test_the_memory_is_ordered_bounded_and_reaches_back_far_enough(steps):
    found, now_ns, seen = PriceHistory(), NOW, []
    for wait_ns, price in steps:
        now_ns += wait_ns
        if not seen or now_ns > seen[-1].at_ns:
            seen.append(PricePoint(now_ns, price))
        found = remember_price(found, now_ns, price, RULES)
    assert found.latest == seen[-1]
    times = [point.at_ns for point in found.samples]
    assert set(found.samples) <= set(seen)
    assert all(b - a >= 60 * NS for a, b in pairwise(times))
    assert len(times) <= 17
    assert times[0] <= max(times[-1] - 900 * NS, seen[0].at_ns)


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"book_valid": False}, "BOOK_INVALID", "without gaps"),
        ({"book_at_ns": NOW - 10 * NS - 1_000_000}, "STALE_BOOK", "at most 10 s old, was 10.0 s"),
        ({"open_interest_at_ns": NOW - 301 * NS}, "STALE_OPEN_INTEREST", "at most 300 s old, was 301.0 s"),
    ],
)
def test_stale_data_is_refused(changes, reason, words):
    fine = MarketSight(NOW - 10 * NS, True, NOW - 300 * NS)
    assert freshness_breach(fine, NOW, FreshnessRules()) is None
    found = freshness_breach(replace(fine, **changes), NOW, FreshnessRules())
    assert found is not None
    assert found.reason == reason
    assert words in found.arithmetic
