"""A trader's day through unmodified ccxt.pro over WebSocket: only the base addresses are changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.local_testnet.server import RunningTestnet, start_testnet

pro = pytest.importorskip("ccxt.pro", reason="ccxt is not installed")

BTC = "BTC/USDT:USDT"
WAIT_S = 20
NO_TIMEOUT = aiohttp.ClientWSTimeout(ws_close=10)


@asynccontextmanager
async def connected(testnet: RunningTestnet) -> AsyncIterator[Any]:
    client = pro.bybit(
        {
            "apiKey": testnet.api_key,
            "secret": testnet.api_secret,
            "options": {"fetchMarkets": {"types": ["linear"]}, "defaultType": "swap"},
        }
    )
    for name in ("public", "private", "spot", "futures", "v2"):
        client.urls["api"][name] = testnet.base_url
    sockets = testnet.base_url.replace("http://", "ws://")
    streams = client.urls["api"]["ws"]
    streams["public"]["linear"] = f"{sockets}/v5/public/linear"
    for kind in ("contract", "usdc"):
        streams["private"][kind] = f"{sockets}/v5/private"
    streams["private"]["spot"]["unified"] = f"{sockets}/v5/private"
    streams["private"]["trade"] = f"{sockets}/v5/trade"
    client.has["fetchCurrencies"] = False
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """Have the testnet's kernels compiled before a client with its own patience connects."""

    async def subscribe(url: str) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(url, timeout=NO_TIMEOUT) as socket:
            await socket.send_json({"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]})
            while "topic" not in await socket.receive_json():
                pass

    with start_testnet(("BTCUSDT",)) as testnet:
        asyncio.run(subscribe(testnet.base_url.replace("http", "ws") + "/v5/public/linear"))


def trade(scenario: Callable[[Any, RunningTestnet], Awaitable[None]], *, speed: float = 0.0) -> None:
    """Run a scenario against a testnet of its own."""

    async def run() -> None:
        async with connected(testnet) as client:
            await asyncio.wait_for(scenario(client, testnet), 60)

    with start_testnet(("BTCUSDT", "ETHUSDT"), equity="1000", speed=speed) as testnet:
        asyncio.run(run())


async def soon(found: Awaitable[Any]) -> Any:
    return await asyncio.wait_for(found, WAIT_S)


@asynccontextmanager
async def watching(client: Any, *watches: Callable[[], Awaitable[Any]]) -> AsyncIterator[None]:
    """Watch for as long as the block lasts, with the subscriptions standing; what comes is in the client's caches."""

    async def pump(watch: Callable[[], Awaitable[Any]]) -> None:
        while True:
            await watch()

    tasks = [asyncio.create_task(pump(watch)) for watch in (lambda: client.watch_orders(BTC), *watches)]
    try:
        # Whether a subscription stands is seen by its first push.
        while not client.orders:
            for task in tasks:
                if task.done():
                    task.result()
            placed = await client.create_order(BTC, "limit", "buy", 0.001, await price_below(client, 9_000))
            await client.cancel_order(placed["id"], BTC)
            await asyncio.sleep(0.3)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def seen(rows: Callable[[], Iterable[dict[str, Any]]], **wanted: Any) -> dict[str, Any]:
    """Wait for a row with these values."""
    for _ in range(WAIT_S * 50):
        for row in rows():
            if all(row[name] == value for name, value in wanted.items()):
                return row
        await asyncio.sleep(0.02)
    raise AssertionError(f"no row with {wanted} within {WAIT_S} s")


async def price_below(client: Any, distance: float) -> float:
    ticker = await client.fetch_ticker(BTC)
    return float(client.price_to_precision(BTC, ticker["last"] - distance))


def test_market_streams() -> None:
    async def scenario(client: Any, testnet: RunningTestnet) -> None:
        book, ticker, trades, bars = await soon(
            asyncio.gather(
                client.watch_order_book(BTC, 50),
                client.watch_ticker(BTC),
                client.watch_trades(BTC),
                client.watch_ohlcv(BTC, "1m"),
            )
        )
        assert book["bids"][0][0] < book["asks"][0][0]
        assert ticker["last"] > 0
        assert trades[-1]["side"] in ("buy", "sell")
        assert len(bars[-1]) == 6
        newer = await soon(client.watch_order_book(BTC, 50))
        assert newer["timestamp"] >= book["timestamp"]

    trade(scenario, speed=1.0)


def test_an_orders_life_is_watched() -> None:
    async def scenario(client: Any, testnet: RunningTestnet) -> None:
        def orders() -> Iterable[dict[str, Any]]:
            return client.orders or ()

        async with watching(client):
            price = await price_below(client, 3_000)
            placed = await client.create_order(BTC, "limit", "buy", 0.002, price)
            await seen(orders, id=placed["id"], status="open", amount=0.002, price=price)
            await client.edit_order(placed["id"], BTC, "limit", "buy", 0.003, price)
            await seen(orders, id=placed["id"], status="open", amount=0.003)
            await client.cancel_order(placed["id"], BTC)
            await seen(orders, id=placed["id"], status="canceled", filled=0)
            crossing = await price_below(client, -500)
            placed = await client.create_order(BTC, "limit", "buy", 0.001, crossing, {"postOnly": True})
            rejected = await seen(orders, id=placed["id"], status="canceled", filled=0)
            assert rejected["info"]["rejectReason"] == "EC_PostOnlyWillTakeLiquidity"

    trade(scenario)


def test_fills_positions_and_balance_are_watched() -> None:
    async def scenario(client: Any, testnet: RunningTestnet) -> None:
        others = (
            lambda: client.watch_my_trades(BTC),
            lambda: client.watch_positions([BTC]),
            lambda: client.watch_balance(),
        )
        async with watching(client, *others):
            placed = await client.create_order(BTC, "market", "buy", 0.004)
            fill = await seen(lambda: client.myTrades or (), order=placed["id"])
            assert (fill["side"], fill["takerOrMaker"]) == ("buy", "taker")
            assert fill["fee"]["cost"] > 0
            await seen(lambda: client.positions or (), side="long", contracts=0.004)
            rest = (await client.fetch_balance())["info"]["result"]["list"][0]
            # The client takes equity for the total of a stream, wallet for that of a reply.
            total = float(rest["totalEquity"])
            await seen(
                lambda: [client.balance.get("unified", client.balance).get("USDT", {"total": None})],
                total=total,
            )

    trade(scenario)


def test_orders_over_the_trade_socket() -> None:
    async def scenario(client: Any, testnet: RunningTestnet) -> None:
        price = await price_below(client, 3_000)
        placed = await soon(client.create_order_ws(BTC, "limit", "buy", 0.002, price))
        assert [row["id"] for row in await client.fetch_open_orders(BTC)] == [placed["id"]]
        await soon(client.edit_order_ws(placed["id"], BTC, "limit", "buy", 0.003, price))
        assert (await client.fetch_open_orders(BTC))[0]["amount"] == 0.003
        await soon(client.cancel_order_ws(placed["id"], BTC))
        assert await client.fetch_open_orders(BTC) == []
        with pytest.raises(Exception, match="110007"):
            await soon(client.create_order_ws(BTC, "market", "buy", 5))

    trade(scenario)
