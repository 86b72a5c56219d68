"""kill -9 at random instants of a trading process on the local testnet, and what the books look like afterwards.

The testnet runs in this process (its exchange is the truth that is compared with), the trader in its own; the market
jumps from settlement to settlement, so that there are always orders under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from hean_live.execution.invariants import VenueRecords, violations
from hean_live.execution.journal import Journal
from hean_live.local_testnet import run as testnet_process
from hean_live.local_testnet.setup import build_venue, open_market
from hean_live.local_testnet.venue import derive_keys
from hean_live.simulation.process import ENTRY_BEFORE_S
from hean_live.simulation.records import execution_record, order_record, position_record

SYMBOLS = ("ETHUSDT", "SOLUSDT", "XRPUSDT")
SPEED = 20.0
DAYS = 5
EQUITY = "100000"
BEGIN_MS = 1_790_906_400_000  # 2026-10-02 02:00 UTC: no settlement's hour, else the first lives would find one just over
_CAMPAIGN_MS = (ENTRY_BEFORE_S + 60) * 1000
_LONGEST_LIFE_S = 0.9
_REST_S = 60.0
_LAST_LIVES = 5


class Trader:
    """The forking trader: begins a life, hears what it says, kills it."""

    def __init__(self, home: Path, ready: dict[str, Any]) -> None:
        command = [sys.executable, "-m", "benchmarks.survive_trader", str(home), str(ready["base_url"])]
        command += [str(ready["api_key"]), str(ready["api_secret"]), ",".join(SYMBOLS)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )
        self._rest = b""
        self.deaths: list[str] = []
        self._hear("ready", 60.0)

    def begin(self) -> int:
        """Begin a life; returns its process id."""
        self._process.stdin.write(b"\n")
        return int(self._hear("pid", 30.0))

    def recovered(self, timeout_s: float) -> float | None:
        """Seconds the life took to be sure of its books, None if it is not within `timeout_s`."""
        return self._hear("recovered", timeout_s)

    def kill(self, pid: int) -> None:
        """End a life as a power cut would."""
        with contextlib.suppress(ProcessLookupError):  # it died by itself, which is told as `died`
            os.kill(pid, signal.SIGKILL)
        self._hear("reaped", 30.0)

    def close(self) -> None:
        """End the forking process."""
        self._process.kill()
        self._process.wait()

    def _hear(self, word: str, timeout_s: float) -> Any:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            line, found, rest = self._rest.partition(b"\n")
            if found:
                self._rest = rest
                said = json.loads(line)
                if "died" in said:
                    self.deaths.append(said["died"])
                if word in said:
                    return said[word]
                continue
            wait = max(0.0, deadline - time.monotonic())
            if select.select([self._process.stdout], [], [], wait)[0]:
                data = os.read(self._process.stdout.fileno(), 65536)
                if not data:
                    raise SystemExit("the trading process is gone")
                self._rest += data
        if word in ("ready", "pid", "reaped"):
            raise SystemExit(f"the trading process did not say {word!r} within {timeout_s:.0f} s")
        return None


class Campaign:
    """Kills a trader `kills` times and brings it to rest."""

    def __init__(self, venue: Any, kills: int, seed: int, home: Path) -> None:
        self._venue = venue
        self._kills = kills
        self._random = random.Random(seed)
        self._home = home
        self.recovery_s: list[float] = []
        self.result: dict[str, Any] = {}

    def run(self, ready: dict[str, Any]) -> None:
        """Run all of it and keep the result."""
        trader = Trader(self._home, ready)
        try:
            for number in range(self._kills):
                self._move_market()
                pid = trader.begin()
                # Half of the lives may die while they still recover, the other half once they have.
                if number % 2:
                    self._note(trader.recovered(30.0))
                time.sleep(self._random.uniform(0.0, _LONGEST_LIFE_S))
                trader.kill(pid)
            # A machine that stood still for a settlement's three seconds has seen no order: nothing would be compared.
            for _ in range(_LAST_LIVES):
                rested = self._last_life(trader)
                if self._venue.exchange.orders:
                    break
        finally:
            trader.close()
        self.result = {**self._compare(rested), "died": trader.deaths}

    def _last_life(self, trader: Trader) -> bool:
        """Live until nothing is under way; returns whether that came to be."""
        self._move_market()
        pid = trader.begin()
        self._note(trader.recovered(30.0))
        rested = self._rest()
        trader.kill(pid)
        return rested

    def _note(self, seconds: float | None) -> None:
        self.recovery_s.append(30.0 if seconds is None else seconds)

    def _move_market(self) -> None:
        """Jump to shortly before the next settlement whenever one is over."""
        clock = self._venue.clock
        interval_ms = 8 * 3_600_000
        phase = clock.now_ms() % interval_ms
        if _CAMPAIGN_MS - ENTRY_BEFORE_S * 1000 < phase < interval_ms - (ENTRY_BEFORE_S + 5) * 1000:
            clock.set_now(clock.now_ms() - phase + interval_ms - (ENTRY_BEFORE_S + 3) * 1000)

    def _rest(self) -> bool:
        """Wait until nothing is under way."""
        deadline = time.monotonic() + _REST_S
        quiet = 0
        while quiet < 6 and time.monotonic() < deadline:
            time.sleep(0.5)
            exchange = self._venue.exchange
            ours = [order for order in exchange.open_orders() if order.request.link_id]
            held = [symbol for symbol in SYMBOLS if exchange.position(symbol).qty]
            quiet = quiet + 1 if not ours and not held else 0
        return quiet >= 6

    def _compare(self, rested: bool) -> dict[str, Any]:
        exchange = self._venue.exchange
        records = VenueRecords(
            [order_record(order) for order in exchange.orders.values()],
            [execution_record(row) for row in exchange.executions],
            [position_record(p, exchange.mark(p.symbol)) for p in map(exchange.position, SYMBOLS) if p.qty],
            exchange.account.wallet_usd - exchange.account.equity_at_start_usd,
        )
        journal = Journal(self._home / "journal.sqlite")
        readable = journal._db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        found = violations(journal, records, at_rest=True)
        journal.close()
        numbers = [violation.number for violation in found]
        times = np.array(self.recovery_s)
        return {
            "kills": self._kills,
            "doubled": numbers.count("I1"),
            "lost": sum(numbers.count(number) for number in ("I2", "I3", "I5", "I6")),
            "orphaned": sum(numbers.count(number) for number in ("I4", "I7")) + (not rested),
            "recoveries_s": times.round(3).tolist(),
            "recovery_s_p50": round(float(np.percentile(times, 50)), 3),
            "recovery_s_p99": round(float(np.percentile(times, 99)), 3),
            "journal_readable": readable,
            "venue_orders": len(exchange.orders),
            "venue_fills": len(exchange.executions),
            "broken": [f"{violation.number}: {violation.words}" for violation in found],
        }


def survive_kills(kills: int, *, seed: int = 1) -> dict[str, Any]:
    """Kill a trader `kills` times; returns the counts. Runs in the main thread: it serves the testnet meanwhile."""
    market, now_ms = open_market(
        "synthetic",
        seed=seed,
        symbols=SYMBOLS,
        start_ms=None,
        now_ms=BEGIN_MS,
        days=DAYS,
        extra_days=2 + kills // 20,
    )
    venue = build_venue(
        market, derive_keys(seed), now_ms=now_ms, speed=SPEED, equity=EQUITY, ip_limit=1_000_000
    )
    with tempfile.TemporaryDirectory(prefix="hean-survive-") as folder:
        campaign = Campaign(venue, kills, seed, Path(folder))
        failures: list[BaseException] = []

        def work(ready: dict[str, Any]) -> None:
            try:
                campaign.run(ready)
            except BaseException as error:
                failures.append(error)
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

        def on_ready(ready: dict[str, Any]) -> None:
            threading.Thread(target=work, args=(ready,), daemon=True).start()

        asyncio.run(testnet_process.run(venue, "127.0.0.1", 0, None, on_ready))
        if failures:
            raise failures[0]
    return campaign.result
