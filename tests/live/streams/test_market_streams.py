"""Public streams over real sockets: state kept, gaps healed, silence noticed, nothing lost without a count."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from hean_live.market.markets import Markets
from hean_live.market.service import MarketStreams, StreamRules
from hean_live.venues.public import PublicMarket
from hean_live.venues.streams.backoff import Backoff
from hean_live.venues.streams.thread import StreamThread
from hean_live.venues.streams.topics import Silence
from models.market import symbol_params
from models.market.feature_params import params_record
from models.market.readers.bybit import BybitReader
from models.market.record import feature_view
from models.market.step import features_of
from tests.live.streams.recorded import recorded_messages
from tests.live.streams.scripted import SYMBOL, ScriptedVenue, eventually

Opened = Callable[..., MarketStreams]


@pytest.fixture
def opened(scripted: ScriptedVenue, thread: StreamThread) -> Iterator[Opened]:
    running: list[MarketStreams] = []

    def open_streams(**changes: Any) -> MarketStreams:
        rules = StreamRules(**{"open_interest_s": 0.0, "silence": Silence(0.0, 0.0, 0.0), **changes})
        rest = PublicMarket(scripted.rest_url, timeout_s=2.0)
        streams = MarketStreams(scripted.url("public"), rest, {SYMBOL: 0.1}, rules, thread)
        streams.stream.connection._backoff = Backoff(0.01, 0.05)
        running.append(streams)
        streams.start()
        return streams

    yield open_streams
    for streams in running:
        streams.close()


def market(streams: MarketStreams) -> Any:
    return streams.hub.markets.state[0]["market"]


def is_fine(streams: MarketStreams) -> Callable[[], bool]:
    return lambda: not streams.problems()


def test_book_trades_and_ticker_reach_the_state(scripted: ScriptedVenue, opened: Opened) -> None:
    streams = opened()
    eventually(is_fine(streams))
    assert set(scripted.subscribed) == {
        f"orderbook.50.{SYMBOL}",
        f"publicTrade.{SYMBOL}",
        f"tickers.{SYMBOL}",
        f"allLiquidation.{SYMBOL}",
    }
    scripted.push(scripted.script.delta(bids=[["99.7", "3"]]))
    scripted.push(scripted.script.print_trade("2"))
    eventually(lambda: market(streams)["trades"] == 1 and market(streams)["best_bid"] > 99.6)
    assert market(streams)["best_ask"] == pytest.approx(100.5)
    told = eventually(lambda: streams.tickers().tickers)
    assert told[SYMBOL].mark_price == 100.0
    assert told[SYMBOL].funding_interval_h == 8
    eventually(lambda: market(streams)["ticks"] >= 2)  # the timer ticks without a message


def test_a_gap_in_the_sequence_is_healed_by_asking_again(scripted: ScriptedVenue, opened: Opened) -> None:
    streams = opened()
    eventually(is_fine(streams))
    streams.stream._watched[f"orderbook.50.{SYMBOL}"].asked_at = -1e9
    scripted.script.update += 1  # a message that never came
    scripted.push(scripted.script.delta(asks=[["100.4", "1"]]))
    eventually(lambda: streams.hub.markets.counts.gaps == 1)
    eventually(is_fine(streams))
    assert scripted.subscribed.count(f"orderbook.50.{SYMBOL}") == 2
    assert streams.hub.counts.books_broken == 1
    assert market(streams)["best_ask"] == pytest.approx(100.5)  # what came through the gap is not in the book


def test_nothing_is_valid_while_a_book_is_crossed(scripted: ScriptedVenue, opened: Opened) -> None:
    streams = opened()
    eventually(is_fine(streams))
    scripted.push(scripted.script.delta(bids=[["101.0", "1"]]))
    eventually(lambda: streams.problems() == {SYMBOL: "the order book is not valid"})
    scripted.push(scripted.script.delta(bids=[["101.0", "0"]]))
    eventually(is_fine(streams))


def test_a_lost_connection_is_healed_with_the_trades_it_missed(
    scripted: ScriptedVenue, opened: Opened
) -> None:
    streams = opened()
    eventually(is_fine(streams))
    scripted.push(scripted.script.print_trade())
    eventually(lambda: market(streams)["trades"] == 1)
    scripted.accept = False
    scripted.drop()
    eventually(lambda: streams.problems() == {SYMBOL: "the market stream is down"})
    assert market(streams)["valid"] == 0
    for _ in range(3):
        scripted.script.print_trade()  # nobody hears these
    scripted.accept = True
    eventually(is_fine(streams))
    assert market(streams)["trades"] == 4
    assert streams.hub.completeness[0].filled == 1
    scripted.push(scripted.script.print_trade())
    eventually(lambda: market(streams)["trades"] == 5)


def test_a_gap_that_cannot_be_filled_leaves_doubt(scripted: ScriptedVenue, opened: Opened) -> None:
    streams = opened()
    eventually(is_fine(streams))
    scripted.push(scripted.script.print_trade(at_ms=scripted.script.start_ms))
    eventually(lambda: market(streams)["trades"] == 1)
    scripted.accept = False
    scripted.drop()
    eventually(lambda: streams.problems())
    for k in range(1, 1201):
        scripted.script.print_trade(at_ms=scripted.script.start_ms + k)
    scripted.accept = True
    expected = {SYMBOL: "trades were lost and could not be read again"}
    eventually(lambda: streams.problems() == expected)
    assert streams.hub.completeness[0].unfilled == 1
    assert market(streams)["trades"] == 1 + 1000


def test_failing_rest_leaves_doubt_and_is_counted(scripted: ScriptedVenue, opened: Opened) -> None:
    streams = opened()
    eventually(is_fine(streams))
    scripted.push(scripted.script.print_trade())
    eventually(lambda: market(streams)["trades"] == 1)
    scripted.rest_fails = True
    scripted.drop()
    eventually(lambda: streams.hub.counts.fills_failed == 4, seconds=20)
    assert eventually(lambda: streams.problems())[SYMBOL].startswith("trades were lost")


def test_garbage_doubles_and_late_messages_are_counted_and_survived(
    scripted: ScriptedVenue, opened: Opened
) -> None:
    streams = opened()
    eventually(is_fine(streams))
    script = scripted.script
    late, early = script.print_trade(at_ms=script.start_ms + 1), script.print_trade(at_ms=script.start_ms + 9)
    doubled = script.print_trade(at_ms=script.start_ms + 20)
    delta = script.delta(bids=[["99.6", "1"]])
    # Of a later time than the others however quick the machine is: what is read again begins at the newest trade.
    truncated = json.dumps(script.print_trade(at_ms=script.start_ms + 30)).encode()[:-30]
    for message in (early, late, doubled, doubled, delta, delta, b"}{ nothing of the kind", truncated):
        scripted.push(message)
    scripted.push({"topic": "orderbook.50.OTHER", "type": "snapshot", "ts": 1, "data": {}})
    eventually(lambda: streams.stream.counts.unexpected_topics == 1)
    counts = streams.hub.markets.counts
    assert counts.late_trades == 1
    assert counts.duplicates == 2
    assert counts.malformed == 2
    assert streams.stream.counts.unreadable == 1
    # The truncated trade is read by REST, and none of the others twice.
    eventually(is_fine(streams))
    eventually(lambda: market(streams)["trades"] == 4)
    assert streams.stream.connection.counts.callback_errors == 0
    assert streams.stream.connection.counts.opened == 1


def test_a_silent_topic_is_asked_for_again_and_then_the_connection_given_up(
    scripted: ScriptedVenue, opened: Opened
) -> None:
    streams = opened(silence=Silence(0.4, 0.0, 0.0))
    scripted.begins_with_snapshots = False
    streams.stream._watched[f"orderbook.50.{SYMBOL}"].asked_at = -1e9
    eventually(lambda: scripted.connections >= 2, seconds=20)
    assert streams.stream.counts.restarted_by_watchdog >= 1
    assert SYMBOL in streams.problems()


def test_a_mute_socket_is_given_up(scripted: ScriptedVenue, opened: Opened) -> None:
    opened(mute_after_s=0.5)
    # No ping falls due in half a second, so a venue without news is mute.
    eventually(lambda: scripted.connections >= 2)


def test_an_unanswered_subscription_gives_the_connection_up(
    scripted: ScriptedVenue, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hean_live.venues.streams.public._ACK_S", 0.2)
    scripted.answers_subscriptions = False
    streams = opened()
    eventually(lambda: scripted.connections >= 2)
    assert streams.problems()
    scripted.answers_subscriptions = True
    eventually(is_fine(streams))


def test_a_polite_end_is_survived_too(scripted: ScriptedVenue, opened: Opened) -> None:
    streams = opened()
    eventually(is_fine(streams))
    scripted.say_goodbye()
    eventually(lambda: streams.hub.counts.disconnects == 1)
    eventually(is_fine(streams))


def test_open_interest_is_polled(scripted: ScriptedVenue, opened: Opened) -> None:
    scripted.begins_with_snapshots = False
    streams = opened(open_interest_s=0.05)
    eventually(lambda: market(streams)["open_interest"] == 1000.0)


def test_state_equals_the_batch_run_over_the_same_messages() -> None:
    messages = recorded_messages()
    names = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT")
    steps = (0.1, 0.01, 0.01, 0.00001)
    reader = BybitReader()
    lines = b"".join(b"%d %b\n" % message for message in messages)
    tapes: dict[str, list[Any]] = {name: [] for name in names}
    for symbol, events in reader.feed(lines):
        tapes[symbol].append(events)
    for place, name in enumerate(names):
        rows = ticks_of(names, steps, place, messages)
        own = params_record(symbol_params.params_of_symbol(name))
        _, expected = features_of(np.concatenate(tapes[name]), steps[place], own)
        # Live goes on ticking on other symbols' messages after this one's last.
        np.testing.assert_array_equal(rows[: len(expected)], expected)
        assert len(expected) > 100


def ticks_of(names: Any, steps: Any, wanted: int, messages: list[tuple[int, bytes]]) -> Any:
    """Return the features of a symbol at every tick of the live path."""
    rows: list[Any] = []

    def keep(places: Sequence[int], _at_ns: int) -> None:
        if wanted in places:
            rows.append(feature_view(markets.state["market"])[wanted].copy())

    markets = Markets(names, steps, on_tick=keep)
    for received_ns, payload in messages:
        markets.take(payload, received_ns)
    return np.array(rows)
