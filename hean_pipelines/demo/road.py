"""The demo's road: which commands run, in which order, against which market.

Here belongs the sequence. Processes are `children`, choices are `plan`, results are `summary`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hean_pipelines.demo.children import ChildFailed, Children, Usage
from hean_pipelines.demo.plan import Plan
from hean_pipelines.demo.summary import summarise, write_predictions
from models.errors import ConfigError

_MARKER = ".hean-demo"
_LONGEST_S = {
    "testnet": 120.0,
    "ingest": 900.0,
    "train": 900.0,
    "trade": 400.0,
    "learn": 300.0,
    "report": 180.0,
}

OnStage = Callable[[str], None]


class Road:
    """One run of the demo.

    Parameters
    ----------
    home : Path
        The demo's own home folder; emptied at the start if it was made by a demo.
    plan : Plan
    on_stage : callable
        Told what begins.

    """

    def __init__(self, home: Path, plan: Plan, on_stage: OnStage) -> None:
        self.home = home
        self.plan = plan
        self.on_stage = on_stage
        self.stages: dict[str, Usage] = {}

    def run(self) -> dict[str, Any]:
        """Walk the road and return the summary, which is also in `summary.json`.

        Raises
        ------
        ChildFailed
            If a command fails; the end of its log is in the message.
        ConfigError
            If the folder holds something that is not a demo's.

        """
        empty_home(self.home)
        children = Children(self.home / "logs", {"HEAN_HOME": str(self.home)})
        try:
            report = self._walk(children)
        finally:
            children.close()
        return self._summarise(report)

    def _summarise(self, report: Path) -> dict[str, Any]:
        result = summarise(self.home, self.plan, self.stages, report)
        temporary = self.home / ".summary.json.tmp"
        temporary.write_text(json.dumps(result, indent=1), encoding="utf-8")
        os.replace(temporary, self.home / "summary.json")
        return result

    def _walk(self, children: Children) -> Path:
        venue = self._venue(children)
        first, today = self.plan.first_day.isoformat(), self.plan.now.date().isoformat()
        with self._stage("ingest", "ingest: the venue's history into the lake"):
            self._run(children, "ingest", ["backfill", "--start", first, "--end", today])
        with self._stage("train", "train: marts, features, walk-forward, evidence, registry, promotion"):
            self._run(children, "train", ["train"])
        if self.plan.settlements:
            self._trade(children, venue)
        write_predictions(self.home)
        report = self.home / "report" / "index.html"
        self._summarise(report)  # the page says which market it shows
        with self._stage("report", "report: one HTML page"):
            self._run(children, "report", ["report"])
        return report

    def _venue(self, children: Children) -> dict[str, Any]:
        plan = self.plan
        arguments = [
            "testnet",
            "--port",
            "0",
            "--market",
            plan.market,
            "--seed",
            str(plan.seed),
            "--speed",
            "0",
        ]
        arguments += ["--symbols", ",".join(plan.symbols), "--now", plan.now.isoformat(timespec="seconds")]
        arguments += ["--equity", plan.equity_usd, "--parent-pid", str(os.getpid())]
        if plan.market == "synthetic":
            arguments += ["--start", plan.first_day.isoformat()]
        with self._stage("testnet", f"testnet: the venue on loopback, {plan.market}"):
            ready = children.start("testnet", arguments, _LONGEST_S["testnet"])
        write_settings(self.home, plan, str(ready["base_url"]))
        children.environment |= {
            "HEAN_LIVE_API_KEY": str(ready["api_key"]),
            "HEAN_LIVE_API_SECRET": str(ready["api_secret"]),
        }
        return ready

    def _trade(self, children: Children, venue: dict[str, Any]) -> None:
        plan = self.plan
        started = time.monotonic()
        self.on_stage(
            f"trade: the executor, {plan.settlements} settlements at {plan.speed:g} times real time"
        )
        children.start("live", ["live", "--until-settlements", str(plan.settlements)], 30.0)
        _set_clock(venue, speed=plan.speed)
        learned = False
        deadline = started + _LONGEST_S["trade"]
        while children.alive("live"):
            if time.monotonic() > deadline:
                raise ChildFailed(
                    "the executor did not come to its end", remedy=f"see {children.log_of('live')}"
                )
            self.stages["live"] = Usage(
                time.monotonic() - started, children.peak_mb("live") or self._peak("live")
            )
            if not learned and _count(self.home / "journal.sqlite", "select count(*) from trades") > 0:
                # While the executor trades on: the matrix it loads is made from its own first trades.
                _set_clock(venue, speed=0.0)
                self._learn(children, venue, "learn")
                self._await_matrix()
                _set_clock(venue, speed=plan.speed)
                learned = True
            if _market_ms(venue) >= int(venue["last_ms"]):
                self.on_stage("trade: the recording ends here, and the executor with it")
                break
            time.sleep(0.2)
        code = children.stop("live")
        if code != 0:
            raise ChildFailed(
                f"the executor ended with exit code {code}", remedy=f"see {children.log_of('live')}"
            )
        _set_clock(venue, speed=0.0)
        with self._stage("ingest_again", "ingest: the days the executor lived through"):
            today = _market_day(venue)
            arguments = ["backfill", "--start", plan.now.date().isoformat(), "--end", today]
            self._run(children, "ingest", arguments, stage="ingest_again")
            self._run(children, "ingest", ["warehouse", "rebuild"], stage="ingest_again")
        self._learn(children, venue, "learn_again")

    def _await_matrix(self) -> None:
        """Give the executor a moment to find the matrix; going on without it is no error."""
        self.on_stage("trade: the executor loads the matrix and goes on")
        deadline = time.monotonic() + 20.0
        loaded = "select count(*) from events where kind = 'reload' and body like '%regime-matrix%'"
        while time.monotonic() < deadline and _count(self.home / "journal.sqlite", loaded) == 0:
            time.sleep(0.2)

    def _learn(self, children: Children, venue: dict[str, Any], stage: str) -> None:
        with self._stage(
            stage, "learn: the journal into the lake, the regime-performance matrix, the policy"
        ):
            first = self.plan.now.date().isoformat()
            self._run(
                children, "learn", ["learn", "--start", first, "--end", _market_day(venue)], stage=stage
            )

    def _run(self, children: Children, name: str, arguments: list[str], *, stage: str | None = None) -> None:
        usage = children.run(name, arguments, _LONGEST_S[name])
        key = stage or name
        seen = self.stages.get(key, Usage(0.0, 0.0))
        self.stages[key] = Usage(seen.seconds + usage.seconds, max(seen.peak_mb, usage.peak_mb))

    def _peak(self, stage: str) -> float:
        return self.stages[stage].peak_mb if stage in self.stages else 0.0

    @contextmanager
    def _stage(self, name: str, words: str) -> Iterator[None]:
        self.on_stage(words)
        started = time.monotonic()
        yield
        if name not in self.stages:
            self.stages[name] = Usage(time.monotonic() - started, 0.0)


def empty_home(home: Path) -> None:
    """Make an empty folder for the demo; one that a demo made before is emptied.

    Raises
    ------
    ConfigError
        If the folder holds anything that no demo made.

    """
    if home.exists() and any(home.iterdir()):
        if not (home / _MARKER).is_file():
            raise ConfigError(
                f"{home} is not empty and was not made by a demo",
                remedy="move it away, or set HEAN_HOME to another folder",
            )
        shutil.rmtree(home)
    home.mkdir(parents=True, exist_ok=True)
    (home / _MARKER).write_text("made by `hean demo`, emptied by the next one\n", encoding="utf-8")


def write_settings(home: Path, plan: Plan, base_url: str) -> None:
    """Write `hean.toml`, so that every command run on this home later sees the same market."""
    symbols = json.dumps(list(plan.symbols))
    start = min(plan.first_day, plan.now.date())
    # The market runs fast: what takes a minute of the market must be polled often in real time.
    text = f"""\
[pipelines]
venue_url = "{base_url}"
universe = {symbols}
partitions_start = {start.isoformat()}
open_interest_interval = "{"5min" if plan.market == "synthetic" else "1h"}"

[live]
environment = "local"
order_url = "{base_url}"
symbols = {symbols}
poll_interval_s = 0.1
reconcile_open_s = 1.0
registry_poll_s = 2.0
max_ticker_age_s = 1800.0
max_forecast_age_s = 3600.0
s1_entry_window_s = 2400
"""
    (home / "hean.toml").write_text(text, encoding="utf-8")


def _set_clock(venue: dict[str, Any], **move: float) -> dict[str, Any]:
    import requests

    answer = requests.post(f"{venue['base_url']}/testnet/clock", json=move, timeout=10)
    answer.raise_for_status()
    state: dict[str, Any] = answer.json()
    return state


def _market_ms(venue: dict[str, Any]) -> int:
    import requests

    return int(requests.get(f"{venue['base_url']}/testnet/state", timeout=10).json()["market_time_ms"])


def _market_day(venue: dict[str, Any]) -> str:
    return datetime.fromtimestamp(_market_ms(venue) / 1000.0, UTC).date().isoformat()


def _count(journal: Path, query: str) -> int:
    # The executor may not have made its journal yet.
    with (
        contextlib.suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db,
    ):
        return int(db.execute(query).fetchone()[0])
    return 0
