"""`hean record`: arguments, the process around the recorder, and what is printed. The work is in `hean_live.recorder`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from hean_live.app.bell import Bell

if TYPE_CHECKING:
    from hean_live.app.recording import RecordingWatch
    from hean_live.market.service import MarketStreams

_LOG_EVERY_S = 60.0

_DESCRIPTION = """\
Record the public streams of the configured symbols: order book, trades, tickers, liquidations, and open interest
every 60 s. Raw messages with their receive time go to compressed segments in HEAN_HOME/tape, which the pipelines
take into the lake (asset raw_bybit__tape). Gaps of the connection are marked, and the trades missed read by REST.
Needs no key. A full disk stops the recording until there is space again, and says so.
"""

_EPILOG = """\
examples:
  hean record                                   the symbols of the settings, from where market data come from
  hean record --symbols BTCUSDT,ETHUSDT         these symbols
  HEAN_LIVE_ENVIRONMENT=local HEAN_LIVE_ORDER_URL=http://127.0.0.1:8099 hean record --duration-s 60

stdout: one JSON line when recording, one with every counter when it ends. stderr: the log. stop with SIGTERM or
Ctrl-C: the last segment is closed. After a crash the next start closes what was left open.

exit codes: 0 ended as asked, 2 configuration, 4 venue not reachable at the start
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `hean record`."""
    parser = subparsers.add_parser(
        "record",
        help="record the public streams to tape",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--symbols", metavar="A,B", help="record these symbols, comma-separated")
    parser.add_argument("--duration-s", type=float, metavar="S", help="end after S seconds")
    parser.add_argument("--verbose", action="store_true", help="log more")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Record until stopped; returns the exit code."""
    from hean_live.app.health import wait_for_venues
    from hean_live.app.process import notify, set_up_logging
    from hean_live.app.recording import RecordingWatch
    from hean_live.app.streams import make_market, make_recorder
    from hean_live.settings import load_settings
    from hean_live.venues.streams.thread import StreamThread

    set_up_logging(arguments.verbose)
    settings = load_settings(symbols=arguments.symbols)
    if settings.log_json:
        set_up_logging(arguments.verbose, as_json=True)
    wait_for_venues((settings.data_from,), settings.timeout_s)
    stop = _stop_on_signals()
    thread = StreamThread()
    watch = RecordingWatch(settings)
    recorder = make_recorder(settings, watch.alert)
    market = make_market(settings, thread, recorder)
    recorder.start()
    thread.start()
    market.start()
    try:
        folder = str(recorder.folder.resolve())
        _print({"recording": True, "pid": os.getpid(), "symbols": list(market.symbols), "folder": folder})
        notify("READY=1\nSTATUS=recording " + ", ".join(market.symbols))
        _watch(market, watch, stop, arguments.duration_s)
    finally:
        notify("STOPPING=1")
        market.close()
        thread.stop()
        recorder.close()
        watch.close()
    _print({"ended": True, **market.counters()})
    return 0


def _watch(market: MarketStreams, watch: RecordingWatch, stop: Bell, duration_s: float | None) -> None:
    """Have it watched until it is stopped, and log now and then."""
    log = logging.getLogger(__name__)
    started = logged = time.monotonic()
    while not stop.wait(1.0):
        now = time.monotonic()
        watch.look(market.stream.counts.data)
        if now - logged >= _LOG_EVERY_S:
            logged = now
            log.info("%s", {name: value for name, value in market.counters().items() if value})
        if duration_s is not None and now - started >= duration_s:
            return


def _stop_on_signals() -> Bell:
    stop = Bell()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.ring())
    return stop


def _print(body: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(body) + "\n")
    sys.stdout.flush()
