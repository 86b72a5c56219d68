"""A trading process that can be killed many times a minute: the executor's real loop, books, journal and venue client.

    python -m benchmarks.survive_trader HOME URL KEY SECRET SYMBOLS

imports everything once and then forks a life for each line on its stdin; each life prints ``{"pid": ...}`` when it begins
and ``{"recovered": ...}`` once its books are reconciled and no order's fate is open. Forecasts are the only thing made up:
the killed process needs something to do at every settlement.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from decimal import Decimal
from pathlib import Path

from hean_live.app.process import hold_back_heavy_imports

if __name__ == "__main__":  # as a process of its own only: an importer may need what is held back
    hold_back_heavy_imports()

from hean_live.app.alarms import Alarms
from hean_live.app.engine import Engine
from hean_live.app.feed import Feed
from hean_live.app.runner import STATE_KEY, Options, Parts, Runner
from hean_live.app.trading import TradingRules, build_account
from hean_live.execution.journal import Journal
from hean_live.execution.kill_switch import KillSwitch
from hean_live.simulation.process import LEVERAGE, LIMITS, RULES, SimulatedForecasts, SimulatedModel
from hean_live.venues.bybit import BybitVenue
from hean_live.venues.public import PublicMarket

RECV_WINDOW_MS = 1000
LOST_AFTER_S = RECV_WINDOW_MS / 1000 + 2.0  # as `hean live` adds its margin
POLL_S = 0.05


def assemble(home: Path, url: str, key: str, secret: str, symbols: tuple[str, ...]) -> Runner:
    """Put one life together, in the order `hean live` does it."""
    journal = Journal(home / "journal.sqlite")
    journal.stamp(0, time.time_ns())
    alarms = Alarms(journal)
    kill_switch = KillSwitch(journal, home, Decimal("0.9"))
    public = PublicMarket(url, timeout_s=2.0)
    feed = Feed(public, public, alarms, clock_check_s=60.0)
    engine = Engine(symbols, RULES, journal.meta(STATE_KEY) or "")
    venue = BybitVenue(url, key, secret, timeout_s=2.0, recv_window_ms=RECV_WINDOW_MS)
    rules = TradingRules(
        LIMITS, LEVERAGE, lost_after_s=LOST_AFTER_S, written_off_after_s=5.0, idle_s=5.0, open_s=0.5
    )
    account = build_account(venue, journal, kill_switch, alarms, feed, rules)
    feed.poll()
    journal.stamp(feed.now_ns, time.time_ns())
    edges = {symbol: random.choice((-0.001, 0.001)) for symbol in symbols}
    parts = Parts(
        journal=journal,
        engine=engine,
        feed=feed,
        account=account,
        kill_switch=kill_switch,
        alarms=alarms,
        models=SimulatedModel(),
        watchers={},
        worker=SimulatedForecasts(lambda _at_ns: 0.0, edges),
        instruments=public.instruments(symbols),
        taker_fees={},
    )
    return Runner(parts, Options(), poll_interval_s=POLL_S, exit_after_s=RULES.strategy.exit_after_s)


def live(home: Path, url: str, key: str, secret: str, symbols: tuple[str, ...], started: float) -> None:
    """Trade until killed."""
    runner = assemble(home, url, key, secret, symbols)
    parts = runner._parts
    recovered = False
    while True:
        runner.poll()
        if not recovered and parts.account.books is not None and not parts.account.problem:
            recovered = not any(row.is_doubtful for row in parts.journal.active_orders())
            if recovered:
                say({"recovered": time.monotonic() - started})
        time.sleep(POLL_S)


def say(line: dict[str, object]) -> None:
    """Write one line at once, whole: lives share the pipe."""
    os.write(1, (json.dumps(line) + "\n").encode())


def main() -> None:
    """Fork a life for each line on stdin, and reap those that were killed."""
    home, url, key, secret, symbols = sys.argv[1:6]
    say({"ready": True})
    for _ in sys.stdin:
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            random.seed()
            try:
                live(Path(home), url, key, secret, tuple(symbols.split(",")), started)
            except BaseException as error:
                say({"died": f"{type(error).__name__}: {error}"})
                os._exit(1)
        say({"pid": pid})
        os.waitpid(pid, 0)
        say({"reaped": pid})


if __name__ == "__main__":
    main()
