"""Amendments, batches, position mode, stops, closed positions and the transaction log over signed HTTP."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.local_testnet.client import buy, order_of, sell, signed_get, signed_post
from tests.local_testnet.server import RunningTestnet
from tests.local_testnet.test_present import assert_same_shape
from tests.local_testnet.test_private import last, listed, wallet
from tests.support import shared_path

D = Decimal
BTC = {"category": "linear", "symbol": "BTCUSDT"}


def post(testnet: RunningTestnet, path: str, **fields: Any) -> dict[str, Any]:
    return signed_post(testnet, path, **BTC, **fields)


def limit_item(testnet: RunningTestnet, link_id: str, **more: Any) -> dict[str, Any]:
    price = str(last(testnet) - 5_000)
    return {
        "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001", "price": price, "orderLinkId": link_id,
    } | more  # fmt: skip


def batch(testnet: RunningTestnet, name: str, items: list[dict[str, Any]]) -> tuple[list[Any], list[int]]:
    body = signed_post(testnet, f"/v5/order/{name}-batch", category="linear", request=items)
    assert body["retCode"] == 0, body
    return body["result"]["list"], [item["code"] for item in body["retExtInfo"]["list"]]


def sample(name: str) -> Any:
    return json.loads(shared_path(f"fixtures/bybit/docs_official/{name}.json").read_text())


def test_amend_changes_the_order(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    buy(testnet, "BTCUSDT", "0.001", orderType="Limit", price=str(last(testnet) - 5_000), orderLinkId="a")
    price = str(last(testnet) - 6_000)
    ack = post(
        testnet, "/v5/order/amend", orderLinkId="a", price=price, qty="0.002", takeProfit=str(last(testnet))
    )
    row = order_of(testnet, "BTCUSDT", ack["result"]["orderId"])
    assert (row["price"], row["qty"], row["takeProfit"], row["tpslMode"]) == (
        price,
        "0.002",
        str(last(testnet)),
        "Full",
    )
    assert post(testnet, "/v5/order/amend", orderLinkId="a", qty="0.002")["retCode"] == 10001
    assert post(testnet, "/v5/order/amend", orderLinkId="nobody", qty="0.003")["retCode"] == 110001
    assert post(testnet, "/v5/order/amend", qty="0.003")["retCode"] == 10001
    assert post(testnet, "/v5/order/amend", orderLinkId="a", takeProfit="0")["retCode"] == 0
    assert order_of(testnet, "BTCUSDT", ack["result"]["orderId"])["takeProfit"] == ""


def test_batches_have_a_code_for_each_order(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    rows, codes = batch(
        testnet,
        "create",
        [limit_item(testnet, "a"), limit_item(testnet, "a"), limit_item(testnet, "b", qty="9999")],
    )
    assert codes == [0, 110072, 10001]
    assert [row["orderLinkId"] for row in rows] == ["a", "a", "b"]
    assert [bool(row["orderId"]) for row in rows] == [True, False, False]
    assert rows[1]["createAt"] == ""
    assert_same_shape(sample("order__batch-place__0")["result"]["list"][0], rows[0], "create-batch")

    rows, codes = batch(
        testnet,
        "amend",
        [
            {"symbol": "BTCUSDT", "orderLinkId": "a", "qty": "0.003"},
            {"symbol": "BTCUSDT", "orderLinkId": "z", "qty": "0.003"},
        ],
    )
    assert codes == [0, 110001]
    assert_same_shape(sample("order__batch-amend__0")["result"]["list"][0], rows[0], "amend-batch")
    rows, codes = batch(testnet, "cancel", [{"symbol": "BTCUSDT", "orderLinkId": name} for name in "az"])
    assert codes == [0, 110001]
    assert listed(testnet, "/v5/order/realtime", symbol="BTCUSDT") == []


def test_a_batch_uses_up_one_unit_of_its_limit_per_order(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    items = [limit_item(testnet, f"n{k}") for k in range(12)]
    codes = batch(testnet, "create", items)[1]
    assert codes == [0] * 10 + [10006] * 2
    body = signed_post(testnet, "/v5/order/create-batch", category="linear", request=items)
    assert body["retCode"] == 10006
    too_many = signed_post(testnet, "/v5/order/cancel-batch", category="linear", request=items * 2)
    assert too_many["retCode"] == 10001
    for request in (None, [], "x", [1]):
        body = signed_post(testnet, "/v5/order/amend-batch", category="linear", request=request)
        assert body["retCode"] == 10001


def test_hedge_mode_shows_both_sides(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT", "ETHUSDT"))
    assert post(testnet, "/v5/position/switch-mode", mode=3)["retCode"] == 0
    assert post(testnet, "/v5/position/switch-mode", mode=3)["retCode"] == 110025
    assert buy(testnet, "BTCUSDT", "0.002")["retCode"] == 10001
    assert buy(testnet, "BTCUSDT", "0.002", positionIdx=1)["retCode"] == 0
    assert sell(testnet, "BTCUSDT", "0.001", positionIdx=2)["retCode"] == 0
    rows = listed(testnet, "/v5/position/list", symbol="BTCUSDT")
    assert [(row["positionIdx"], row["side"], row["size"]) for row in rows] == [
        (1, "Buy", "0.002"),
        (2, "Sell", "0.001"),
    ]
    assert post(testnet, "/v5/position/switch-mode", mode=0)["retCode"] == 110024
    assert sell(testnet, "BTCUSDT", "0.002", positionIdx=1, reduceOnly=True)["retCode"] == 0
    assert [row["positionIdx"] for row in listed(testnet, "/v5/position/list", settleCoin="USDT")] == [2]
    assert buy(testnet, "ETHUSDT", "0.02", positionIdx=0)["retCode"] == 0  # the other symbol stays one-way


def test_switching_by_coin_needs_all_symbols_flat(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT", "ETHUSDT"))
    buy(testnet, "ETHUSDT", "0.02")

    def switch(mode: int) -> int:
        body = signed_post(testnet, "/v5/position/switch-mode", category="linear", coin="USDT", mode=mode)
        return int(body["retCode"])

    assert switch(3) == 110024
    sell(testnet, "ETHUSDT", "0.02")
    assert (switch(3), switch(3), switch(0)) == (0, 110025, 0)


def test_trailing_and_partial_stops_are_set_over_http(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    buy(testnet, "BTCUSDT", "0.004")
    stop = str(last(testnet) - 900)

    def trading_stop(**fields: Any) -> int:
        return int(post(testnet, "/v5/position/trading-stop", positionIdx=0, **fields)["retCode"])

    assert trading_stop(tpslMode="Full", trailingStop="500") == 0
    assert listed(testnet, "/v5/position/list", symbol="BTCUSDT")[0]["trailingStop"] == "500.00"
    assert trading_stop(tpslMode="Partial", stopLoss=stop, slSize="0.001", tpSize="0.002") == 10001
    assert trading_stop(tpslMode="Partial", stopLoss=stop, slSize="0.001") == 0
    rows = listed(testnet, "/v5/order/realtime", symbol="BTCUSDT", orderFilter="StopOrder")
    assert sorted((row["stopOrderType"], row["qty"], row["tpslMode"]) for row in rows) == [
        ("PartialStopLoss", "0.001", "Partial"),
        ("TrailingStop", "0.004", "Full"),
    ]
    assert listed(testnet, "/v5/order/realtime", symbol="BTCUSDT", orderFilter="Order") == []
    assert trading_stop(trailingStop="0") == 0
    assert listed(testnet, "/v5/position/list", symbol="BTCUSDT")[0]["trailingStop"] == "0"


def test_closed_positions_and_transaction_log_account_for_the_wallet(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT", "ETHUSDT"), equity="750")
    buy(testnet, "BTCUSDT", "0.004")
    sell(testnet, "ETHUSDT", "0.05")
    testnet.advance(hours=9)
    sell(testnet, "BTCUSDT", "0.001")
    sell(testnet, "BTCUSDT", "0.003", reduceOnly=True)
    buy(testnet, "ETHUSDT", "0.05", reduceOnly=True)
    closed = listed(testnet, "/v5/position/closed-pnl")
    assert [(row["symbol"], row["side"], row["closedSize"]) for row in closed] == [
        ("ETHUSDT", "Buy", "0.05"),
        ("BTCUSDT", "Sell", "0.003"),
        ("BTCUSDT", "Sell", "0.001"),
    ]
    log = signed_get(testnet, "/v5/account/transaction-log", accountType="UNIFIED")["result"]["list"]
    assert {row["type"] for row in log} == {"TRADE", "SETTLEMENT"}
    funding = sum(D(row["funding"]) for row in log if row["type"] == "SETTLEMENT")
    assert wallet(testnet) == 750 + sum(D(str(row["closedPnl"])) for row in closed) + funding
    assert wallet(testnet) == 750 + sum(D(row["change"]) for row in log)
    balances = [D(row["cashBalance"]) for row in log]
    for row, after, before in zip(log[:-1], balances[:-1], balances[1:], strict=True):
        assert D(row["change"]) == after - before
        assert D(row["change"]) == D(row["cashFlow"]) + D(row["funding"] or 0) - D(row["fee"])
    settled = signed_get(testnet, "/v5/account/transaction-log", accountType="UNIFIED", type="SETTLEMENT")
    assert len(settled["result"]["list"]) == len([row for row in log if row["type"] == "SETTLEMENT"])


@pytest.mark.parametrize(
    ("fixture", "path"),
    [
        ("position__close-pnl__0", "/v5/position/closed-pnl"),
        ("account__transaction-log__0", "/v5/account/transaction-log"),
    ],
)
def test_histories_have_the_fields_of_the_official_samples_and_page(
    local_testnet, fixture: str, path: str
) -> None:
    testnet = local_testnet(("BTCUSDT",))
    for _ in range(4):
        buy(testnet, "BTCUSDT", "0.001")
        sell(testnet, "BTCUSDT", "0.001")
    whole = signed_get(testnet, path, category="linear")["result"]
    assert_same_shape(sample(fixture)["result"], whole, path)
    seen: list[Any] = []
    cursor: dict[str, str] = {}
    while len(seen) < len(whole["list"]):
        page = signed_get(testnet, path, category="linear", limit=3, **cursor)["result"]
        seen += page["list"]
        cursor = {"cursor": page["nextPageCursor"]}
    assert seen == whole["list"]
    assert cursor == {"cursor": ""}


def test_margin_mode_is_cross_and_stays(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))

    def set_mode(mode: str) -> dict[str, Any]:
        return signed_post(testnet, "/v5/account/set-margin-mode", setMarginMode=mode)

    assert set_mode("REGULAR_MARGIN")["retCode"] == 0
    refused = set_mode("ISOLATED_MARGIN")
    assert refused["retCode"] == 3400045
    assert_same_shape(sample("account__set-margin-mode__0")["result"], refused["result"], "set-margin-mode")
    assert set_mode("CASH")["retCode"] == 10001


def test_a_small_account_is_liquidated(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",), equity="60", extra_days=20)
    post(testnet, "/v5/position/set-leverage", buyLeverage="100", sellLeverage="100")
    buy(testnet, "BTCUSDT", "0.03")
    price = listed(testnet, "/v5/position/list", symbol="BTCUSDT")[0]["liqPrice"]
    assert price != ""
    for _ in range(40):
        testnet.advance(hours=12)
        if listed(testnet, "/v5/position/list", symbol="BTCUSDT")[0]["size"] == "0":
            break
    bust = listed(testnet, "/v5/execution/list", execType="BustTrade")[0]
    assert D(str(bust["execPrice"])) < D(str(price))
    assert D(str(bust["markPrice"])) <= D(str(price))
    assert 0 <= wallet(testnet) < 1
    order = order_of(testnet, "BTCUSDT", str(bust["orderId"]))
    assert (order["orderStatus"], order["createType"]) == ("Filled", "CreateByTakeOver_PassThrough")
