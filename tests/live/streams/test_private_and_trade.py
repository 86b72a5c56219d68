"""The private stream's events, and order entry over the trade socket, over real sockets."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from hean_live.venues.errors import OrderRejected, OrderUnresolved, RateLimited
from hean_live.venues.protocol import POST_ONLY, NewOrder
from hean_live.venues.streams.backoff import Backoff
from hean_live.venues.streams.private import PrivateStream
from hean_live.venues.streams.private_events import (
    Connected,
    Disconnected,
    ExecutionEvent,
    OrderEvent,
    PositionEvent,
    PrivateEvent,
    Unreadable,
    WalletEvent,
)
from hean_live.venues.streams.socket_orders import SocketOrders
from hean_live.venues.streams.thread import StreamThread
from hean_live.venues.streams.trade import TradeSocket
from models.market.trading_records import OrderAck, OrderStatus
from tests.live.streams.scripted import KEY, SECRET, SYMBOL, ScriptedVenue, acknowledge, eventually
from tests.support import shared_path

ORDER = NewOrder("client-1", SYMBOL, 1, Decimal("0.5"), Decimal("100.1"), POST_ONLY, False, Decimal(98))


def payload_of(name: str) -> dict[str, Any]:
    return json.loads(shared_path(f"fixtures/bybit/nautilus/{name}").read_text())


@pytest.fixture
def private(
    scripted: ScriptedVenue, thread: StreamThread
) -> Iterator[tuple[PrivateStream, list[PrivateEvent]]]:
    events: list[PrivateEvent] = []
    stream = PrivateStream(scripted.url("private"), KEY, SECRET, events.append, backoff=Backoff(0.01, 0.05))
    running = thread.run(stream.run())
    yield stream, events
    running.cancel()


def test_every_topic_becomes_its_event(
    scripted: ScriptedVenue, private: tuple[PrivateStream, list[PrivateEvent]]
) -> None:
    _, events = private
    eventually(lambda: len(events) == 1)
    assert isinstance(events[0], Connected)
    assert scripted.subscribed == ["order", "execution", "position", "wallet"]
    names = ("order", "execution", "position", "wallet")
    for name in names:
        scripted.push(payload_of(f"ws_account_{name}.json"), "private")
    kinds = (OrderEvent, ExecutionEvent, PositionEvent, WalletEvent)
    eventually(lambda: all(any(isinstance(event, kind) for event in events) for kind in kinds))
    assert not any(isinstance(event, Unreadable) for event in events)
    order = next(event.order for event in events if isinstance(event, OrderEvent))
    assert order.status is not OrderStatus.UNKNOWN
    assert all(event.received_ns > 1_700_000_000_000_000_000 for event in events)


def test_unreadable_words_are_events_too(
    scripted: ScriptedVenue, private: tuple[PrivateStream, list[PrivateEvent]]
) -> None:
    stream, events = private
    eventually(lambda: events)
    good = payload_of("ws_account_execution.json")
    broken = {**good, "data": [{"symbol": "BTCUSDT"}, *good["data"]]}
    for message in (b"not JSON", b"[]", b"{}", broken, {"topic": "order", "data": "none"}):
        scripted.push(message, "private")
    eventually(lambda: sum(isinstance(event, ExecutionEvent) for event in events) == len(good["data"]))
    eventually(lambda: stream.counts.unreadable == 5)
    assert sum(isinstance(event, Unreadable) for event in events) == 5
    assert stream.connection.counts.callback_errors == 0


def test_a_reconnection_is_told_in_order(
    scripted: ScriptedVenue, private: tuple[PrivateStream, list[PrivateEvent]]
) -> None:
    stream, events = private
    eventually(lambda: stream.is_ready)
    scripted.drop("private")
    eventually(lambda: len(events) >= 3)
    assert [type(event) for event in events[:3]] == [Connected, Disconnected, Connected]


def test_a_refused_key_is_tried_again_and_never_logged(
    scripted: ScriptedVenue,
    private: tuple[PrivateStream, list[PrivateEvent]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream, events = private
    eventually(lambda: stream.is_ready)
    scripted.sign_in_succeeds = False
    with caplog.at_level(logging.DEBUG):
        scripted.drop("private")
        eventually(lambda: stream.counts.refused >= 2)
    assert not stream.is_ready
    said = caplog.text + repr(events) + repr(stream.connection.counts)
    assert KEY not in said
    assert SECRET not in said
    scripted.sign_in_succeeds = True
    eventually(lambda: stream.is_ready)


# --- orders


class Rest:
    """Takes what does not go over the socket."""

    def __init__(self) -> None:
        self.placed: list[NewOrder] = []
        self.cancelled: list[str] = []

    def place(self, order: NewOrder) -> OrderAck:
        self.placed.append(order)
        return OrderAck("by-rest", order.client_id)

    def cancel(self, symbol: str, client_id: str) -> None:
        del symbol
        self.cancelled.append(client_id)


@pytest.fixture
def entry(scripted: ScriptedVenue, thread: StreamThread) -> Iterator[tuple[SocketOrders, Rest, TradeSocket]]:
    socket = TradeSocket(scripted.url("trade"), KEY, SECRET, timeout_s=0.3, backoff=Backoff(0.01, 0.05))
    rest: Any = Rest()
    orders = SocketOrders(rest, socket, thread, timeout_s=0.3)
    running = thread.run(socket.run())
    eventually(lambda: socket.is_ready)
    yield orders, rest, socket
    running.cancel()


def test_an_order_goes_over_the_socket_and_its_reply_is_matched(
    scripted: ScriptedVenue, entry: tuple[SocketOrders, Rest, TradeSocket]
) -> None:
    orders, rest, _ = entry
    assert orders.place(ORDER) == OrderAck("o1", "client-1")
    orders.cancel(SYMBOL, "client-1")
    create, cancel = scripted.orders
    assert create["op"] == "order.create"
    assert create["args"] == [
        {
            "category": "linear",
            "symbol": SYMBOL,
            "side": "Buy",
            "orderType": "Limit",
            "qty": "0.5",
            "price": "100.1",
            "timeInForce": "PostOnly",
            "orderLinkId": "client-1",
            "reduceOnly": False,
            "positionIdx": 0,
            "stopLoss": "98",
            "slTriggerBy": "MarkPrice",
            "tpslMode": "Full",
        }
    ]
    assert int(create["header"]["X-BAPI-TIMESTAMP"]) > 1_700_000_000_000
    assert create["header"]["X-BAPI-RECV-WINDOW"] == "5000"
    assert cancel["op"] == "order.cancel"
    assert create["reqId"] != cancel["reqId"]
    assert not rest.placed


def refusal(code: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda body: {**acknowledge(body), "retCode": code, "retMsg": "no", "data": {}}


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (110007, OrderRejected),
        (10403, RateLimited),
        (10006, RateLimited),
        (10016, OrderUnresolved),
        (10019, OrderUnresolved),
    ],
)
def test_codes_become_errors(
    scripted: ScriptedVenue,
    entry: tuple[SocketOrders, Rest, TradeSocket],
    code: int,
    error: type[Exception],
) -> None:
    scripted.reply_to_order = refusal(code)
    with pytest.raises(error):
        entry[0].place(ORDER)
    assert not entry[1].placed


@pytest.mark.parametrize("reply", [None, "drop", "garbage"])
def test_without_a_reply_an_order_is_unresolved_and_never_sent_twice(
    scripted: ScriptedVenue, entry: tuple[SocketOrders, Rest, TradeSocket], reply: Any
) -> None:
    orders, rest, socket = entry
    scripted.reply_to_order = lambda _body: reply
    with pytest.raises(OrderUnresolved):
        orders.place(ORDER)
    eventually(lambda: socket.is_ready)
    assert len(scripted.orders) == 1
    assert not rest.placed
    assert socket.counts.unresolved == 1
    scripted.reply_to_order = acknowledge
    assert orders.place(ORDER).order_id == "o1"


def test_a_reply_after_the_timeout_is_counted_and_decides_nothing(
    scripted: ScriptedVenue, entry: tuple[SocketOrders, Rest, TradeSocket]
) -> None:
    orders, _, socket = entry
    scripted.reply_to_order = lambda _body: None
    with pytest.raises(OrderUnresolved):
        orders.place(ORDER)
    scripted.push(acknowledge(scripted.orders[0]), "trade")
    eventually(lambda: socket.counts.late == 1)


def test_without_a_socket_orders_go_by_rest(
    scripted: ScriptedVenue, entry: tuple[SocketOrders, Rest, TradeSocket]
) -> None:
    orders, rest, socket = entry
    scripted.accept = False
    scripted.drop("trade")
    eventually(lambda: not socket.is_ready)
    assert orders.place(ORDER).order_id == "by-rest"
    orders.cancel(SYMBOL, "client-1")
    assert rest.cancelled == ["client-1"]
    assert not scripted.orders


def test_a_cancel_that_finds_nothing_has_succeeded(
    scripted: ScriptedVenue, entry: tuple[SocketOrders, Rest, TradeSocket]
) -> None:
    scripted.reply_to_order = refusal(110001)
    entry[0].cancel(SYMBOL, "client-1")
