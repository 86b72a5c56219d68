"""A trader's day through unmodified ccxt over REST: only the base addresses are changed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.local_testnet.server import RunningTestnet, start_testnet

ccxt = pytest.importorskip("ccxt", reason="ccxt is not installed")

D = Decimal
BTC = "BTC/USDT:USDT"


@pytest.fixture
def testnet() -> Iterator[RunningTestnet]:
    with start_testnet(("BTCUSDT", "ETHUSDT"), equity="1000") as running:
        yield running


@pytest.fixture
def venue(testnet: RunningTestnet) -> Iterator[Any]:
    client = ccxt.bybit(
        {
            "apiKey": testnet.api_key,
            "secret": testnet.api_secret,
            "options": {"fetchMarkets": {"types": ["linear"]}, "defaultType": "swap"},
        }
    )
    for name in ("public", "private", "spot", "futures", "v2"):
        client.urls["api"][name] = testnet.base_url
    client.has["fetchCurrencies"] = False
    client.load_markets()
    yield client
    client.session.close()


def last(venue: Any) -> float:
    return float(venue.fetch_ticker(BTC)["last"])


def limit_price(venue: Any, below: float) -> float:
    return float(venue.price_to_precision(BTC, last(venue) - below))


def free_usdt(venue: Any) -> float:
    return float(venue.fetch_balance()["USDT"]["free"])


def test_markets_and_public_data(venue: Any) -> None:
    market = venue.market(BTC)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
    assert (market["limits"]["amount"]["min"], market["contractSize"], market["linear"]) == (0.001, 1.0, True)
    book = venue.fetch_order_book(BTC, 25)
    assert book["bids"][0][0] < book["asks"][0][0]
    assert len(venue.fetch_ohlcv(BTC, "1h", limit=50)) == 50
    assert venue.fetch_trades(BTC, limit=10)
    rate = venue.fetch_funding_rate(BTC)
    assert rate["fundingTimestamp"] > venue.parse8601("2025-01-10T00:00:00Z")
    history = venue.fetch_funding_rate_history(BTC, limit=5)
    assert [row["timestamp"] for row in history] == sorted(row["timestamp"] for row in history)
    assert venue.fetch_open_interest_history(BTC, "1h", limit=3)
    assert venue.fetch_time() > 0


def test_a_traders_day(venue: Any, testnet: RunningTestnet) -> None:
    assert venue.fetch_balance()["USDT"]["total"] == 1000
    assert venue.fetch_trading_fee(BTC)["maker"] == 0.0002
    venue.set_leverage(5, BTC)
    with pytest.raises(ccxt.ExchangeError, match="110043"):
        venue.set_leverage(5, BTC)

    placed = venue.create_order(BTC, "limit", "buy", 0.002, limit_price(venue, 3_000), {"postOnly": True})
    order = venue.fetch_open_order(placed["id"], BTC)
    assert (order["status"], order["timeInForce"], order["postOnly"]) == ("open", "PO", True)
    price = limit_price(venue, 4_000)
    venue.edit_order(placed["id"], BTC, "limit", "buy", 0.003, price)
    edited = venue.fetch_open_orders(BTC)[0]
    assert (edited["amount"], edited["price"]) == (0.003, price)
    venue.cancel_order(placed["id"], BTC)
    assert venue.fetch_open_orders(BTC) == []
    canceled = venue.fetch_canceled_orders(BTC)
    assert [(row["id"], row["status"]) for row in canceled] == [(placed["id"], "canceled")]
    with pytest.raises(ccxt.OrderNotFound):
        venue.cancel_order(placed["id"], BTC)

    crossing = venue.create_order(BTC, "limit", "buy", 0.001, limit_price(venue, -500), {"postOnly": True})
    rejected = next(row for row in venue.fetch_canceled_orders(BTC) if row["id"] == crossing["id"])
    assert (rejected["status"], rejected["filled"]) == ("canceled", 0)
    assert rejected["info"]["rejectReason"] == "EC_PostOnlyWillTakeLiquidity"

    bought = venue.create_order(BTC, "market", "buy", 0.004, params={"clientOrderId": "entry-1"})
    entry = venue.fetch_closed_order(bought["id"], BTC)
    assert (entry["status"], entry["filled"], entry["clientOrderId"]) == ("closed", 0.004, "entry-1")
    with pytest.raises(ccxt.InvalidOrder):
        venue.create_order(BTC, "market", "buy", 0.001, params={"clientOrderId": "entry-1"})
    position = venue.fetch_position(BTC)
    assert (position["side"], position["contracts"], position["leverage"]) == ("long", 0.004, 5)
    assert position["entryPrice"] == pytest.approx(entry["average"], rel=1e-8)
    assert [row["symbol"] for row in venue.fetch_positions()] == [BTC]
    assert free_usdt(venue) < 1000 - 0.004 * entry["average"] / 5.001

    testnet.advance(hours=9)
    assert len(venue.fetch_funding_history(BTC)) == 1
    venue.create_order(BTC, "market", "sell", 0.004, params={"reduceOnly": True})
    assert venue.fetch_positions() == []
    trades = venue.fetch_my_trades(BTC)
    assert sum(row["amount"] * (1 if row["side"] == "buy" else -1) for row in trades) == 0
    closed = venue.fetch_positions_history([BTC])
    paid = venue.fetch_funding_history(BTC)[0][
        "amount"
    ]  # the client hands on the venue's fee: positive when paid
    total = venue.fetch_balance()["USDT"]["total"]
    assert total == pytest.approx(1000 + float(closed[0]["info"]["closedPnl"]) - paid, abs=1e-7)
    ledger = venue.fetch_ledger("USDT")
    assert ledger[-1]["after"] == pytest.approx(total, abs=1e-8)


def test_batches(venue: Any) -> None:
    prices = [limit_price(venue, 3_000 + 100 * k) for k in range(3)]
    orders = venue.create_orders(
        [
            {"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.001, "price": price, "params": {}}
            for price in prices
        ]
    )
    assert [row["price"] for row in venue.fetch_open_orders(BTC)] == prices[::-1]
    venue.edit_orders(
        [
            {"id": row["id"], "symbol": BTC, "type": "limit", "side": "buy", "amount": 0.002}
            for row in orders[:2]
        ]
    )
    assert [row["amount"] for row in venue.fetch_open_orders(BTC)] == [0.001, 0.002, 0.002]
    venue.cancel_orders([orders[0]["id"]], BTC)
    assert len(venue.fetch_open_orders(BTC)) == 2
    venue.cancel_all_orders(BTC)
    assert venue.fetch_open_orders(BTC) == []


def test_stops_and_conditional_orders(venue: Any) -> None:
    price = last(venue)
    up, down = (float(venue.price_to_precision(BTC, price * k)) for k in (1.05, 0.95))
    venue.create_order(
        BTC,
        "market",
        "buy",
        0.002,
        params={"stopLoss": {"triggerPrice": down}, "takeProfit": {"triggerPrice": up}},
    )
    position = venue.fetch_position(BTC)
    assert (position["stopLossPrice"], position["takeProfitPrice"]) == (down, up)
    trigger = venue.create_order(
        BTC, "limit", "sell", 0.001, up, {"triggerPrice": up, "triggerDirection": "ascending"}
    )
    waiting = venue.fetch_open_order(trigger["id"], BTC)
    assert (waiting["triggerPrice"], waiting["status"]) == (up, "open")
    venue.create_order(BTC, "market", "sell", 0.002, params={"trailingAmount": "250.0"})
    assert float(venue.fetch_position(BTC)["info"]["trailingStop"]) == 250
    venue.cancel_all_orders(BTC, {"orderFilter": "StopOrder"})
    assert venue.fetch_open_orders(BTC) == []


def test_hedge_mode(venue: Any) -> None:
    venue.set_position_mode(True, BTC)
    for side, index in (("buy", 1), ("sell", 2)):
        venue.create_order(BTC, "market", side, 0.002, params={"positionIdx": index})
    assert {(row["side"], row["contracts"], row["hedged"]) for row in venue.fetch_positions([BTC])} == {
        ("long", 0.002, True),
        ("short", 0.002, True),
    }
    with pytest.raises(ccxt.ExchangeError, match="position idx not match position mode"):
        venue.create_order(BTC, "market", "buy", 0.001)


@pytest.mark.parametrize(
    ("amount", "price", "error"),
    [(5, None, "InsufficientFunds"), (0.001, 1_000, "InvalidOrder"), (0.002, 99_999_999, "InvalidOrder")],
)
def test_refusals_are_the_clients_own_errors(
    venue: Any, amount: float, price: float | None, error: str
) -> None:
    with pytest.raises(getattr(ccxt, error)):
        venue.create_order(BTC, "market" if price is None else "limit", "buy", amount, price)


def test_a_wrong_secret_and_a_wrong_clock(venue: Any, testnet: RunningTestnet) -> None:
    testnet.clock(wall_offset_ms=-3_000)
    with pytest.raises(ccxt.InvalidNonce):
        venue.fetch_positions([BTC])
    testnet.clock(wall_offset_ms=0)
    venue.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        venue.fetch_positions([BTC])
