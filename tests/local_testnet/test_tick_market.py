"""Tick markets themselves: continuity with their history, determinism, funding, memory, recorded tapes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from hean_live.local_testnet.markets.base import BarKind, TickMarket
from hean_live.local_testnet.markets.order_flow import OrderFlowMarket
from hean_live.local_testnet.markets.tape import TapeMarket
from hean_live.local_testnet.markets.tape_files import read_tape
from hean_live.local_testnet.setup import build_venue, open_market
from hean_live.local_testnet.venue import derive_keys
from models.errors import ConfigError, DataError
from models.funding.formula import average_premium, funding_rate
from models.market import book as books
from models.market.readers.bybit import BybitReader
from models.market.tape import FUNDING, TRADE
from models.simulation.exchange.market import EventMarket
from tests.local_testnet.client import buy, signed_get
from tests.local_testnet.server import SEED, START_MS, serve, synthetic_market
from tests.local_testnet.sockets import FLOW_START_MS, connect
from tests.support import shared_path

MS = 1_000_000
NAMES = ("BTCUSDT", "XRPUSDT", "HYPEUSDT")


def flow_market(symbols: tuple[str, ...] = NAMES, seed: int = SEED, activity: float = 1.0) -> OrderFlowMarket:
    return OrderFlowMarket(synthetic_market(symbols, seed, START_MS, 3), seed, FLOW_START_MS, activity)


def test_it_is_a_market_of_events() -> None:
    market = flow_market(("BTCUSDT",))
    assert isinstance(market, EventMarket)
    assert isinstance(market, TickMarket)


@pytest.mark.parametrize("symbol", NAMES)
def test_prices_go_on_where_the_history_ends(symbol: str) -> None:
    market = flow_market((symbol,))
    history = synthetic_market((symbol,), SEED, START_MS, 3)
    now = FLOW_START_MS + 60_000
    seam = FLOW_START_MS // 60_000 * 60_000
    for kind in (BarKind.PERP, BarKind.SPOT, BarKind.MARK, BarKind.INDEX):
        bars = market.bars(kind, symbol, "1", seam - 3_600_000, now, 1000, now)
        past = history.bars(kind, symbol, "1", seam - 3_600_000, seam - 1, 1000, seam - 1)
        assert np.all(np.diff(bars.ts_ms) == 60_000)
        assert bars.ts_ms[-1] == now // 60_000 * 60_000
        np.testing.assert_array_equal(bars.close[: len(past)], past.close)
        assert np.all(bars.low <= np.minimum(bars.open, bars.close))
        assert np.all(bars.high >= np.maximum(bars.open, bars.close))
        assert bars.open[-1] == bars.close[-2]
        assert np.max(np.abs(np.diff(np.log(bars.close[-5:])))) < 0.01
    five = market.bars(BarKind.PERP, symbol, "5", START_MS, now, 10, now)
    ones = market.bars(BarKind.PERP, symbol, "1", int(five.ts_ms[-2]), now, 10, now)
    assert five.volume is not None and ones.volume is not None  # noqa: PT018
    assert five.volume[-2:].sum() == pytest.approx(ones.volume.sum())


def test_bars_and_trades_come_from_the_events() -> None:
    market = flow_market(("XRPUSDT",))
    market.advance((FLOW_START_MS + 60_000) * MS)
    events = market.events("XRPUSDT", (FLOW_START_MS + 30_000) * MS - 1, (FLOW_START_MS + 60_000) * MS)
    trades = events[events["kind"] == TRADE]
    now = FLOW_START_MS + 60_000
    bar = market.bars(BarKind.PERP, "XRPUSDT", "1", now - 30_000, now, 1, now)
    assert bar.volume is not None
    assert bar.volume[0] == pytest.approx(trades["size"].sum())
    assert bar.close[0] == pytest.approx(trades["price"][-1])
    newest = market.trades("linear", "XRPUSDT", 5, now)
    assert [float(t.qty) for t in newest] == pytest.approx(trades["size"][:-6:-1].tolist())


def test_events_are_the_same_in_any_steps_and_bounded_in_memory() -> None:
    one, other = flow_market(("BTCUSDT",)), flow_market(("BTCUSDT",))
    end = FLOW_START_MS + 200_000
    for ms in range(FLOW_START_MS, end, 777):
        one.advance(ms * MS)
    after, until = (end - 40_000) * MS, end * MS
    np.testing.assert_array_equal(one.events("BTCUSDT", after, until), other.events("BTCUSDT", after, until))
    with pytest.raises(DataError, match="remembered"):
        one.events("BTCUSDT", FLOW_START_MS * MS, until)
    assert one.events("BTCUSDT", after, after).size == 0
    times = one.events("BTCUSDT", after, until)["exch_ts"]
    assert np.all(np.diff(times) >= 0)
    assert after < times[0] <= times[-1] <= until


def test_a_book_of_the_past_is_the_book_it_was() -> None:
    market = flow_market(("BTCUSDT",))
    at = FLOW_START_MS + 5_000
    then = market.depth("linear", "BTCUSDT", at, 50)
    mark, last = market.mark_price("BTCUSDT", at), market.last_price("BTCUSDT", at)
    market.advance((at + 30_000) * MS)
    again = market.depth("linear", "BTCUSDT", at, 50)
    assert again == then
    assert (market.mark_price("BTCUSDT", at), market.last_price("BTCUSDT", at)) == (mark, last)
    assert market.depth("linear", "BTCUSDT", at + 30_000, 50) != then


def test_funding_is_settled_from_the_served_premium() -> None:
    market = flow_market(("BTCUSDT", "HYPEUSDT"))
    settled = FLOW_START_MS + 30_000
    now = settled + 1_000
    for symbol, hours in (("BTCUSDT", 8), ("HYPEUSDT", 1)):
        times, rates = market.funding(symbol, 0, now, 200, now)
        assert times[-1] == settled
        since = settled - hours * 3_600_000
        premium = market.bars(BarKind.PREMIUM, symbol, "1", since, settled - 1, 1000, now)
        assert len(premium) == hours * 60
        cap = float(market.listings("linear")[symbol].funding_cap)
        expected = funding_rate(average_premium(premium.close), hours, -cap, cap)
        assert rates[-1] == pytest.approx(expected, abs=5e-9)
        events = market.events(symbol, FLOW_START_MS * MS, now * MS)
        rows = events[events["kind"] == FUNDING]
        assert rows["price"].tolist() == [rates[-1]]
        found = market.next_settlement(symbol, FLOW_START_MS, now)
        assert found is not None
        assert (found.ts_ms, float(found.rate)) == (settled, rates[-1])
        quote = market.quote("linear", symbol, now)
        assert quote is not None
        assert quote.next_funding_ms == settled + hours * 3_600_000


def test_open_interest_and_ratio_go_on() -> None:
    market = flow_market(("BTCUSDT",))
    now = FLOW_START_MS + 11 * 60_000
    times, values = market.open_interest("BTCUSDT", 300_000, 0, now, 6, now)
    assert np.all(np.diff(times) == 300_000)
    assert times[-1] == now // 300_000 * 300_000
    assert np.max(np.abs(np.diff(np.log(values)))) < 0.05
    times, values = market.long_ratio("BTCUSDT", 300_000, 0, now, 3, now)
    assert times[-1] == now // 300_000 * 300_000 - 300_000
    assert np.all((values > 0) & (values < 1))


def test_activity_makes_it_busier_and_keeps_the_volume() -> None:
    volumes, counts = [], []
    for activity in (1.0, 10.0):
        market = flow_market(("XRPUSDT",), activity=activity)
        total = events = 0.0
        for step in range(1, 11):
            now = FLOW_START_MS + step * 60_000
            rows = market.events("XRPUSDT", (now - 60_000) * MS, now * MS)
            total += float(rows["size"][rows["kind"] == TRADE].sum())
            events += rows.size
        volumes.append(total)
        counts.append(events)
    assert counts[1] > 4 * counts[0]
    assert 0.3 < volumes[1] / volumes[0] < 3.0
    with pytest.raises(ConfigError, match="activity"):
        flow_market(("XRPUSDT",), activity=0.0)


def test_the_words_of_the_command() -> None:
    market, now_ms = open_market(
        "order-flow", seed=3, symbols=("BTCUSDT",), start_ms=None, now_ms=FLOW_START_MS, days=2, extra_days=1
    )
    assert (market.name, now_ms) == ("order-flow", FLOW_START_MS)
    assert market.last_ms > now_ms + 86_000_000 // 2
    with pytest.raises(ConfigError, match="must be a file"):
        open_market(
            "tape:/nowhere", seed=3, symbols=None, start_ms=None, now_ms=None, days=None, extra_days=1
        )


def recorded() -> TapeMarket:
    return TapeMarket(
        shared_path("data/streams/cryptofeed__BYBIT_v5_20260809.jsonl.zst"), ("BTCUSDT", "SOLUSDT")
    )


def test_a_recorded_tape_is_served_as_it_was_recorded() -> None:
    market = recorded()
    assert [str(one.tick_size) for one in market.listings("linear").values()] == ["0.10", "0.010"]
    venue = build_venue(market, derive_keys(1), now_ms=market.begun_ms, speed=0.0)
    with serve(venue) as testnet, connect(testnet) as socket:
        socket.subscribe("orderbook.200.BTCUSDT", "publicTrade.SOLUSDT", "tickers.SOLUSDT")
        texts = socket.until_now()
        while testnet.now_ms < market.last_ms - 5_000:
            testnet.clock(advance_ms=5_000)
            texts += socket.until_now()
        testnet.clock(now_ms=market.last_ms)
        texts += socket.until_now()
    rebuilt, reader = books.new_book(0.1), BybitReader()
    for chunk in reader.feed("".join(f"{k + 1} {t}\n" for k, t in enumerate(texts)).encode()):
        if chunk.symbol == "BTCUSDT":
            books.apply_all(rebuilt, chunk.events)
    assert reader.stats.problems() == ()
    direct = books.new_book(0.1)
    trades = 0
    for symbol, events in read_tape(shared_path("data/streams/cryptofeed__BYBIT_v5_20260809.jsonl.zst")):
        if symbol == "BTCUSDT":
            books.apply_all(direct, events)
        if symbol == "SOLUSDT":
            trades += int(
                np.count_nonzero((events["kind"] == TRADE) & (events["exch_ts"] > market.begun_ms * MS))
            )
    out, expected = np.empty((200, 2)), np.empty((200, 2))
    for side in (1, -1):
        count = books.depth_levels(rebuilt, side, 200, out)
        assert count == books.depth_levels(direct, side, 200, expected) == 200
        np.testing.assert_allclose(out, expected)
    told = [one for text in texts if "publicTrade" in text for one in json.loads(text)["data"]]
    assert len(told) == trades > 50


def test_a_tape_moved_to_another_start_is_the_same_tape() -> None:
    path = shared_path("data/streams/nautilus__XRPUSDT_ob500_20241201_head50.data.zip")
    own, moved = TapeMarket(path), TapeMarket(path, None, START_MS)
    assert moved.begun_ms == START_MS
    shift = START_MS - own.begun_ms
    own.advance(own.last_ms * MS)
    moved.advance(moved.last_ms * MS)
    first = own.events("XRPUSDT", own.begun_ms * MS, own.last_ms * MS)
    second = moved.events("XRPUSDT", moved.begun_ms * MS, moved.last_ms * MS)
    assert first.size == second.size > 1000
    np.testing.assert_array_equal(second["exch_ts"] - first["exch_ts"], shift * MS)
    assert (
        own.depth("linear", "XRPUSDT", own.last_ms, 20).bids
        == moved.depth("linear", "XRPUSDT", moved.last_ms, 20).bids
    )  # type: ignore[union-attr]


def test_a_binance_recording_plays_in_the_venues_order() -> None:
    market = TapeMarket(shared_path("data/streams/hftbacktest__usdm_btcusdt_20240808.gz"))
    (symbol,) = market.listings("linear")
    trades = 0
    valid = 0
    for ms in range(market.begun_ms, market.last_ms, 20_000):
        market.advance(ms * MS)
        events = market.events(symbol, (ms - 20_000) * MS, ms * MS) if ms > market.begun_ms else []
        trades += sum(int(row["kind"] == TRADE) for row in events)
        valid += market.depth("linear", symbol, ms, 5) is not None
    assert trades > 1_000
    assert valid > 10


def test_a_fast_clock_loses_neither_the_account_nor_the_stream() -> None:
    market = flow_market(("BTCUSDT",))
    venue = build_venue(market, derive_keys(SEED), now_ms=FLOW_START_MS, speed=0.0, ip_limit=100_000)
    with serve(venue) as testnet, connect(testnet) as socket:
        socket.subscribe("publicTrade.BTCUSDT")
        price = f"{float(market.last_price('BTCUSDT', FLOW_START_MS) or 0) * 0.95:.1f}"
        order = {"side": "Buy", "orderType": "Limit", "price": price}
        assert buy(testnet, "BTCUSDT", "0.001", orderLinkId="far", **order)["retCode"] == 0
        testnet.clock(speed=600)
        for _ in range(20):
            assert testnet.get("/v5/market/tickers", category="linear", symbol="BTCUSDT")["retCode"] == 0
        testnet.clock(speed=0)
        found = signed_get(
            testnet, "/v5/order/realtime", category="linear", symbol="BTCUSDT", orderLinkId="far"
        )
        assert found["result"]["list"][0]["orderStatus"] == "New"
        told = sum(len(json.loads(text)["data"]) for text in socket.until_now())
        assert told == int(market._live["linear", "BTCUSDT"].ticks.ticks.trades)
