"""Levels of one side of a book: the window of ticks that follows the touch, and the table of levels far from it.

A level is kept under its *key*: the tick on the bid side, minus the tick on the ask side, so "best" is the highest
key on either side and both share this code. Sides are indexed 0 (bid) and 1 (ask).

Invariants, between calls: every key in the far table lies below the window; `best` is the highest key of the side,
`NO_TICK` when it has none, and lies inside the window; a bit is set exactly where a size is not zero.

What does not belong here: events, validity, prices (`book.py`).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numba.cpython.unsafe.numbers import leading_zeros

from models.market.book_record import FAR_LEVELS, NO_TICK, WINDOW_TICKS, Book

_SLOT: Final = WINDOW_TICKS - 1
_FAR: Final = FAR_LEVELS - 1
_FAR_SHIFT: Final = np.uint64(64 - 14)
_FAR_LIMIT: Final = FAR_LEVELS * 3 // 4
_HOME_WORD: Final = 47  # a new window puts the touch here: three quarters of it lie deeper
_LOW_WORD: Final = 16  # a touch below this word has too little window under it
_ONE: Final = np.uint64(1)
_NONE: Final = np.uint64(0)
_HASH: Final = np.uint64(0x9E3779B97F4A7C15)


@njit(cache=True)
def _highest_bit(word: np.uint64) -> int:
    return int(np.int64(63) - np.int64(leading_zeros(word)))  # type: ignore[call-arg]


@njit(cache=True)
def _far_home(key: int) -> int:
    return int(np.int64((np.uint64(key) * _HASH) >> _FAR_SHIFT))  # int() alone would stay unsigned


@njit(cache=True)
def _far_slot(book: Book, h: int, key: int) -> int:
    """Slot that holds a key, or the free slot where it would go."""
    slot = _far_home(key)
    while book.far_sizes[h, slot] > 0.0 and book.far_keys[h, slot] != key:
        slot = (slot + 1) & _FAR
    return slot


@njit(cache=True)
def _far_remove(book: Book, h: int, slot: int) -> None:
    """Free a slot and close the hole behind it, so that probing still finds every key."""
    hole = slot
    probe = (slot + 1) & _FAR
    while book.far_sizes[h, probe] > 0.0:
        home = _far_home(book.far_keys[h, probe])
        if ((probe - home) & _FAR) >= ((probe - hole) & _FAR):
            book.far_keys[h, hole] = book.far_keys[h, probe]
            book.far_sizes[h, hole] = book.far_sizes[h, probe]
            hole = probe
        probe = (probe + 1) & _FAR
    book.far_sizes[h, hole] = 0.0
    book.far_levels[h] -= 1


@njit(cache=True)
def _far_best_below(book: Book, h: int, limit: int) -> int:
    best = NO_TICK
    if book.far_levels[h] > 0:
        for slot in range(FAR_LEVELS):
            key = book.far_keys[h, slot]
            if book.far_sizes[h, slot] > 0.0 and best < key < limit:
                best = key
    return best


@njit(cache=True)
def _drop_farthest(book: Book, h: int) -> None:
    """Drop the far half of the stretch the table spans, again until half of the table is free."""
    while book.far_levels[h] > FAR_LEVELS // 2:
        lowest = highest = _far_best_below(book, h, book.base[h] << 6)
        for slot in range(FAR_LEVELS):
            if book.far_sizes[h, slot] > 0.0 and book.far_keys[h, slot] < lowest:
                lowest = book.far_keys[h, slot]
        cut = lowest + (highest - lowest + 1) // 2
        for slot in range(FAR_LEVELS):
            # A removal pulls another key into this slot: look again until it stays.
            while book.far_sizes[h, slot] > 0.0 and book.far_keys[h, slot] < cut:
                _far_remove(book, h, slot)
                book.levels[h] -= 1
                book.dropped += 1


@njit(cache=True)
def _far_set(book: Book, h: int, key: int, size: float) -> None:
    slot = _far_slot(book, h, key)
    if book.far_sizes[h, slot] > 0.0:
        if size > 0.0:
            book.far_sizes[h, slot] = size
        else:
            _far_remove(book, h, slot)
            book.levels[h] -= 1
    elif size > 0.0:
        book.far_keys[h, slot] = key
        book.far_sizes[h, slot] = size
        book.far_levels[h] += 1
        book.levels[h] += 1
        if book.far_levels[h] >= _FAR_LIMIT:
            _drop_farthest(book, h)


@njit(cache=True)
def _window_best_below(book: Book, h: int, limit: int) -> int:
    """Highest key of the window below `limit`, `NO_TICK` when there is none."""
    offset = (limit >> 6) - book.base[h]
    if offset < 0:
        return NO_TICK
    if offset < 64:
        word = book.words[h, (limit >> 6) & 63] & ((_ONE << np.uint64(limit & 63)) - _ONE)
        if word != _NONE:
            return ((limit >> 6) << 6) + _highest_bit(word)
    turn = np.uint64(book.base[h] & 63)
    summary = book.summary[h]
    if turn != _NONE:
        summary = (summary >> turn) | (summary << (np.uint64(64) - turn))
    if offset < 64:
        summary &= (_ONE << np.uint64(offset)) - _ONE
    if summary == _NONE:
        return NO_TICK
    number = book.base[h] + _highest_bit(summary)
    return int((number << 6) + _highest_bit(book.words[h, number & 63]))


@njit(cache=True)
def next_key(book: Book, h: int, key: int) -> int:
    """Return the next key below `key`, `NO_TICK` when there is none."""
    found = _window_best_below(book, h, key)
    if found == NO_TICK:
        found = _far_best_below(book, h, key)
    return found


@njit(cache=True)
def size_of_key(book: Book, h: int, key: int) -> float:
    """Return the size at a key, 0.0 when none rests there."""
    offset = (key >> 6) - book.base[h]
    if 0 <= offset < 64:
        return float(book.sizes[h, key & _SLOT])
    if offset < 0 and book.far_levels[h] > 0:
        return float(book.far_sizes[h, _far_slot(book, h, key)])
    return 0.0


@njit(cache=True)
def size_down_to(book: Book, h: int, last: int) -> float:
    """Return the sum of the sizes from the best key down to `last`, added up in that order."""
    if book.best[h] == NO_TICK:
        return 0.0
    total = 0.0
    lowest = max(last, book.base[h] << 6)
    for number in range(book.best[h] >> 6, (lowest >> 6) - 1, -1):
        word = book.words[h, number & 63]
        if number == lowest >> 6:
            word &= ~_NONE << np.uint64(lowest & 63)
        while word != _NONE:
            bit = _highest_bit(word)
            word ^= _ONE << np.uint64(bit)
            total += book.sizes[h, ((number << 6) + bit) & _SLOT]
    if lowest == last or book.far_levels[h] == 0:
        return total
    # One look at the whole table: asking it for the next key again and again would look at all of it each time.
    keys = np.empty(book.far_levels[h], np.int64)
    found = 0
    for slot in range(FAR_LEVELS):
        if book.far_sizes[h, slot] > 0.0 and book.far_keys[h, slot] >= last:
            keys[found] = book.far_keys[h, slot]
            found += 1
    keys[:found].sort()
    for i in range(found - 1, -1, -1):
        total += book.far_sizes[h, _far_slot(book, h, keys[i])]
    return total


@njit(cache=True)
def _window_set(book: Book, h: int, key: int, size: float) -> None:
    """Put a level into the window; the caller counts it."""
    number = (key >> 6) & 63
    book.sizes[h, key & _SLOT] = size
    book.words[h, number] |= _ONE << np.uint64(key & 63)
    book.summary[h] |= _ONE << np.uint64(number)


@njit(cache=True)
def _move_word_out(book: Book, h: int, number: int) -> None:
    """Move the levels of a word of the window to the far table."""
    word = book.words[h, number & 63]
    while word != _NONE:
        bit = _highest_bit(word)
        word &= ~(_ONE << np.uint64(bit))
        key = (number << 6) + bit
        size = book.sizes[h, key & _SLOT]
        book.sizes[h, key & _SLOT] = 0.0
        book.levels[h] -= 1
        _far_set(book, h, key, size)
    book.words[h, number & 63] = _NONE
    book.summary[h] &= ~(_ONE << np.uint64(number & 63))


@njit(cache=True)
def _move_window(book: Book, h: int, key: int) -> None:
    """Let the window follow the market: put `key`, the best of the side, at its home word."""
    old = book.base[h]
    new = (key >> 6) - _HOME_WORD
    # What leaves must count as outside while it is moved: the far table measures distance from `base`.
    book.base[h] = max(new, old)
    if new > old and book.levels[h] > book.far_levels[h]:
        for number in range(old, min(new, old + 64)):
            if book.words[h, number & 63] != _NONE:
                _move_word_out(book, h, number)
    book.base[h] = new
    if new < old and book.far_levels[h] > 0:
        for slot in range(FAR_LEVELS):
            while book.far_sizes[h, slot] > 0.0 and book.far_keys[h, slot] >= (new << 6):
                far_key = book.far_keys[h, slot]
                size = book.far_sizes[h, slot]
                _far_remove(book, h, slot)
                _window_set(book, h, far_key, size)


@njit(cache=True)
def _find_best(book: Book, h: int) -> None:
    """Find the best level after the old one went, moving the window when too little of it lies deeper."""
    best = next_key(book, h, book.best[h])
    book.best[h] = best
    if best != NO_TICK and (best >> 6) - book.base[h] < _LOW_WORD:
        _move_window(book, h, best)


@njit(cache=True)
def _delete(book: Book, h: int, key: int, offset: int) -> None:
    if offset < 0:
        if book.far_levels[h] > 0:
            _far_set(book, h, key, 0.0)
    elif offset < 64 and book.sizes[h, key & _SLOT] > 0.0:
        number = (key >> 6) & 63
        book.sizes[h, key & _SLOT] = 0.0
        book.words[h, number] &= ~(_ONE << np.uint64(key & 63))
        if book.words[h, number] == _NONE:
            book.summary[h] &= ~(_ONE << np.uint64(number))
        book.levels[h] -= 1
        if key == book.best[h]:
            _find_best(book, h)


@njit(cache=True)
def set_level(book: Book, h: int, key: int, size: float) -> None:
    """Set the size at a key; 0 deletes the level, deleting what is not there changes nothing."""
    offset = (key >> 6) - book.base[h]
    if size <= 0.0:
        _delete(book, h, key, offset)
        return
    if offset >= 64 or book.levels[h] == 0:
        _move_window(book, h, key)
    elif offset < 0:
        _far_set(book, h, key, size)
        return
    if book.sizes[h, key & _SLOT] == 0.0:
        book.levels[h] += 1
        _window_set(book, h, key, size)
    else:
        book.sizes[h, key & _SLOT] = size
    if key > book.best[h]:
        book.best[h] = key


@njit(cache=True)
def clear_side(book: Book, h: int) -> None:
    """Delete every level of a side."""
    summary = book.summary[h]
    while summary != _NONE:
        number = _highest_bit(summary)
        summary &= ~(_ONE << np.uint64(number))
        book.words[h, number] = _NONE
        book.sizes[h, number << 6 : (number + 1) << 6] = 0.0
    book.summary[h] = _NONE
    if book.far_levels[h] > 0:
        book.far_sizes[h, :] = 0.0
    book.far_levels[h] = 0
    book.levels[h] = 0
    book.best[h] = NO_TICK
