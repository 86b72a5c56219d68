"""The book against a dictionary that does the same slowly, and what makes a book invalid."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.market import book as books
from models.market.book_record import FAR_LEVELS
from models.market.tape import (
    BBO,
    DEPTH,
    END_OF_MESSAGE,
    EVENT,
    GAP,
    SNAPSHOT,
    SNAPSHOT_START,
    TRADE,
    Events,
)

TICK = 0.5
Row = tuple[int, int, int, float]


def tape(rows: list[Row], tick: float = TICK) -> Events:
    """Events of (kind, side, tick, size), one nanosecond apart."""
    events = np.zeros(len(rows), dtype=EVENT)
    for i, (kind, side, ticks, size) in enumerate(rows):
        events[i] = (i + 1, i + 1, kind, side, ticks * tick, size)
    return events


def snapshot(bids: dict[int, float], asks: dict[int, float]) -> list[Row]:
    rows: list[Row] = [(SNAPSHOT_START, 0, 0, 0.0)]
    rows += [(SNAPSHOT, 1, tick, size) for tick, size in bids.items()]
    rows += [(SNAPSHOT, -1, tick, size) for tick, size in asks.items()]
    return [*rows, (END_OF_MESSAGE, 0, 0, 0.0)]


class DictBook:
    """What a book is, without any thought for speed."""

    def __init__(self) -> None:
        self.sides: dict[int, dict[int, float]] = {1: {}, -1: {}}

    def apply(self, kind: int, side: int, tick: int, size: float) -> None:
        if kind == SNAPSHOT_START:
            for cleared in (1, -1) if side == 0 else (side,):
                self.sides[cleared].clear()
        elif kind in (DEPTH, SNAPSHOT, BBO):
            levels = self.sides[side]
            if kind == BBO:
                for better in [level for level in levels if side * level > side * tick]:
                    del levels[better]
            if size > 0:
                levels[tick] = size
            else:
                levels.pop(tick, None)

    def ordered(self, side: int) -> list[tuple[int, float]]:
        return sorted(self.sides[side].items(), reverse=side > 0)


def levels_of(book: books.Book, side: int, n: int) -> list[tuple[int, float]]:
    out: npt.NDArray[np.float64] = np.zeros((n, 2))
    count = books.depth_levels(book, side, n, out)
    return [(int(tick), float(size)) for tick, size in out[:count]]


def assert_same(book: books.Book, reference: DictBook) -> None:
    for side, h in ((1, 0), (-1, 1)):
        expected = reference.ordered(side)
        assert levels_of(book, side, len(expected) + 1) == expected
        assert book.levels[h] == len(expected)
        assert np.count_nonzero(book.far_sizes[h]) == book.far_levels[h]
        occupied = sum(int(word).bit_count() for word in book.words[h])
        assert occupied == book.levels[h] - book.far_levels[h]
        assert np.count_nonzero(book.sizes[h]) == occupied
        empty = books.NO_BID if side > 0 else books.NO_ASK
        best = books.best_bid(book) if side > 0 else books.best_ask(book)
        assert best == (expected[0][0] if expected else empty)
        for tick, size in expected[:5]:
            assert books.size_at(book, side, tick) == size
            assert books.size_at(book, side, tick + 7) == reference.sides[side].get(tick + 7, 0.0)


# Three scales: around the touch, around the edges of the window, far beyond it.
TICKS = st.one_of(
    st.integers(100_000, 100_030), st.integers(95_000, 105_000), st.integers(1, 2_000_000), st.just(100_000)
)
SIZES = st.one_of(st.just(0.0), st.floats(0.001, 1e6))
ROWS = st.tuples(
    st.sampled_from([DEPTH, DEPTH, DEPTH, DEPTH, SNAPSHOT, BBO, TRADE]),
    st.sampled_from([1, -1]),
    TICKS,
    SIZES,
)
CLEARS = st.tuples(st.just(SNAPSHOT_START), st.sampled_from([1, -1, 0]), st.just(0), st.just(0.0))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(*[ROWS] * 12, CLEARS), max_size=60))
def test_it_agrees_with_a_dictionary(rows: list[Row]) -> None:
    book, reference = books.new_book(TICK), DictBook()
    for row, event in zip(rows, tape(rows), strict=True):
        books.apply(book, event)
        reference.apply(*row)
    assert_same(book, reference)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_agrees_with_a_dictionary_while_the_market_wanders(seed: int) -> None:
    rng = np.random.default_rng(seed)
    book, reference = books.new_book(TICK), DictBook()
    middle = 1_000_000
    for _ in range(40):
        middle += int(rng.integers(-3000, 3000))
        rows = []
        for side in (1, -1):
            # As in a market: what the price has crossed is gone before new orders arrive beyond it.
            crossed = [tick for tick in reference.sides[side] if side * (tick - middle) >= 0]
            rows += [(DEPTH, side, tick, 0.0) for tick in crossed]
            near = middle - side * rng.geometric(0.02, 60)
            deep = middle - side * rng.integers(1, 20_000, 60)
            for tick in np.concatenate([near, deep]).tolist():
                rows.append((DEPTH, side, tick, float(rng.choice([0.0, 1.5, 2.5]))))
        for row in rows:
            reference.apply(*row)
        books.apply_all(book, tape(rows))
        assert_same(book, reference)
    assert book.dropped == 0


def test_negative_prices_are_prices() -> None:
    book = books.new_book(TICK)
    books.apply_all(book, tape(snapshot({-5: 1.0, -70: 2.0}, {-1: 3.0, 130: 4.0})))
    assert books.is_valid(book)
    assert levels_of(book, 1, 9) == [(-5, 1.0), (-70, 2.0)]
    assert levels_of(book, -1, 9) == [(-1, 3.0), (130, 4.0)]
    assert books.mid_price(book) == -1.5


def test_a_full_table_drops_the_farthest_levels_and_counts_them() -> None:
    near = list(range(1_000_000, 1_000_000 - 500, -1))
    far = list(range(900_000, 900_000 - 3 * 20_000, -3))
    book = books.new_book(TICK)
    books.apply_all(book, tape(snapshot(dict.fromkeys(near + far, 1.0), {1_000_001: 1.0})))
    assert book.dropped > 0
    assert book.levels[0] + book.dropped == len(near) + len(far)
    assert book.far_levels[0] < FAR_LEVELS * 3 // 4
    kept = [tick for tick, _ in levels_of(book, 1, len(near) + 50)]
    assert kept == (near + far)[: len(kept)]


def test_depth_within_a_band_of_the_mid() -> None:
    book = books.new_book(0.1)
    events = tape(
        snapshot({9_999: 1.0, 9_990: 2.0, 9_989: 4.0, 2_000: 9.0}, {10_001: 3.0, 10_010: 5.0, 10_011: 7.0}),
        0.1,
    )
    books.apply_all(book, events)
    assert books.mid_price(book) == pytest.approx(1000.0)
    assert books.band_depth(book, 1, 10.0) == 3.0
    assert books.band_depth(book, -1, 10.0) == 8.0
    assert books.band_depth(book, 1, 9_000.0) == 16.0
    assert math.isnan(books.band_depth(books.new_book(0.1), 1, 10.0))


def test_a_band_may_reach_beyond_the_window() -> None:
    generator = np.random.default_rng(2)
    ticks = 100_000 - np.cumsum(generator.integers(1, 9, 4000))
    sizes = generator.lognormal(0.0, 2.0, 4000)
    rows = snapshot(dict(zip(ticks.tolist(), sizes.tolist(), strict=True)), {100_001: 1.0})
    book = books.new_book(TICK)
    books.apply_all(book, tape(rows))
    assert book.far_levels[0] > 1000
    for bps in (1.0, 50.0, 500.0, 1500.0):
        limit = books.mid_price(book) * (1.0 - bps * 1e-4)
        # Best first, to the bit: the order of the sum is part of the answer.
        wanted = 0.0
        for tick, size in zip(ticks.tolist(), sizes.tolist(), strict=True):
            wanted += size if tick * TICK >= limit else 0.0
        assert books.band_depth(book, 1, bps) == wanted


def test_a_book_is_invalid_until_a_whole_snapshot() -> None:
    book = books.new_book(TICK)
    reasons = []
    for event in tape([(DEPTH, 1, 10, 1.0), (END_OF_MESSAGE, 0, 0, 0.0), *snapshot({10: 1.0}, {11: 1.0})]):
        books.apply(book, event)
        reasons.append(books.invalid_reason(book))
        assert books.is_valid(book) == (reasons[-1] == books.VALID)
    inside = [books.INSIDE_MESSAGE] * 3
    assert reasons == [books.NO_SNAPSHOT, books.NO_SNAPSHOT, *inside, books.VALID]
    assert book.local_ts == 6


def test_one_sided_snapshots_complete_a_book_together() -> None:
    book = books.new_book(TICK)
    end = (END_OF_MESSAGE, 0, 0, 0.0)
    books.apply_all(book, tape([(SNAPSHOT_START, 1, 0, 0.0), (SNAPSHOT, 1, 10, 1.0), end]))
    assert books.invalid_reason(book) == books.NO_SNAPSHOT
    books.apply_all(book, tape([(SNAPSHOT_START, -1, 0, 0.0), (SNAPSHOT, -1, 11, 1.0), end]))
    assert books.is_valid(book)


def test_a_gap_heals_by_a_snapshot_only() -> None:
    book = books.new_book(TICK)
    end = (END_OF_MESSAGE, 0, 0, 0.0)
    books.apply_all(book, tape([*snapshot({10: 1.0}, {11: 1.0}), (GAP, 0, 0, 0.0)]))
    assert books.invalid_reason(book) == books.GAPPED
    books.apply_all(book, tape([(DEPTH, 1, 10, 2.0), end, (BBO, 1, 10, 3.0), (BBO, -1, 11, 1.0), end]))
    assert books.invalid_reason(book) == books.GAPPED
    books.apply_all(book, tape(snapshot({10: 1.0}, {11: 1.0})))
    assert books.is_valid(book)
    assert book.gaps == 1


@pytest.mark.parametrize("bid", [11, 12])
def test_a_locked_or_crossed_book_is_invalid_until_it_uncrosses(bid: int) -> None:
    book = books.new_book(TICK)
    end = (END_OF_MESSAGE, 0, 0, 0.0)
    books.apply_all(book, tape([*snapshot({10: 1.0}, {11: 1.0, 15: 1.0}), (DEPTH, 1, bid, 1.0), end]))
    assert books.invalid_reason(book) == books.CROSSED
    assert book.crossings == 1
    books.apply_all(book, tape([(DEPTH, -1, 11, 0.0), end]))
    assert books.is_valid(book)


def test_an_empty_side_is_invalid() -> None:
    book = books.new_book(TICK)
    books.apply_all(
        book, tape([*snapshot({10: 1.0}, {11: 1.0}), (DEPTH, -1, 11, 0.0), (END_OF_MESSAGE, 0, 0, 0.0)])
    )
    assert books.invalid_reason(book) == books.EMPTY_SIDE
    assert books.best_ask(book) == books.NO_ASK


def test_a_price_between_ticks_makes_the_book_invalid() -> None:
    book = books.new_book(TICK)
    books.apply_all(book, tape(snapshot({10: 1.0}, {11: 1.0}), tick=0.4))
    assert books.invalid_reason(book) == books.OFF_GRID


@pytest.mark.parametrize("tick", [0.1, 0.01, 0.0001, 0.00001, 0.5, 0.05, 25.0, 1e-7])
def test_prices_find_their_tick(tick: float) -> None:
    book = books.new_book(tick)
    rng = np.random.default_rng(7)
    for ticks in rng.integers(1, 10_000_000, 200).tolist():
        price = float(f"{ticks * tick:.10f}")
        assert books.tick_of(book, price) == ticks


@pytest.mark.parametrize("tick", [0.0, -0.1, math.nan, math.inf])
def test_a_tick_size_must_be_positive(tick: float) -> None:
    with pytest.raises(DataError, match="expected positive tick sizes"):
        books.new_book(tick)


def test_a_copy_is_another_book() -> None:
    book = books.new_book(TICK)
    books.apply_all(book, tape(snapshot({10: 1.0}, {11: 1.0})))
    saved = book.copy()  # type: ignore[attr-defined]
    books.apply_all(book, tape([(DEPTH, 1, 10, 0.0), (END_OF_MESSAGE, 0, 0, 0.0)]))
    assert books.best_bid(saved) == 10
    assert books.best_bid(book) == books.NO_BID
