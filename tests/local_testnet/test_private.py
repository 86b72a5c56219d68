from __future__ import annotations

import json
from decimal import Decimal

import pytest
import requests

from tests.local_testnet.client import buy, order_of, sell, signed_get, signed_headers, signed_post
from tests.local_testnet.server import RunningTestnet
from tests.local_testnet.test_present import assert_same_shape
from tests.support import shared_path

D = Decimal


def last(testnet: RunningTestnet, symbol: str = "BTCUSDT") -> Decimal:
    row = testnet.get("/v5/market/tickers", category="linear", symbol=symbol)["result"]["list"][0]
    return D(row["lastPrice"])


def wallet(testnet: RunningTestnet) -> Decimal:
    body = signed_get(testnet, "/v5/account/wallet-balance", accountType="UNIFIED")
    return D(body["result"]["list"][0]["totalWalletBalance"])


def listed(testnet: RunningTestnet, path: str, **params: object) -> list[dict[str, object]]:
    body = signed_get(testnet, path, category="linear", **params)
    assert body["retCode"] == 0, body
    rows: list[dict[str, object]] = body["result"]["list"]
    return rows


def test_create_is_an_acknowledgement_only(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    body = buy(testnet, "BTCUSDT", "0.001", orderLinkId="mine")
    assert (body["retCode"], body["retMsg"]) == (0, "OK")
    assert set(body["result"]) == {"orderId", "orderLinkId"}
    assert body["result"]["orderLinkId"] == "mine"


def test_post_only_that_crosses_is_acknowledged_and_then_cancelled(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    price = str(last(testnet) + 100)
    ack = buy(testnet, "BTCUSDT", "0.001", orderType="Limit", price=price, timeInForce="PostOnly")
    assert ack["retCode"] == 0
    row = order_of(testnet, "BTCUSDT", ack["result"]["orderId"])
    assert (row["orderStatus"], row["rejectReason"]) == ("Cancelled", "EC_PostOnlyWillTakeLiquidity")
    assert row["cumExecQty"] == "0.000"
    assert listed(testnet, "/v5/order/realtime", symbol="BTCUSDT") == []


def test_resting_order_fills_as_maker_when_the_market_comes(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    price = (last(testnet) * D("0.998")).quantize(D("0.1")).quantize(D("0.10"))
    ack = buy(testnet, "BTCUSDT", "0.002", orderType="Limit", price=str(price), timeInForce="PostOnly")[
        "result"
    ]
    assert order_of(testnet, "BTCUSDT", ack["orderId"])["orderStatus"] == "New"
    testnet.advance(days=4)
    row = order_of(testnet, "BTCUSDT", ack["orderId"])
    assert (row["orderStatus"], D(str(row["avgPrice"]))) == ("Filled", price)
    fill = listed(testnet, "/v5/execution/list", orderId=ack["orderId"])[0]
    assert (fill["isMaker"], fill["feeRate"]) == (True, "0.0002")
    assert D(str(fill["execFee"])) == price * D("0.002") * D("0.0002")
    # The fill is stamped with the market's time, and a trade below the price happened by then.
    at = int(str(fill["execTime"]))
    minute = testnet.get(
        "/v5/market/kline", symbol="BTCUSDT", interval="1", start=at // 60_000 * 60_000, end=at
    )
    assert D(minute["result"]["list"][0][3]) < price


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"qty": "0"}, 10001),
        ({"qty": "abc"}, 10001),
        ({"qty": "-1"}, 10001),
        ({"qty": "0.0015"}, 10001),
        ({"qty": "100000"}, 10001),
        ({"side": "Long"}, 10001),
        ({"symbol": "NOPEUSDT"}, 10001),
        ({"category": "spot"}, 10001),
        ({"orderType": "Limit"}, 10001),
        ({"orderType": "Limit", "price": "90000.05"}, 10001),
        ({"orderType": "Limit", "price": "1000.00", "qty": "0.001"}, 110094),
        ({"reduceOnly": True}, 110017),
        ({"reduceOnly": "yes"}, 10001),
        ({"positionIdx": 1}, 10001),
        ({"tpslMode": "Half"}, 10001),
        ({"slippageTolerance": "5"}, 10001),
        ({"orderLinkId": "not allowed!"}, 10001),
        ({"qty": "0.5"}, 110007),
        ({"stopLoss": "999999.00"}, 10001),
        ({"triggerPrice": "999999.00", "triggerDirection": 2}, 110092),
    ],
)
def test_refusals(local_testnet, fields: dict[str, object], code: int) -> None:
    testnet = local_testnet(("BTCUSDT",))
    base = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.001"}
    body = signed_post(testnet, "/v5/order/create", **(base | fields))
    assert body["retCode"] == code, body
    assert body["retMsg"]
    assert listed(testnet, "/v5/order/realtime", symbol="BTCUSDT", openOnly=1) == []


def test_a_client_id_is_used_once(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    assert buy(testnet, "BTCUSDT", "0.001", orderLinkId="once")["retCode"] == 0
    assert buy(testnet, "BTCUSDT", "0.001", orderLinkId="once")["retCode"] == 110072
    assert len(listed(testnet, "/v5/execution/list", symbol="BTCUSDT")) == 1


def test_bodies_that_are_not_objects(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    for raw in ("", "[]", "{"):
        answer = requests.post(
            f"{testnet.base_url}/v5/order/create", data=raw, headers=signed_headers(testnet, raw), timeout=5
        )
        assert answer.json()["retCode"] == 10001


def test_open_closed_and_by_id(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT", "ETHUSDT"))
    far = str(last(testnet) - 5_000)
    resting = buy(testnet, "BTCUSDT", "0.001", orderType="Limit", price=far, orderLinkId="r")["result"][
        "orderId"
    ]
    filled = buy(testnet, "BTCUSDT", "0.001", orderLinkId="f")["result"]["orderId"]
    path = "/v5/order/realtime"
    assert [row["orderId"] for row in listed(testnet, path, symbol="BTCUSDT")] == [resting]
    assert [row["orderId"] for row in listed(testnet, path, settleCoin="USDT")] == [resting]
    assert listed(testnet, path, symbol="ETHUSDT") == []
    assert [row["orderId"] for row in listed(testnet, path, symbol="BTCUSDT", openOnly=1)] == [filled]
    assert [row["orderId"] for row in listed(testnet, path, symbol="BTCUSDT", orderLinkId="f")] == [filled]
    assert signed_get(testnet, path, category="linear")["retCode"] == 10001  # needs a scope
    assert [row["orderId"] for row in listed(testnet, "/v5/order/history")] == [filled]


def test_cancel_and_cancel_all(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT", "ETHUSDT"))
    price = str(last(testnet) - 9_000)
    ids = [
        buy(testnet, "BTCUSDT", "0.001", orderType="Limit", price=price)["result"]["orderId"]
        for _ in range(3)
    ]
    trigger = str(last(testnet) + 9_000)
    stop = sell(testnet, "BTCUSDT", "0.001", triggerPrice=trigger, triggerDirection=1)["result"]["orderId"]

    def cancel(path: str, **fields: object) -> dict[str, object]:
        return signed_post(testnet, path, category="linear", **fields)

    assert cancel("/v5/order/cancel", symbol="BTCUSDT", orderId=ids[0])["result"] == {
        "orderId": ids[0],
        "orderLinkId": "",
    }
    assert cancel("/v5/order/cancel", symbol="BTCUSDT", orderId=ids[0])["retCode"] == 110001
    assert cancel("/v5/order/cancel", symbol="BTCUSDT")["retCode"] == 10001
    assert cancel("/v5/order/cancel", symbol="ETHUSDT", orderId=ids[1])["retCode"] == 110001
    assert cancel("/v5/order/cancel-all")["retCode"] == 10001
    everything = cancel("/v5/order/cancel-all", settleCoin="USDT", orderFilter="Order")["result"]
    assert [row["orderId"] for row in everything["list"]] == ids[1:]  # type: ignore[index]
    assert everything["success"] == "1"  # type: ignore[index]
    assert cancel("/v5/order/cancel-all", symbol="BTCUSDT")["result"]["list"][0]["orderId"] == stop  # type: ignore[index]
    assert order_of(testnet, "BTCUSDT", stop)["orderStatus"] == "Deactivated"
    assert order_of(testnet, "BTCUSDT", ids[2])["cancelType"] == "CancelByUser"


def test_history_forgets_unfilled_orders_after_a_day_and_looks_back_a_week(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",), extra_days=12)
    price = str(last(testnet) - 9_000)
    gone = buy(testnet, "BTCUSDT", "0.001", orderType="Limit", price=price)["result"]["orderId"]
    signed_post(testnet, "/v5/order/cancel", category="linear", symbol="BTCUSDT", orderId=gone)
    filled = buy(testnet, "BTCUSDT", "0.001")["result"]["orderId"]
    start = testnet.now_ms

    def ids(**params: object) -> list[object]:
        return [row["orderId"] for row in listed(testnet, "/v5/order/history", **params)]

    assert ids() == [filled, gone]
    testnet.advance(days=2)
    assert ids() == [filled]
    testnet.advance(days=6)
    assert ids() == []
    assert ids(startTime=start - 1000) == [filled]
    body = signed_get(
        testnet, "/v5/order/history", category="linear", startTime=start - 8 * 86_400_000, endTime=start
    )
    assert body["retCode"] == 10001


def test_orders_and_executions_page_by_cursor(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    for k in range(7):
        (buy if k % 2 else sell)(testnet, "BTCUSDT", "0.001")
    for path, name in (("/v5/order/history", "orderId"), ("/v5/execution/list", "execId")):
        whole = [row[name] for row in listed(testnet, path)]
        assert len(whole) == 7
        seen, cursor = [], ""
        for _ in range(5):
            more = {"cursor": cursor} if cursor else {}
            result = signed_get(testnet, path, category="linear", limit=3, **more)["result"]
            seen += [row[name] for row in result["list"]]
            cursor = result["nextPageCursor"]
            if not cursor:
                break
        assert seen == whole


def test_executions_by_type_symbol_and_link(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT", "ETHUSDT"))
    buy(testnet, "BTCUSDT", "0.001", orderLinkId="one")
    buy(testnet, "ETHUSDT", "0.01")
    testnet.advance(hours=9)
    path = "/v5/execution/list"
    assert {row["execType"] for row in listed(testnet, path)} == {"Trade", "Funding"}
    funding = listed(testnet, path, execType="Funding", symbol="ETHUSDT")
    assert [(row["symbol"], row["orderType"]) for row in funding] == [("ETHUSDT", "UNKNOWN")]
    assert [row["orderLinkId"] for row in listed(testnet, path, orderLinkId="one")] == ["one"]


def test_positions(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT", "ETHUSDT"))
    path = "/v5/position/list"
    flat = listed(testnet, path, symbol="BTCUSDT")[0]
    assert (flat["side"], flat["size"], flat["leverage"]) == ("", "0", "10")
    assert listed(testnet, path, settleCoin="USDT") == []
    sell(testnet, "ETHUSDT", "0.05")
    short = listed(testnet, path, settleCoin="USDT")[0]
    assert (short["symbol"], short["side"], short["size"], short["positionIdx"]) == (
        "ETHUSDT",
        "Sell",
        "0.05",
        0,
    )
    assert "avgPrice" in short
    assert "entryPrice" not in short
    assert signed_get(testnet, path, category="linear")["retCode"] == 10001


def test_stop_loss_on_create_shows_on_the_position_and_closes_it(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    stop = (last(testnet) * D("0.997")).quantize(D("0.1")).quantize(D("0.10"))
    buy(testnet, "BTCUSDT", "0.002", stopLoss=str(stop))
    assert listed(testnet, "/v5/position/list", symbol="BTCUSDT")[0]["stopLoss"] == str(stop)
    waiting = listed(testnet, "/v5/order/realtime", symbol="BTCUSDT")[0]
    assert (waiting["stopOrderType"], waiting["tpslMode"], waiting["orderStatus"]) == (
        "StopLoss",
        "Full",
        "Untriggered",
    )
    for _ in range(10):
        testnet.advance(hours=12)
        if listed(testnet, "/v5/position/list", symbol="BTCUSDT")[0]["size"] == "0":
            break
    closed = order_of(testnet, "BTCUSDT", str(waiting["orderId"]))
    assert closed["orderStatus"] == "Filled"
    assert D(closed["avgPrice"]) <= stop


def test_trading_stop_sets_and_removes(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT",))
    price = str(last(testnet) - 2_000)

    def set_stop(**fields: object) -> int:
        body = signed_post(
            testnet, "/v5/position/trading-stop", category="linear", symbol="BTCUSDT", **fields
        )
        return int(body["retCode"])

    assert set_stop(stopLoss=price) == 10001  # no position
    buy(testnet, "BTCUSDT", "0.002")
    assert set_stop(stopLoss=price, tpslMode="Full", positionIdx=0) == 0
    assert listed(testnet, "/v5/position/list", symbol="BTCUSDT")[0]["stopLoss"] == price
    assert set_stop(stopLoss="0") == 0
    assert listed(testnet, "/v5/position/list", symbol="BTCUSDT")[0]["stopLoss"] == ""
    assert set_stop() == 34040


def test_leverage_mode_fees_and_account(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT", "ETHUSDT"))

    def post(path: str, **fields: object) -> int:
        return int(signed_post(testnet, path, category="linear", symbol="ETHUSDT", **fields)["retCode"])

    lever = "/v5/position/set-leverage"
    assert post(lever, buyLeverage="7", sellLeverage="7") == 0
    assert post(lever, buyLeverage="7", sellLeverage="7") == 110043
    assert post(lever, buyLeverage="7", sellLeverage="8") == 10001
    assert post(lever, buyLeverage="1000", sellLeverage="1000") == 110013
    assert post("/v5/position/switch-mode", mode=0) == 110025
    assert post("/v5/position/switch-mode", mode=1) == 10001
    fees = listed(testnet, "/v5/account/fee-rate", symbol="ETHUSDT")
    assert fees == [{"symbol": "ETHUSDT", "takerFeeRate": "0.00055", "makerFeeRate": "0.0002"}]
    assert signed_get(testnet, "/v5/account/info")["result"]["marginMode"] == "REGULAR_MARGIN"
    assert signed_get(testnet, "/v5/account/wallet-balance", accountType="SPOT")["retCode"] == 10001


@pytest.mark.parametrize("can_withdraw", [False, True])
def test_key_permissions(local_testnet, can_withdraw: bool) -> None:
    testnet = local_testnet(("BTCUSDT",), can_withdraw=can_withdraw)
    permissions = signed_get(testnet, "/v5/user/query-api")["result"]["permissions"]
    assert ("Withdraw" in permissions["Wallet"]) is can_withdraw
    assert permissions["ContractTrade"] == ["Order", "Position"]


def test_wallet_reconciles_over_http(local_testnet) -> None:
    testnet = local_testnet(("BTCUSDT", "ETHUSDT"), equity="750.5")
    assert wallet(testnet) == D("750.5")
    buy(testnet, "BTCUSDT", "0.003")
    sell(testnet, "ETHUSDT", "0.2")
    testnet.advance(days=2, hours=1)
    sell(testnet, "BTCUSDT", "0.003", reduceOnly=True)
    buy(testnet, "ETHUSDT", "0.2", reduceOnly=True)
    cash = D("750.5")
    rows = listed(testnet, "/v5/execution/list", limit=100)
    assert {row["execType"] for row in rows} == {"Trade", "Funding"}
    for row in rows:
        if row["execType"] == "Trade":
            cash -= D(str(row["execValue"])) * (1 if row["side"] == "Buy" else -1)
        cash -= D(str(row["execFee"]))
    assert wallet(testnet) == cash
    assert listed(testnet, "/v5/position/list", settleCoin="USDT") == []


@pytest.mark.parametrize(
    ("fixture", "path", "params"),
    [
        ("order__open-order__0", "/v5/order/realtime", {"symbol": "BTCUSDT"}),
        ("order__order-list__0", "/v5/order/history", {}),
        ("order__execution__0", "/v5/execution/list", {}),
        ("position__position__0", "/v5/position/list", {"symbol": "BTCUSDT"}),
        ("account__wallet-balance__0", "/v5/account/wallet-balance", {"accountType": "UNIFIED"}),
        ("account__fee-rate__0", "/v5/account/fee-rate", {"symbol": "BTCUSDT"}),
        ("account__account-info__0", "/v5/account/info", {}),
    ],
)
def test_replies_have_every_field_and_type_of_the_official_samples(
    local_testnet, fixture: str, path: str, params: dict[str, str]
) -> None:
    sample = json.loads(shared_path(f"fixtures/bybit/docs_official/{fixture}.json").read_text())["result"]
    testnet = local_testnet(("BTCUSDT",))
    buy(testnet, "BTCUSDT", "0.002")
    buy(testnet, "BTCUSDT", "0.001", orderType="Limit", price=str(last(testnet) - 5_000))
    ours = signed_get(testnet, path, category="linear", **params)["result"]
    for row in sample.get("list", []):
        # Fees are charged in USDT here, in MNT in the sample.
        row.pop("cumFeeDetail", None)
    assert_same_shape(sample, ours, path)
