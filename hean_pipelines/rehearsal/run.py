"""The rehearsal itself: which commands run, which accidents happen when, and what must hold afterwards.

Every piece is a process, started by its command as a user would. Choices are `plan`'s, orders by hand `venue`'s, figures
`results`'.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hean_pipelines.demo.children import ChildFailed, Children
from hean_pipelines.rehearsal import results
from hean_pipelines.rehearsal.plan import Plan, write_settings
from hean_pipelines.rehearsal.venue import TestnetHands
from models.errors import HeanError

_HAND_USD = 150.0
_READY_S = 300.0  # a cold machine compiles first
_LONG_S = 900.0
_HOUR_MS = 3_600_000
_NOTHING = 1e-9

OnStage = Callable[[str], None]


class RehearsalFailed(HeanError):
    """Something that must hold did not."""


class Rehearsal:
    """One run.

    Parameters
    ----------
    home : Path
        Emptied at the start if a rehearsal made it.
    plan : Plan
    on_stage : callable
        Told what begins.

    """

    def __init__(self, home: Path, plan: Plan, on_stage: OnStage) -> None:
        self.home = home
        self.plan = plan
        self.on_stage = on_stage
        self.children = Children(home / "logs", {"HEAN_HOME": str(home)})
        self.restarts: dict[str, int] = {}
        self._venue: TestnetHands | None = None
        self._start_ms = 0
        self._lessons = 0
        self._killed: dict[str, float] = {}
        self._peak_mb = 0.0

    @property
    def venue(self) -> TestnetHands:
        """The testnet that runs."""
        assert self._venue is not None  # noqa: S101 - `run` starts it first
        return self._venue

    def run(self) -> dict[str, Any]:
        """Rehearse and return the result, which is also in `rehearsal.json`.

        Raises
        ------
        ChildFailed
            If a command fails; the end of its log is in the message.
        RehearsalFailed
            If something that must hold did not.
        """
        started = time.monotonic()
        try:
            self._serve()
            if self.plan.days:
                self._prepare()
            self._live()
            hours = (self.venue.market_ms() - self._start_ms) / _HOUR_MS
            self.venue.set_speed(0.0)
            result = {"market_hours": round(hours, 3), "speed": self.plan.speed, **self._account()}
        finally:
            self.children.close()
        result |= {
            "restarts": sum(self.restarts.values()),
            "closed_by_kill_switch": self._killed,
            "lessons": self._lessons,
            "learned": results.learned(self.home),
            "executor_peak_mb": round(self._peak_mb, 1),
            "wall_s": round(time.monotonic() - started, 1),
            "home": str(self.home),
        }
        (self.home / "rehearsal.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
        return result

    # --- before

    def _serve(self) -> None:
        plan = self.plan
        self.on_stage(f"testnet: {', '.join(plan.symbols)} tick by tick, {plan.now:%Y-%m-%d %H:%M} UTC")
        arguments = ["testnet", "--market", "order-flow", "--speed", "0", "--seed", str(plan.seed)]
        arguments += ["--symbols", ",".join((*plan.symbols, plan.by_hand)), "--equity", plan.equity_usd]
        arguments += [
            "--start",
            plan.first_day.isoformat(),
            "--now",
            plan.now.isoformat(timespec="seconds"),
        ]
        ready = self.children.start("testnet", [*arguments, "--parent-pid", str(os.getpid())], _READY_S)
        self._venue = TestnetHands(ready)
        write_settings(self.home, plan, self.venue.base_url)
        self.children.environment |= {
            "HEAN_LIVE_API_KEY": str(ready["api_key"]),
            "HEAN_LIVE_API_SECRET": str(ready["api_secret"]),
        }

    def _prepare(self) -> None:
        first, today = self.plan.first_day.isoformat(), self.plan.now.date().isoformat()
        self.on_stage(f"ingest: {self.plan.days} days of the venue's history")
        self.children.run("ingest", ["backfill", "--start", first, "--end", today], _LONG_S)
        self.on_stage("train: features, walk-forward, evidence, registry, promotion")
        self.children.run("train", ["train"], _LONG_S)

    # --- the day

    def _live(self) -> None:
        plan = self.plan
        self.venue.set_speed(1.0)
        self._start("live: the executor starts")
        self._await_reconciled()
        if plan.days:
            loaded = "SELECT count(*) FROM events WHERE kind = 'reload' AND body LIKE '%hean-funding%'"
            self._await(lambda: results.count(self.home, loaded) > 0, "the model to be loaded")
        self.on_stage(f"live: {plan.hours:g} hours of market at {plan.speed:g} times real time")
        self._start_ms = self.venue.market_ms()
        self.venue.set_speed(plan.speed)
        qty = max(round(_HAND_USD / self.venue.price(plan.by_hand)), 2)
        self.venue.order(plan.by_hand, "Buy", str(2 * qty))
        self._until(0.25)
        self._crash()
        self._until(0.5)
        self._until(0.8, lambda: bool(self._held()))  # better shown with something to close
        self._kill_switch()
        self._until(0.9)
        self.venue.order(plan.by_hand, "Sell", str(qty))
        self._until(1.0)
        self.on_stage("end: SIGTERM")
        self._stop()

    def _until(self, share: float, earlier: Callable[[], bool] = lambda: False) -> None:
        """Let the market run to a share of the hours, or until something is so, learning on the way."""
        end_ms = self._start_ms + int(share * self.plan.hours * _HOUR_MS)
        every_ms = int(self.plan.learn_every_h * _HOUR_MS)
        while (now_ms := self.venue.market_ms()) < end_ms and not earlier():
            if not self.children.alive("live"):
                raise RehearsalFailed(
                    "the executor should run, has ended", remedy=f"see {self.children.log_of('live')}"
                )
            self._peak_mb = max(self._peak_mb, self.children.peak_mb("live"))
            if now_ms - self._start_ms >= (self._lessons + 1) * every_ms:
                self._learn(now_ms)
            time.sleep(0.2)

    def _learn(self, now_ms: int) -> None:
        self._lessons += 1
        hours = (now_ms - self._start_ms) / _HOUR_MS
        self.on_stage(f"learn: the journal after {hours:.1f} hours of market")
        day = time.strftime("%Y-%m-%d", time.gmtime(now_ms / 1000))
        first = self.plan.now.date().isoformat()
        self.children.run("learn", ["learn", "--start", first, "--end", day], _LONG_S)

    def _crash(self) -> None:
        self.on_stage("crash: kill -9, and a start over what is left")
        self.children.kill("live")
        self._start("crash", why="crash")

    def _kill_switch(self) -> None:
        """Trip it by its file, see everything closed, see it stay off over a restart, and re-arm it."""
        self.on_stage("kill switch: by the file; everything is to be closed")
        self._killed = self._held()
        self.children.run("kill", ["live", "--kill"], 60.0)
        said = "SELECT count(*) FROM events WHERE kind = 'kill_progress' AND body LIKE '%nothing of ours is open%'"
        self._await(lambda: results.count(self.home, said) > 0, "the venue to confirm that nothing is open")
        if held := self._held():
            raise RehearsalFailed(f"nothing should be held after the kill switch, was {held}")
        self._stop()
        before = results.count(self.home, "SELECT count(*) FROM orders WHERE leg = 'entry'")
        self._start("kill switch: off across a restart", why="killed")
        self._await_reconciled()
        if not self._started_with():
            raise RehearsalFailed("the kill switch should stay off across a restart, was armed")
        time.sleep(1.0)
        self._stop()
        after = results.count(self.home, "SELECT count(*) FROM orders WHERE leg = 'entry'")
        if after != before:
            raise RehearsalFailed(f"no entry should be made while killed, {after - before} were")
        (self.home / "KILL").unlink()
        self._start("kill switch: armed again", "--re-arm", why="re-armed")
        self._await_reconciled()
        if words := self._started_with():
            raise RehearsalFailed(f"the kill switch should be armed again, was off: {words}")

    def _held(self) -> dict[str, float]:
        """Return what the executor's own orders add up to, by symbol; flat ones are absent."""
        query = "SELECT symbol, sum(side * CAST(filled_qty AS REAL)) FROM orders GROUP BY symbol"
        rows = results.ask(self.home / results.JOURNAL, query)
        return {str(symbol): float(net) for symbol, net in rows if abs(net) > _NOTHING}

    def _started_with(self) -> str:
        """Why the kill switch was off when the executor last started, empty if it was on."""
        query = (
            "SELECT json_extract(body, '$.kill_switch') FROM events WHERE kind = 'start' ORDER BY seq DESC"
        )
        rows = results.ask(self.home / results.JOURNAL, query)
        return str(rows[0][0] or "") if rows else ""

    # --- the executor

    def _start(self, words: str, *options: str, why: str = "") -> None:
        self.on_stage(words)
        self.children.start("live", ["live", *options], _READY_S)
        if why:
            self.restarts[why] = self.restarts.get(why, 0) + 1

    def _stop(self) -> None:
        self._peak_mb = max(self._peak_mb, self.children.peak_mb("live"))
        code = self.children.stop("live", grace_s=30.0)
        if code != 0:
            raise ChildFailed(
                f"the executor ended with exit code {code}", remedy=f"see {self.children.log_of('live')}"
            )

    def _await_reconciled(self) -> None:
        """Wait for a reconciliation after this moment."""
        query = "SELECT count(*) FROM equity"
        before = results.count(self.home, query)
        self._await(lambda: results.count(self.home, query) > before, "the account to be reconciled")

    def _await(self, done: Callable[[], bool], what: str, timeout_s: float = 90.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > deadline or not self.children.alive("live"):
                raise RehearsalFailed(
                    f"within {timeout_s:g} s {what} was expected, was not seen",
                    remedy=f"see {self.children.log_of('live')}",
                )
            time.sleep(0.1)

    # --- afterwards

    def _account(self) -> dict[str, Any]:
        self.on_stage("ledger: the journal against the venue's wallet")
        # What happened after the executor was gone is booked by a start: as after any stop.
        self.children.run("book", ["live", "--once"], 120.0)
        ledger = self._asked("ledger", ["ledger", "--json"])
        self.on_stage("replay: every decision again")
        replay = self._asked("replay", ["live", "--replay", str(self.home)])
        return {
            **results.traded(self.home),
            "ledger_difference_usd": round(float(ledger["difference_usd"]), 6),
            "ledger_reconciles": bool(ledger["reconciles"]),
            "ledger": ledger,
            "replay_identical": bool(replay["identical"]),
            "replayed_polls": int(replay["polls"]),
            "replayed_commands": int(replay["commands"]),
        }

    def _asked(self, name: str, arguments: list[str]) -> dict[str, Any]:
        """Run a command whose exit code 7 is an answer, and return the JSON it prints."""
        log = self.children.log_of(name)
        try:
            self.children.run(name, arguments, _LONG_S)
        except ChildFailed as error:
            if "exit code 7" not in str(error):
                raise
        for line in reversed(log.read_text().splitlines()):
            if line.startswith("{"):
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise RehearsalFailed(f"{name} should print one JSON object, printed none", remedy=f"see {log}")
