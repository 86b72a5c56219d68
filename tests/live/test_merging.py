"""Words of the venue about one order, in every order they may arrive in."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from itertools import permutations, product

import pytest

from hean_live.execution.event_text import key_of, read_execution, read_order, to_text
from hean_live.execution.merging import VANISHED, check_execution, check_order, merged
from hean_live.execution.records import CANCELLED, FILLED, LOST, OPEN, PARTIALLY_FILLED, REJECTED, UNRESOLVED
from models.errors import DataError
from models.market.trading_records import OrderStatus
from tests.live.records import execution, order, order_row

NEW = order()
PART = order(status=OrderStatus.PARTIALLY_FILLED, filled_qty=D("0.5"), avg_price=D(100))
DONE = order(status=OrderStatus.FILLED, filled_qty=D(2), avg_price=D(101))
ENDED = order(status=OrderStatus.CANCELLED, filled_qty=D("0.5"), cancel_type="CancelByUser", avg_price=D(100))


def after(words, row=None):
    row = row or order_row(state=UNRESOLVED, venue_id="")
    for word in words:
        row = merged(row, word)
    return row


@pytest.mark.parametrize("final", [DONE, ENDED])
def test_any_order_and_any_doubling_gives_the_same_order(final):
    results = {
        (row.state, row.filled_qty, row.avg_price, row.venue_id)
        for words in permutations([NEW, PART, final])
        for times in product((1, 2), repeat=3)
        for row in [after([word for word, count in zip(words, times, strict=True) for _ in range(count)])]
    }
    state = FILLED if final is DONE else CANCELLED
    assert results == {(state, final.filled_qty, final.avg_price, "v1")}


def test_a_fill_outweighs_the_cancel_it_raced():
    twice = replace(DONE, cancel_type="CancelByUser", reject_reason="EC_OrigClOrdIDDoesNotExist")
    assert after([ENDED, DONE]).state == after([DONE, twice]).state == after([DONE, ENDED]).state == FILLED


def test_a_word_that_says_nothing_new_changes_nothing():
    row = after([NEW, PART])
    assert row.state == PARTIALLY_FILLED
    assert merged(row, PART) == merged(row, NEW) == row


def test_what_we_concluded_gives_way_to_what_the_venue_says():
    for state, reason in ((LOST, VANISHED), (CANCELLED, VANISHED), (REJECTED, "10001")):
        assert merged(order_row(state=state, reason=reason), NEW).state == OPEN
    assert merged(order_row(state=CANCELLED, reason="CancelByUser"), NEW).state == CANCELLED


def test_an_unknown_status_says_that_the_order_exists():
    strange = order(status=OrderStatus.UNKNOWN)
    assert merged(order_row(state=UNRESOLVED), strange).state == OPEN
    assert merged(order_row(state=FILLED), strange).state == FILLED


def test_an_amended_order_has_its_new_size_and_price():
    row = after([NEW, order(qty=D(3), price=D(99))])
    assert (row.qty, row.price) == (D(3), D(99))


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "ETHUSDT"},
        {"side": -1},
        {"order_id": "another"},
        {"qty": D("1e20")},
        {"qty": D(-1)},
        {"filled_qty": D(3)},
        {"avg_price": D("1e30")},
    ],
)
def test_an_order_that_cannot_be_true_is_refused(changes):
    check_order(order_row(), order())
    with pytest.raises(DataError):
        check_order(order_row(), order(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"symbol": "ETHUSDT"},
        {"side": -1},
        {"qty": D(0)},
        {"price": D(-1)},
        {"fee": D("1e30")},
        {"at_ns": 2**70},
    ],
)
def test_an_execution_that_cannot_be_true_is_refused(changes):
    check_execution(order_row(), execution())
    with pytest.raises(DataError):
        check_execution(order_row(), execution(**changes))


def test_words_survive_being_kept_as_text():
    full = order(fees={"USDT": D("0.10")}, status=OrderStatus.UNKNOWN, trigger_price=D("1.50"), price=None)
    assert read_order(to_text(full)) == full
    assert read_execution(to_text(execution())) == execution()
    assert key_of(full) != key_of(replace(full, updated_ns=1))
    for text in ("", "[]", '{"qty": {"decimal": "x"}}', '{"unknown": 1}'):
        with pytest.raises(DataError, match="readable"):
            read_order(text)
