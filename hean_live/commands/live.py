"""`hean live`: arguments, the process around the loop, and what is printed. The work is in `hean_live.app`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hean_live.app.runner import Runner
    from hean_live.settings import LiveSettings

_DESCRIPTION = """\
Trade the promoted funding model (strategy S1) on the Bybit testnet or the local testnet.

Loads the champion bundle by its alias (from the cache when the registry is down), forecasts each symbol's
next funding rate 90, 60 and 30 minutes before the settlement, and holds a position across it when the
forecast says so. Every signal is also traded on paper. Orders are journalled before they are sent; a restart
goes on where the last run stood. There is no way to trade on the main network with this program.
"""

_EPILOG = """\
examples:
  hean testnet --port 8099 --speed 600 &        a market of one's own, ten minutes a second
  HEAN_LIVE_ENVIRONMENT=local HEAN_LIVE_ORDER_URL=http://127.0.0.1:8099 \\
  HEAN_LIVE_API_KEY=... HEAN_LIVE_API_SECRET=... hean live --until-settlements 3
  hean live --dry-run                           forecasts and shadow trades only; needs no key
  hean live --kill                              cancel all and close everything, until re-armed
  hean live --re-arm                            go on after the kill switch tripped
  hean live --replay var                        decide again on all that was recorded there, and compare

stdout: one JSON line when ready, one when it ends. stderr: the log. stop with SIGTERM or Ctrl-C: entries end,
our orders are cancelled, positions keep the stop the venue holds for them. --kill writes $HEAN_HOME/KILL, which the
running executor sees at its next poll (SIGUSR1 does the same without the file); it stays off, across restarts, until the
file is gone and --re-arm was given.

--replay needs no venue, key or network and writes nothing. It reads what every poll told the engine ($HEAN_HOME/inputs,
written beside the journal), lets the engine decide again, and compares every command; see docs/replay.md.

exit codes: 0 ended as asked, or every command the same; 2 configuration, 3 stopped trading, 4 venue not reachable at
the start, 7 a replay with other commands, 130 interrupted twice
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `hean live`."""
    parser = subparsers.add_parser(
        "live",
        help="run the executor against the Bybit testnet or the local testnet",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--dry-run", action="store_true", help="everything but orders")
    parser.add_argument("--once", action="store_true", help="poll once and end")
    parser.add_argument(
        "--until-settlements", type=_positive, metavar="N", help="end after N settlements and their exits"
    )
    parser.add_argument("--duration-s", type=float, metavar="S", help="end after S seconds of real time")
    parser.add_argument("--symbols", metavar="A,B", help="trade these symbols, comma-separated")
    parser.add_argument("--flat-on-exit", action="store_true", help="close our positions when ending")
    parser.add_argument(
        "--kill",
        action="store_true",
        help="stop the executor of this home folder from trading: cancel all, close everything; returns at once",
    )
    parser.add_argument("--re-arm", action="store_true", help="turn a tripped kill switch on again")
    _add_replay(parser)
    parser.add_argument("--verbose", action="store_true", help="log more")
    parser.set_defaults(run=run)


def _add_replay(parser: argparse.ArgumentParser) -> None:
    replay = parser.add_argument_group("replay")
    replay.add_argument(
        "--replay",
        metavar="PATH",
        help="decide again on what was recorded under PATH: a home folder, its journal, its folder of inputs, or a"
        " segment of it",
    )
    replay.add_argument(
        "--from",
        dest="from_time",
        type=_time,
        metavar="TIME",
        help="compare from this market time on (ISO 8601)",
    )
    replay.add_argument("--until", type=_time, metavar="TIME", help="compare up to this market time")
    replay.add_argument(
        "--force", action="store_true", help="replay although the engine's code is not the one that recorded"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run until stopped; returns the exit code."""
    started = time.monotonic()
    if arguments.replay is not None or arguments.from_time or arguments.until or arguments.force:
        from hean_live.replay.command import run_replay

        return run_replay(arguments)
    from hean_live.app.process import hold_back_heavy_imports, set_up_logging, single_instance

    # Before anything can import LightGBM.
    hold_back_heavy_imports()
    set_up_logging(arguments.verbose)
    from hean_live.app.health import wait_for_venues
    from hean_live.app.runner import Options
    from hean_live.app.start import assemble
    from hean_live.settings import load_settings

    settings = load_settings(symbols=arguments.symbols)
    if settings.log_json:
        set_up_logging(arguments.verbose, as_json=True)
    if arguments.kill:
        from hean_live.execution.kill_switch import request_kill

        path = request_kill(settings.home, "hean live --kill")
        _print({"kill": str(path.resolve())})
        return 0
    options = Options(
        dry_run=arguments.dry_run,
        once=arguments.once,
        until_settlements=arguments.until_settlements,
        duration_s=arguments.duration_s,
        flat_on_exit=arguments.flat_on_exit,
    )
    with single_instance(settings.home):
        # Without streams a start does without market data: positions have to be left in time all the same.
        needed = (settings.orders_at, settings.data_from) if settings.uses_streams else (settings.orders_at,)
        wait_for_venues(needed, settings.timeout_s)
        runner = assemble(settings, options, rearm=arguments.re_arm)
        _run(runner, settings, started)
    return 0


def _run(runner: Runner, settings: LiveSettings, started: float) -> None:
    from hean_live.app.process import notify

    _handle_signals(runner)
    try:
        runner.warm_up()
        ready: dict[str, object] = {
            "ready": True,
            "pid": os.getpid(),
            "ready_s": round(time.monotonic() - started, 3),
            "environment": settings.environment,
            "order_url": settings.orders_at,
            "symbols": list(settings.symbols),
            "home": str(settings.home.resolve()),
            "bundle": runner.bundle_version,
        }
        _print(ready)
        notify("READY=1\nSTATUS=trading " + ", ".join(settings.symbols))
        reason = runner.run()
    except BaseException as error:
        _leave(runner, f"{type(error).__name__}: {error}")
        raise
    summary = runner.shut_down(reason)
    runner.farewell()
    _print({"ended": reason, **summary})


def _leave(runner: Runner, reason: str) -> None:
    """Leave nothing behind after an error, as far as that can still be done."""
    from models.errors import HeanError

    try:
        runner.shut_down(reason)
    except HeanError as error:
        logging.getLogger(__name__).error("shutting down: %s", error)
    runner.farewell(reason)


def _handle_signals(runner: Runner) -> None:
    def stop(number: int, _frame: object) -> None:
        # A second signal ends at once: the journal makes that safe, and the next start cancels what is left.
        signal.signal(number, signal.SIG_DFL)
        runner.stop(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    signal.signal(signal.SIGUSR1, lambda _number, _frame: runner.kill("SIGUSR1"))


def _print(body: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(body) + "\n")
    sys.stdout.flush()


def _time(text: str) -> int:
    from hean_live.replay.command import read_time

    return read_time(text)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, was {text}")
    return value
