"""What the private streams say, and orders over the trade socket: their content, without a socket."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from hean_live.local_testnet.setup import build_venue
from hean_live.local_testnet.stream.private_topics import TOPICS, last_sequence, private_messages
from hean_live.local_testnet.stream.trade_requests import answer_trade
from hean_live.local_testnet.venue import Venue, derive_keys
from models.market.bybit_v5_trading import OrderStatus, parse_execution, parse_order, parse_position
from models.simulation.bars import DAY_MS
from tests.local_testnet.server import START_MS, synthetic_market
from tests.local_testnet.test_present import assert_same_shape
from tests.support import shared_path

D = Decimal


@pytest.fixture
def venue() -> Venue:
    market = synthetic_market(("BTCUSDT", "ETHUSDT"), 7, START_MS, 15)
    return build_venue(market, derive_keys(7), now_ms=START_MS + 10 * DAY_MS, speed=0.0, equity="500")


def ask(venue: Venue, op: str, *, stamp: int | None = None, **fields: Any) -> dict[str, Any]:
    stamp = venue.wall.now_ms() if stamp is None else stamp
    header = {"X-BAPI-TIMESTAMP": str(stamp), "X-BAPI-RECV-WINDOW": "5000"}
    arg = {"category": "linear"} | fields
    return answer_trade(venue, {"reqId": "r1", "header": header, "op": op, "args": [arg]})


def create(venue: Venue, side: str = "Buy", qty: str = "0.002", **fields: Any) -> dict[str, Any]:
    order = {"symbol": "BTCUSDT", "side": side, "orderType": "Market", "qty": qty} | fields
    return ask(venue, "order.create", **order)


def price(venue: Venue, below: int) -> str:
    last = venue.market.last_price("BTCUSDT", venue.clock.now_ms())
    assert last is not None
    return str(last - below)


def news(venue: Venue, since: int = 0) -> list[tuple[str, dict[str, Any]]]:
    return private_messages(venue, since)[1]  # type: ignore[return-value]


def test_a_fill_is_told_as_order_execution_position_wallet(venue: Venue) -> None:
    order_id = create(venue, orderLinkId="mine")["data"]["orderId"]
    messages = news(venue)
    assert [topic for topic, _ in messages] == list(TOPICS)
    rows = {topic: push["data"][0] for topic, push in messages}
    order = parse_order(rows["order"])
    fill = parse_execution(rows["execution"])
    position = parse_position(rows["position"])
    assert (order.status, order.client_id, order.order_id) == (OrderStatus.FILLED, "mine", order_id)
    assert (fill.order_id, fill.qty, position.size) == (order_id, D("0.002"), D("0.002"))
    assert rows["execution"]["seq"] == rows["position"]["seq"]
    assert D(rows["wallet"]["totalWalletBalance"]) == 500 - fill.fee


@pytest.mark.parametrize("topic", TOPICS)
def test_pushes_have_every_field_and_type_of_the_official_samples(venue: Venue, topic: str) -> None:
    sample = json.loads(
        shared_path(f"fixtures/bybit/docs_official/websocket_private__{topic}__1.json").read_text()
    )
    sample["data"][0].pop("cumFeeDetail", None)  # charged in MNT there
    sample["data"][0].pop("extraFees", None)  # a tax of one country
    create(venue)
    assert_same_shape(sample, dict(news(venue))[topic], topic)


def test_a_post_only_that_crosses_is_acknowledged_and_then_told_as_cancelled(venue: Venue) -> None:
    reply = create(venue, orderType="Limit", price=price(venue, -100), timeInForce="PostOnly")
    assert reply["retCode"] == 0
    order = dict(news(venue))["order"]["data"][0]
    assert (order["orderStatus"], order["rejectReason"]) == ("Cancelled", "EC_PostOnlyWillTakeLiquidity")


def test_an_order_without_a_fill_is_told_with_its_position(venue: Venue) -> None:
    create(venue, orderType="Limit", price=price(venue, 5_000), orderLinkId="rest")
    assert [topic for topic, _ in news(venue)] == ["order", "position", "wallet"]
    since = last_sequence(venue)
    ask(venue, "order.amend", symbol="BTCUSDT", orderLinkId="rest", qty="0.003")
    assert dict(news(venue, since))["order"]["data"][0]["qty"] == "0.003"
    since = last_sequence(venue)
    ask(venue, "order.cancel", symbol="BTCUSDT", orderLinkId="rest")
    order = dict(news(venue, since))["order"]["data"][0]
    assert (order["orderStatus"], order["cancelType"], order["leavesQty"]) == (
        "Cancelled",
        "CancelByUser",
        "0.000",
    )


def test_nothing_is_told_twice_and_nothing_of_before(venue: Venue) -> None:
    create(venue)
    since, messages = private_messages(venue, 0)
    assert len({push["id"] for _, push in messages}) == len(messages)
    assert private_messages(venue, since) == (since, [])
    assert since == last_sequence(venue)
    create(venue, side="Sell")
    assert len(news(venue, since)) == len(TOPICS)


def test_what_happens_as_time_passes_is_told_with_its_time(venue: Venue) -> None:
    create(venue, stopLoss=price(venue, 300))
    since = last_sequence(venue)
    venue.clock.advance(4 * DAY_MS)
    messages = news(venue, since)
    kinds = [row["execType"] for topic, push in messages if topic == "execution" for row in push["data"]]
    assert kinds[-1] == "Trade"
    assert set(kinds[:-1]) <= {"Funding"}
    statuses = [row["orderStatus"] for topic, push in messages if topic == "order" for row in push["data"]]
    assert statuses == ["Triggered", "Filled"]
    times = [push["creationTime"] for _, push in messages]
    assert times == sorted(times)
    closing = next(p for t, p in messages if t == "execution" and p["data"][0]["execType"] == "Trade")
    assert str(closing["creationTime"]) == closing["data"][0]["execTime"]


def test_a_funding_payment_is_told_without_an_order(venue: Venue) -> None:
    create(venue)
    since = last_sequence(venue)
    venue.clock.advance(9 * 3_600_000)
    assert [topic for topic, _ in news(venue, since)][:3] == ["execution", "position", "wallet"]


def test_trade_replies_have_the_fields_of_the_official_sample(venue: Venue) -> None:
    path = "fixtures/bybit/docs_official/websocket_trade__guideline__3.json"
    sample = json.loads(shared_path(path).read_text())
    sample.pop("connId")  # the socket's
    reply = create(venue)
    assert_same_shape(sample, reply, "order.create")
    assert reply["reqId"] == "r1"
    assert int(reply["header"]["X-Bapi-Limit-Status"]) == 9


def test_trade_batches_have_a_code_for_each_order(venue: Venue) -> None:
    path = "fixtures/bybit/docs_official/websocket_trade__guideline__5.json"
    sample = json.loads(shared_path(path).read_text())
    sample.pop("connId")
    items = [
        {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001", "price": price(venue, 5_000), "positionIdx": k}
        for k in (0, 1)
    ]  # fmt: skip
    reply = ask(venue, "order.create-batch", request=items) | {"reqId": "r1"}
    assert_same_shape(sample, reply, "order.create-batch")
    codes = reply["retExtInfo"]["list"]
    assert [item["code"] for item in codes] == [0, 10001]
    assert codes[1]["msg"] == sample["retExtInfo"]["list"][0]["msg"]
    assert reply["header"]["X-Bapi-Limit-Status"] == "8"


def test_trade_requests_are_refused_in_the_venues_codes(venue: Venue) -> None:
    now = venue.wall.now_ms()
    assert create(venue, qty="0.0015")["retCode"] == 10001
    assert ask(venue, "order.cancel", symbol="BTCUSDT", orderId="x")["retCode"] == 110001
    assert ask(venue, "order.fly")["retCode"] == 10404
    late = ask(venue, "order.create", stamp=now - 6_000)
    assert late["retCode"] == 10002
    assert "check your server timestamp or recv_window param" in late["retMsg"]
    assert ask(venue, "order.create", stamp=now + 1_500)["retCode"] == 10002
    assert answer_trade(venue, {"op": "order.create", "args": [{}]})["retCode"] == 10001
    header = {"X-BAPI-TIMESTAMP": str(now)}
    for args in (None, [], [1], [{}, {}]):
        assert answer_trade(venue, {"op": "order.create", "header": header, "args": args})["retCode"] == 10001
    long_id = {"op": "order.create", "header": header, "args": [{}], "reqId": "x" * 37}
    assert answer_trade(venue, long_id)["retCode"] == 20006
    assert "reqId" not in answer_trade(venue, {"op": "order.create", "header": header, "args": [{}]})
    assert news(venue) == []


def test_the_trade_socket_shares_the_limits_of_rest(venue: Venue) -> None:
    codes = [ask(venue, "order.cancel", symbol="BTCUSDT", orderId="x")["retCode"] for _ in range(12)]
    assert codes == [110001] * 10 + [10006] * 2
    header = ask(venue, "order.cancel", symbol="BTCUSDT", orderId="x")["header"]
    assert int(header["X-Bapi-Limit-Reset-Timestamp"]) > venue.wall.now_ms()
