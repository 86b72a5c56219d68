"""What always holds of a book that says it is valid, whatever came before; and of volume in VPIN's buckets."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market import book as books
from models.market.features.records import new_record
from models.market.features.vpin import VPIN, update, value
from models.market.tape import BBO, DEPTH, END_OF_MESSAGE, EVENT, GAP, SNAPSHOT, SNAPSHOT_START

TICK = 0.5
SIDE = st.sampled_from([1, -1])
LEVEL = st.tuples(SIDE, st.integers(990, 1010), st.one_of(st.just(0.0), st.floats(0.001, 1e3)))
MESSAGE = st.one_of(
    st.tuples(st.just(DEPTH), st.lists(LEVEL, min_size=1, max_size=6)),
    st.tuples(st.just(BBO), st.lists(LEVEL, min_size=1, max_size=2)),
    st.tuples(st.just(SNAPSHOT), st.lists(LEVEL, max_size=8)),
    st.tuples(st.just(GAP), st.just([])),
)


def rows_of(kind: int, levels: list[tuple[int, int, float]]) -> list[tuple[int, int, int, float]]:
    if kind == GAP:
        return [(GAP, 0, 0, 0.0)]
    rows = [(SNAPSHOT_START, 0, 0, 0.0)] if kind == SNAPSHOT else []
    rows += [(kind, side, tick, size) for side, tick, size in levels]
    return [*rows, (END_OF_MESSAGE, 0, 0, 0.0)]


@settings(max_examples=300, deadline=None)
@given(st.lists(MESSAGE, max_size=30))
def test_a_valid_book_is_whole_uncrossed_and_ordered(messages: list) -> None:
    book = books.new_book(TICK)
    at, healed = 0, False
    out = np.zeros((64, 2))
    for kind, levels in messages:
        healed = (healed or kind == SNAPSHOT) and kind != GAP
        for row, (event_kind, side, tick, size) in enumerate(rows := rows_of(kind, levels)):
            at += 1
            event = np.zeros(1, EVENT)
            event[0] = (at, at, event_kind, side, tick * TICK, size)
            books.apply(book, event[0])
            # Inside a message nothing may look; after a gap nothing may until a whole snapshot has come.
            assert not books.is_valid(book) or (healed and row == len(rows) - 1)
        assert books.is_valid(book) == (books.invalid_reason(book) == books.VALID)
        if not books.is_valid(book):
            if books.invalid_reason(book) == books.EMPTY_SIDE:
                assert math.isnan(books.mid_price(book))
            continue
        bid, ask = books.best_bid(book), books.best_ask(book)
        assert bid < ask
        assert bid * TICK < books.mid_price(book) < ask * TICK
        for side, best in ((1, bid), (-1, ask)):
            count = books.depth_levels(book, side, 64, out)
            ticks, sizes = out[:count, 0], out[:count, 1]
            assert ticks[0] == best
            assert np.all(sizes > 0.0)
            assert np.all(-side * np.diff(ticks) > 0.0)
            assert books.size_at(book, side, best) == sizes[0]
            within = books.band_depth(book, side, 1e4)
            assert within <= sizes.sum() * (1.0 + 1e-12)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.01, 1e6), SIDE), max_size=60),
    st.integers(1, 8),
    st.sampled_from([1.0, 100.0, 5_000.0, 50_000.0]),
)
def test_buckets_close_exactly_when_their_volume_has_traded(
    flow: list[tuple[float, int]], buckets: int, bucket_usd: float
) -> None:
    """Every unit of volume goes into one bucket: as many have closed as fit into what was traded, and VPIN is a share."""
    state = new_record(VPIN)
    traded = closed = 0.0
    for notional, side in flow:
        closed += update(state, notional, side, bucket_usd, buckets)
        traded += notional
        # Sums of floats may miss a border by their rounding, never by more.
        assert abs(closed - traded / bucket_usd) < 1.0 + 1e-9 * (1.0 + traded / bucket_usd)
        assert closed * bucket_usd <= traded * (1.0 + 1e-9)
        found = value(state, buckets)
        assert math.isnan(found) == (closed < buckets)
        if closed >= buckets:
            assert 0.0 <= found <= 1.0
