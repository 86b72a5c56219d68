"""A trader's day through unmodified pybit: only ``session.endpoint`` is changed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP

from tests.local_testnet.server import RunningTestnet, start_testnet

D = Decimal
BTC = {"category": "linear", "symbol": "BTCUSDT"}


@pytest.fixture
def testnet() -> Iterator[RunningTestnet]:
    with start_testnet(("BTCUSDT", "ETHUSDT"), equity="1000") as running:
        yield running


@pytest.fixture
def session(testnet: RunningTestnet) -> Iterator[Any]:
    http = HTTP(testnet=True, api_key=testnet.api_key, api_secret=testnet.api_secret)
    http.endpoint = testnet.base_url
    yield http
    http.client.close()


def wallet(session: Any) -> Decimal:
    return D(
        session.get_wallet_balance(accountType="UNIFIED", coin="USDT")["result"]["list"][0][
            "totalWalletBalance"
        ]
    )


def position(session: Any) -> dict[str, Any]:
    row: dict[str, Any] = session.get_positions(**BTC)["result"]["list"][0]
    return row


def test_a_traders_day(session: Any, testnet: RunningTestnet) -> None:
    assert "Withdraw" not in session.get_api_key_information()["result"]["permissions"]["Wallet"]
    assert session.get_account_info()["result"]["unifiedMarginStatus"] == 5
    assert session.get_fee_rates(**BTC)["result"]["list"][0]["takerFeeRate"] == "0.00055"
    assert wallet(session) == 1000

    assert session.set_leverage(**BTC, buyLeverage="5", sellLeverage="5")["retCode"] == 0
    with pytest.raises(InvalidRequestError) as unchanged:
        session.set_leverage(**BTC, buyLeverage="5", sellLeverage="5")
    assert unchanged.value.status_code == 110043

    last = D(session.get_tickers(**BTC)["result"]["list"][0]["lastPrice"])
    away = str(last - 3_000)
    placed = session.place_order(
        **BTC,
        side="Buy",
        orderType="Limit",
        qty="0.002",
        price=away,
        timeInForce="PostOnly",
        orderLinkId="limit-1",
    )["result"]
    resting = session.get_open_orders(**BTC)["result"]["list"]
    assert [(row["orderId"], row["orderStatus"]) for row in resting] == [(placed["orderId"], "New")]
    assert "tpslMode" in resting[0]
    assert session.cancel_order(**BTC, orderLinkId="limit-1")["result"]["orderId"] == placed["orderId"]
    assert session.get_open_orders(**BTC)["result"]["list"] == []
    with pytest.raises(InvalidRequestError) as again:
        session.place_order(**BTC, side="Buy", orderType="Market", qty="0.002", orderLinkId="limit-1")
    assert again.value.status_code == 110072

    session.place_order(
        **BTC,
        side="Sell",
        orderType="Market",
        qty="0.004",
        orderLinkId="entry-1",
        stopLoss=str(last + 20_000),
    )
    entry = session.get_open_orders(**BTC, orderLinkId="entry-1")["result"]["list"][0]
    assert (entry["orderStatus"], entry["cumExecQty"]) == ("Filled", "0.004")
    held = position(session)
    assert (held["side"], held["size"], held["leverage"]) == ("Sell", "0.004", "5")
    assert D(held["stopLoss"]) == last + 20_000

    testnet.advance(hours=16, minutes=1)
    executions = session.get_executions(**BTC, limit=50)["result"]["list"]
    funding = [row for row in executions if row["execType"] == "Funding"]
    assert len(funding) == 2
    settled = {
        row["fundingRateTimestamp"]: row["fundingRate"]
        for row in session.get_funding_rate_history(**BTC)["result"]["list"]
    }
    for row in funding:
        assert row["feeRate"] == settled[row["execTime"]]
        # A short receives a positive rate: its fee has the opposite sign.
        expected = -D(row["markPrice"]) * D("0.004") * D(row["feeRate"])
        assert abs(D(row["execFee"]) - expected) <= D("5e-9")

    session.place_order(**BTC, side="Buy", orderType="Market", qty="0.004", reduceOnly=True)
    assert (position(session)["side"], position(session)["size"]) == ("", "0")
    assert session.get_open_orders(**BTC)["result"]["list"] == []  # the stop went with the position
    closed = session.get_order_history(**BTC)["result"]["list"]
    assert {row["orderStatus"] for row in closed} == {"Filled", "Cancelled", "Deactivated"}

    cash = D(1000)
    for row in session.get_executions(**BTC, limit=100)["result"]["list"]:
        if row["execType"] == "Trade":
            cash -= D(row["execValue"]) * (1 if row["side"] == "Buy" else -1)
        cash -= D(row["execFee"])
    assert wallet(session) == cash
    assert session.cancel_all_orders(category="linear", settleCoin="USDT")["result"]["success"] == "1"


def test_a_wrong_secret_is_refused(testnet: RunningTestnet) -> None:
    http = HTTP(testnet=True, api_key=testnet.api_key, api_secret="wrong")
    http.endpoint = testnet.base_url
    with pytest.raises(InvalidRequestError) as caught:
        http.get_positions(**BTC)
    assert caught.value.status_code == 10004
    http.client.close()


def test_a_clock_ahead_is_refused_in_the_venues_words(session: Any, testnet: RunningTestnet) -> None:
    session.max_retries = 1
    session.retry_codes = {10006}
    testnet.clock(wall_offset_ms=-2_000)
    with pytest.raises(
        InvalidRequestError, match="check your server timestamp or recv_window param"
    ) as caught:
        session.get_positions(**BTC)
    assert caught.value.status_code == 10002


def test_an_order_that_cannot_be_paid_for(session: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        session.place_order(**BTC, side="Buy", orderType="Market", qty="1")
    assert caught.value.status_code == 110007


def test_amendments_and_batches(session: Any) -> None:
    last = D(session.get_tickers(**BTC)["result"]["list"][0]["lastPrice"])
    orders = [
        {
            "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001", "price": str(last - 3_000 - k),
            "orderLinkId": f"b{k}",
        }
        for k in range(3)
    ]  # fmt: skip
    placed = session.place_batch_order(category="linear", request=[*orders, orders[0]])
    assert [item["code"] for item in placed["retExtInfo"]["list"]] == [0, 0, 0, 110072]
    session.amend_order(**BTC, orderLinkId="b0", qty="0.002", price=str(last - 4_000))
    amended = session.amend_batch_order(
        category="linear", request=[{"symbol": "BTCUSDT", "orderLinkId": "b1", "qty": "0.003"}]
    )
    assert amended["retExtInfo"]["list"] == [{"code": 0, "msg": "OK"}]
    rows = {row["orderLinkId"]: row for row in session.get_open_orders(**BTC)["result"]["list"]}
    assert [(rows[name]["qty"], D(rows[name]["price"])) for name in ("b0", "b1", "b2")] == [
        ("0.002", last - 4_000),
        ("0.003", last - 3_001),
        ("0.001", last - 3_002),
    ]
    cancelled = session.cancel_batch_order(
        category="linear", request=[{"symbol": "BTCUSDT", "orderLinkId": name} for name in ("b0", "b9")]
    )
    assert [item["code"] for item in cancelled["retExtInfo"]["list"]] == [0, 110001]
    assert len(session.cancel_all_orders(**BTC)["result"]["list"]) == 2


def test_hedge_mode_stops_and_books(session: Any, testnet: RunningTestnet) -> None:
    session.switch_position_mode(**BTC, mode=3)
    with pytest.raises(InvalidRequestError, match="position idx not match position mode"):
        session.place_order(**BTC, side="Buy", orderType="Market", qty="0.002")
    for side, index in (("Buy", 1), ("Sell", 2)):
        session.place_order(**BTC, side=side, orderType="Market", qty="0.002", positionIdx=index)
    last = D(session.get_tickers(**BTC)["result"]["list"][0]["lastPrice"])
    session.set_trading_stop(
        **BTC, tpslMode="Full", positionIdx=1, stopLoss=str(last - 5_000), trailingStop="4000"
    )
    session.set_trading_stop(
        **BTC, tpslMode="Partial", positionIdx=2, takeProfit=str(last - 5_000), tpSize="0.001",
        tpOrderType="Limit", tpLimitPrice=str(last - 5_100),
    )  # fmt: skip
    rows = {row["positionIdx"]: row for row in session.get_positions(**BTC)["result"]["list"]}
    assert (D(rows[1]["stopLoss"]), D(rows[1]["trailingStop"])) == (last - 5_000, 4_000)
    stops = session.get_open_orders(**BTC, orderFilter="StopOrder")["result"]["list"]
    assert sorted((row["positionIdx"], row["stopOrderType"]) for row in stops) == [
        (1, "StopLoss"),
        (1, "TrailingStop"),
        (2, "PartialTakeProfit"),
    ]
    testnet.advance(hours=1)
    for side, index in (("Sell", 1), ("Buy", 2)):
        session.place_order(
            **BTC, side=side, orderType="Market", qty="0.002", positionIdx=index, reduceOnly=True
        )
    assert session.get_open_orders(**BTC)["result"]["list"] == []
    closed = session.get_closed_pnl(**BTC)["result"]["list"]
    log = session.get_transaction_log(accountType="UNIFIED")["result"]["list"]
    assert wallet(session) == 1000 + sum(D(row["closedPnl"]) for row in closed)
    assert wallet(session) == 1000 + sum(D(row["change"]) for row in log) == D(log[0]["cashBalance"])
