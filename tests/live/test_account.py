"""The account: private stream as a second source, gaps, strays, hedge mode, words that cannot be booked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.app.alarms import Alarms
from hean_live.app.trading import TradingRules, build_account
from hean_live.execution.kill_switch import KillSwitch
from hean_live.execution.order_manager import OrderDecision
from hean_live.execution.records import CANCELLED, FILLED, OPEN, PARTIALLY_FILLED
from hean_live.venues.protocol import POST_ONLY
from hean_live.venues.streams.private_events import (
    Connected,
    Disconnected,
    ExecutionEvent,
    OrderEvent,
    PositionEvent,
    Unreadable,
    WalletEvent,
)
from models.market.trading_records import OrderStatus
from models.portfolio.limits import Limits
from tests.live.conftest import BEFORE_MS
from tests.live.records import DECISION_NS, ENTRY_ID, SYMBOL, execution, order, position
from tests.live.test_order_gate import Market

RESTING = OrderDecision(
    "S1", SYMBOL, DECISION_NS, "e0", 1, D("0.010"), D("50000.0"), POST_ONLY, False, D("49000.0")
)


class Seconds:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def account(venue, journal, tmp_path, seconds):
    rules = TradingRules(Limits(), D(3), lost_after_s=7.0, idle_s=60.0, open_s=10.0)
    market = Market()
    market.quotes = {SYMBOL: replace(market.quotes[SYMBOL], bid=D(50000), ask=D("50000.1"), mark=D(50000))}
    switch = KillSwitch(journal, tmp_path, D("0.2"))
    return build_account(venue, journal, switch, Alarms(journal), market, rules, monotonic=seconds)


def connected(account):
    account.take([Connected(1)])
    assert account.reconcile_if_due(busy=False)
    return account


def test_a_gap_of_the_stream_asks_for_a_reconciliation(account):
    connected(account)
    assert not account.reconcile_if_due(busy=False)
    for event in (Disconnected("closed", 1), Unreadable("bad row", 1), Connected(1)):
        account.take([event])
        assert account.problem
        assert account.books_now().halt
        assert account.reconcile_if_due(busy=False)
        assert account.problem == ""


def test_while_the_stream_is_up_being_busy_alone_asks_nothing(account, seconds):
    account.reconcile_if_due(busy=True)
    assert account.reconcile_if_due(busy=True)  # without a stream every poll asks
    connected(account)
    assert not account.reconcile_if_due(busy=True)
    seconds.now = 60.0
    assert account.reconcile_if_due(busy=True)


def test_an_execution_before_its_order_and_both_twice(account, journal):
    connected(account)
    fill = execution(qty=D(2))
    words = [ExecutionEvent(fill, 1), OrderEvent(order(status=OrderStatus.FILLED, filled_qty=D(2)), 1)]
    account.take([*words, *reversed(words), OrderEvent(order(), 1)])
    row = journal.order(ENTRY_ID)
    assert (row.state, row.filled_qty) == (FILLED, D(2))
    assert journal.count("fills") == 1
    account.take([PositionEvent(position(size=D(2), updated_ns=BEFORE_MS * 10**7), 1)])
    assert (account.books.own[SYMBOL], account.books.net[SYMBOL]) == (D(2), D(2))


def test_a_late_position_does_not_replace_a_newer_one(account):
    connected(account)
    later = BEFORE_MS * 10**7
    account.take(
        [ExecutionEvent(execution(qty=D(2)), 1), PositionEvent(position(size=D(2), updated_ns=later), 1)]
    )
    account.take([PositionEvent(position(size=D(1), updated_ns=later - 1), 1)])
    assert account.books.net[SYMBOL] == D(2)


def test_the_wallet_of_the_stream_is_taken(account, venue):
    connected(account)
    account.take([WalletEvent(replace(venue.wallet(), equity_usd=D(5)), 1)])
    assert account.books.equity_usd == D(5)


def test_a_word_that_contradicts_is_kept_blocks_only_its_symbol_and_is_tried_again(account, journal):
    connected(account)
    account.take([OrderEvent(order(), 1), OrderEvent(order(symbol="ETHUSDT", updated_ns=7), 1)])
    account.take([OrderEvent(order(status=OrderStatus.PARTIALLY_FILLED, filled_qty=D(1)), 1)])
    assert journal.order(ENTRY_ID).state == PARTIALLY_FILLED
    assert [(row.symbol, row.attempts) for row in journal.retries()] == [("ETHUSDT", 1)]
    assert "could not be booked" in account.books.foreign["ETHUSDT"]
    account.ask_soon()
    account.reconcile_if_due(busy=False)
    assert [row.attempts for row in journal.retries()] == [2]
    body = replace(order(), client_id="hn-S1-ETHUSDT-1-e0", symbol="ETHUSDT")
    account._manager.intake._book_order = lambda _order: body  # what stood in its way is gone
    account.ask_soon()
    account.reconcile_if_due(busy=False)
    assert journal.retries() == []
    assert len(journal.events("retried")) == 1


def test_an_execution_without_our_id_waits_for_the_listing(account, journal):
    connected(account)
    account.take([ExecutionEvent(execution(client_id="", side=-1), 1)])
    assert journal.count("fills") == 0
    assert "without an id of ours" in account.problem


def test_an_order_no_campaign_follows_is_cancelled(account, journal, venue):
    connected(account)
    account.place(RESTING)
    account.reconcile_if_due(busy=True)
    assert account.cancel_strays({SYMBOL: DECISION_NS}.get) == []
    assert [row.client_id for row in account.cancel_strays(lambda _symbol: None)] == [RESTING.client_id]
    account.reconcile_if_due(busy=True)
    assert journal.order(RESTING.client_id).state == CANCELLED
    assert venue.open_orders() == []


def test_a_symbol_in_hedge_mode_takes_no_order(account, journal, monkeypatch):
    connected(account)
    monkeypatch.setattr(account._venue, "is_hedge_mode", lambda _symbol: True)
    account.place(RESTING)
    assert journal.order(RESTING.client_id) is None
    account.take([PositionEvent(position(position_idx=1, updated_ns=BEFORE_MS * 10**7), 1)])
    assert "hedge mode" in account.books.foreign[SYMBOL]
    monkeypatch.setattr(account._venue, "is_hedge_mode", lambda _symbol: False)
    account._reconciler._held.clear()
    account.books = account._reconciler.books()
    account.place(RESTING)
    assert journal.order(RESTING.client_id).state == OPEN
