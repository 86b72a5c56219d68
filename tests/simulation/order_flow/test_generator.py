"""The tape itself: same seed same bytes, cuts change nothing, and an independent replay finds a sound book."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError
from models.market.tape import (
    DEPTH,
    END_OF_MESSAGE,
    EVENT,
    FUNDING,
    INDEX,
    LIQUIDATION,
    MARK,
    OPEN_INTEREST,
    PREMIUM,
    SNAPSHOT,
    SNAPSHOT_START,
    TRADE,
    is_sorted,
)
from models.simulation.order_flow.generator import (
    advance_order_flow,
    generate_order_flow,
    open_order_flow,
    stream_order_flow,
)
from models.simulation.order_flow.kernel import room_per_step
from models.simulation.order_flow.labels import EPISODE, LABEL
from models.simulation.order_flow.parameters import OrderFlowParameters, check_parameters
from models.simulation.order_flow.reports import implied_rate

BUSY = OrderFlowParameters(
    whales_per_hour=600.0,
    cascades_per_hour=30.0,
    trends_per_hour=30.0,
    regime_dwell_s=(60.0, 60.0, 60.0),
    funding_interval_h=1.0,
    start_ns=1_767_225_600_000_000_000 + 3_500 * 1_000_000_000,
)


@pytest.fixture(scope="module")
def market():
    return generate_order_flow(BUSY, seed=5, duration_s=400.0)


def replay(events):
    """Walk the tape with dictionaries; checks every event and yields nothing but the truth of the book."""
    sides = {1: {}, -1: {}}
    trades_inside = 0
    for kind, side, price, size in zip(
        events["kind"].tolist(),
        events["side"].tolist(),
        events["price"].tolist(),
        events["size"].tolist(),
        strict=True,
    ):
        if kind == SNAPSHOT_START:
            sides = {1: {}, -1: {}}
        elif kind in (DEPTH, SNAPSHOT):
            assert size >= 0.0
            if size == 0.0:
                assert sides[side].pop(price, None) is not None, "a level was deleted that was not there"
            else:
                sides[side][price] = size
            if kind == DEPTH:
                assert sides[1], "no bids"
                assert sides[-1], "no asks"
                assert max(sides[1]) < min(sides[-1]), "crossed"
        elif kind == TRADE:
            best = min(sides[-1]) if side > 0 else max(sides[1])
            assert price == best, "a trade away from the touch"
            assert 0.0 < size <= sides[-side][price] + 1e-12, "more was traded than there was"
            trades_inside += 1
    return trades_inside, sides


def test_an_independent_replay_finds_no_crossed_book_and_no_impossible_trade(market):
    trades, sides = replay(market.events)
    assert trades > 1000
    assert len(sides[1]) <= BUSY.levels
    assert len(sides[-1]) <= BUSY.levels


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(market):
    again = generate_order_flow(BUSY, seed=5, duration_s=400.0)
    for mine, other in zip(market, again, strict=True):
        assert mine.tobytes() == other.tobytes()
    assert generate_order_flow(BUSY, seed=6, duration_s=400.0).events.tobytes() != market.events.tobytes()


@pytest.mark.parametrize("chunk_events", [2 * room_per_step(BUSY.levels), 2503, 50_000])
def test_where_the_tape_is_cut_does_not_change_it(market, chunk_events):
    chunks = list(stream_order_flow(BUSY, 5, 400.0, chunk_events))
    assert max(len(chunk.events) for chunk in chunks) <= chunk_events
    for k, whole in enumerate(market):
        assert b"".join(chunk[k].tobytes() for chunk in chunks) == whole.tobytes()


def test_a_market_served_bit_by_bit_is_the_same(market):
    world = open_order_flow(BUSY, 5)
    chunks = []
    for k in range(1, 801):
        chunks += advance_order_flow(world, BUSY, BUSY.start_ns + k * 500_000_000)
    for k, whole in enumerate(market):
        assert b"".join(chunk[k].tobytes() for chunk in chunks) == whole.tobytes()


def test_a_longer_market_begins_with_the_shorter_one(market):
    shorter = generate_order_flow(BUSY, seed=5, duration_s=150.0)
    assert market.events[: len(shorter.events)].tobytes() == shorter.events.tobytes()


def test_layout_order_and_clocks(market):
    events = market.events
    assert (events.dtype, market.labels.dtype, market.episodes.dtype) == (EVENT, LABEL, EPISODE)
    assert is_sorted(events)
    assert np.all(np.diff(events["exch_ts"]) >= 0)
    assert np.all(events["local_ts"] - events["exch_ts"] >= BUSY.feed_latency_min_ms * 1e6)
    assert events["exch_ts"][-1] < BUSY.start_ns + 400 * 10**9
    book_events = np.isin(events["kind"], [DEPTH, SNAPSHOT, TRADE])
    assert np.all(np.abs(events["price"][book_events] / 0.5 % 1.0) < 1e-9)
    lots = events["size"][book_events] / BUSY.lot_size
    assert np.all(np.abs(lots - np.round(lots)) < 1e-6)


def test_messages_are_whole(market):
    events = market.events
    ends = np.flatnonzero(events["kind"] == END_OF_MESSAGE)
    starts = np.concatenate([[0], ends[:-1] + 1])
    for start, end in zip(starts[:3000], ends[:3000], strict=False):
        touched = np.isin(events["kind"][start:end], [DEPTH, SNAPSHOT, TRADE])
        stamps = events["local_ts"][start : end + 1][np.append(touched, True)]
        assert len(np.unique(stamps)) == 1


def test_every_kind_of_report_is_there_and_funding_follows_the_formula(market):
    events = market.events
    kinds = set(events["kind"].tolist())
    assert {MARK, INDEX, PREMIUM, OPEN_INTEREST, FUNDING, LIQUIDATION} <= kinds
    settled = int(np.flatnonzero(events["kind"] == FUNDING)[0])
    premia = events["price"][:settled][events["kind"][:settled] == PREMIUM]
    weights = np.arange(1, len(premia) + 1)
    average = float(premia @ weights / weights.sum())
    interest = 0.0003 / 24.0
    expected = average + min(max(interest - average, -0.0005), 0.0005)
    assert events["price"][settled] == pytest.approx(expected, abs=1e-8)
    assert events["exch_ts"][settled] % (3600 * 10**9) == 0


@pytest.mark.parametrize(
    ("average", "hours", "rate"),
    [(0.0012, 8.0, 0.0007), (0.0, 8.0, 0.0001), (0.0, 4.0, 0.00005), (0.02, 1.0, 0.005)],
)
def test_implied_rate_is_the_venues(average, hours, rate):
    assert implied_rate(average, hours, 0.005) == pytest.approx(rate, rel=1e-12)


def test_impossible_markets_are_refused():
    with pytest.raises(ConfigError, match=r"self_excitation \+ cross_excitation from 0 to 0.99, was 1.2"):
        check_parameters(BUSY._replace(self_excitation=1.1))
    with pytest.raises(ConfigError, match="chunk_events"):
        next(stream_order_flow(BUSY, 1, 1.0, chunk_events=10))
