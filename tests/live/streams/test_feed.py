"""The executor's feed over streams: fed by them while they are fresh, by REST otherwise, halted and woken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hean_live.app.alarms import Alarms
from hean_live.app.feed import Feed
from hean_live.app.streams import MARKET_STREAM, PRIVATE_STREAM, Streams
from hean_live.execution.journal import Journal
from hean_live.recorder.recorder import DISK
from hean_live.recorder.segments import closed_segments
from hean_live.settings import LiveSettings, load_settings
from hean_live.venues.public import PublicMarket
from hean_live.venues.streams.private_events import Connected, Disconnected
from models.errors import ConfigError
from tests.live.streams.scripted import KEY, SECRET, SYMBOL, ScriptedVenue, eventually


def settings_of(scripted: ScriptedVenue, home: Path, **changes: object) -> LiveSettings:
    fields: dict[str, object] = {
        "home": home,
        "environment": "local",
        "order_url": scripted.rest_url,
        "api_key": KEY,
        "api_secret": SECRET,
        "symbols": (SYMBOL,),
        "streams": True,
        "recorder_free_gb": 0.0,
        "open_interest_poll_s": 0.0,
    }
    return load_settings(**{**fields, **changes})


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.sqlite")
    opened.stamp(1, 1)
    yield opened
    opened.close()


@pytest.fixture
def streams(scripted: ScriptedVenue, tmp_path: Path) -> Iterator[Streams]:
    running = Streams(settings_of(scripted, tmp_path, stream_fresh_s=1.0, record=True))
    running.start()
    yield running
    running.close()


def feed_of(scripted: ScriptedVenue, streams: Streams, journal: Journal) -> Feed:
    market = PublicMarket(scripted.rest_url, timeout_s=2.0)
    return Feed(market, market, Alarms(journal), clock_check_s=60.0, streams=streams)


def test_tickers_and_quotes_come_from_the_stream_while_it_is_fresh(
    scripted: ScriptedVenue, streams: Streams, journal: Journal
) -> None:
    feed = feed_of(scripted, streams, journal)
    eventually(lambda: not streams.problems())
    assert feed.poll()
    script = scripted.script
    sent = script.ticker(markPrice="123.5", bid1Price="123.4", ask1Price="123.6")
    scripted.push(sent)
    eventually(lambda: streams.data_tickers().tickers[SYMBOL].mark_price == 123.5)
    scripted.rest_fails = True
    assert feed.poll()
    assert float(feed.quotes[SYMBOL].mark) == 123.5  # REST would have said 100
    assert feed.quotes[SYMBOL].at_ns == feed.now_ns == feed.tickers_at_ns >= sent["ts"] * 1_000_000


def test_a_stale_stream_halts_and_rest_takes_over(
    scripted: ScriptedVenue, streams: Streams, journal: Journal
) -> None:
    feed = feed_of(scripted, streams, journal)
    alarms = Alarms(journal)
    eventually(lambda: not streams.problems())
    scripted.push(scripted.script.ticker(markPrice="77"))
    eventually(lambda: MARKET_STREAM in streams.problems())  # a second without a word
    assert f"{SYMBOL}: its ticker is" in streams.problems()[MARKET_STREAM]
    assert feed.poll()
    assert float(feed.quotes[SYMBOL].mark) == 100.0
    streams.report(alarms)
    assert MARKET_STREAM in alarms.active
    scripted.push(scripted.script.ticker())
    eventually(lambda: not streams.problems())
    streams.report(alarms)
    assert not alarms.active


def test_the_private_stream_halts_and_wakes_the_loop(scripted: ScriptedVenue, streams: Streams) -> None:
    woken: list[int] = []
    streams.wake = lambda: woken.append(1)
    eventually(lambda: not streams.problems())
    assert [type(event) for event in streams.drain()] == [Connected]
    assert streams.drain() == []
    scripted.accept = False
    scripted.drop("private")
    eventually(lambda: PRIVATE_STREAM in streams.problems())
    assert isinstance(eventually(streams.drain)[0], Disconnected)
    assert woken
    scripted.accept = True
    eventually(lambda: PRIVATE_STREAM not in streams.problems())
    assert isinstance(eventually(lambda: streams.drain()[-1:])[0], Connected)


def test_the_executor_records_beside_trading(
    scripted: ScriptedVenue, tmp_path: Path, journal: Journal
) -> None:
    streams = Streams(settings_of(scripted, tmp_path, record=True, recorder_free_gb=1e9))
    streams.start()
    alarms = Alarms(journal)
    eventually(lambda: streams.recorder is not None and streams.recorder.is_stopped)
    eventually(lambda: not streams.problems())
    streams.report(alarms)
    assert "trading goes on" in alarms.active[DISK]
    streams.close()
    again = Streams(settings_of(scripted, tmp_path, record=True))
    again.start()
    eventually(lambda: again.recorder is not None and again.recorder.counts.written >= 2)
    again.close()
    assert len(closed_segments(tmp_path / "tape")) == 1


def test_streams_are_off_where_nothing_says_otherwise(scripted: ScriptedVenue, tmp_path: Path) -> None:
    assert not settings_of(scripted, tmp_path, streams=None).uses_streams
    assert load_settings(home=tmp_path).uses_streams
    assert not load_settings(home=tmp_path, streams=False).uses_streams
    with pytest.raises(ConfigError, match="divisor of a day"):
        load_settings(home=tmp_path, recorder_rotate_s=7_000)
