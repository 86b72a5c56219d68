"""The rehearsal itself: which commands run, which accidents happen when, and what must hold afterwards.

Every piece is a process, started by its command as a user would. Choices are `plan`'s, orders by hand `venue`'s, figures
`results`' and `strategies`', the executor's lives `executor`'s, the kill switch `drill`'s.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hean_pipelines.demo.children import ChildFailed, Children
from hean_pipelines.rehearsal import results, strategies
from hean_pipelines.rehearsal.drill import kill_switch_drill
from hean_pipelines.rehearsal.executor import Executor, OnStage, RehearsalFailed
from hean_pipelines.rehearsal.plan import PIN_REASON, PINNED, Plan, write_settings
from hean_pipelines.rehearsal.venue import TestnetHands
from models.learning.instructions import danger_words

_HAND_USD = 150.0
_HAND_SHARE = 0.25  # of a small account
_READY_S = 300.0  # a cold machine compiles first
_LONG_S = 900.0
_LOADED_S = 300.0  # looks into the registry are a minute apart, one interpreter after another
_HOUR_MS = 3_600_000
_DRILLS = 3
_LAST_DRILL = 0.8


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
        self.executor = Executor(home, self.children, on_stage)
        self._venue: TestnetHands | None = None
        self._start_ms = 0
        self._lessons: list[dict[str, float]] = []
        self._lesson_due_h = plan.learn_every_h
        self._drills: list[dict[str, float]] = []

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
            self._prepare()
            load = self._live()
            hours = self._hours()
            self.venue.set_speed(0.0)
            result = {"market_hours": round(hours, 3), "speed": self.plan.speed, **self._account()}
        finally:
            self.children.close()
        closed = {symbol: qty for drill in self._drills for symbol, qty in drill.items()}
        result |= {
            "synthetic_evidence": self._evidence_words(),
            "policies": strategies.policies(self.home),
            "strategies": strategies.by_strategy(self.home),
            **strategies.of_the_bank(self.home),
            "restarts": sum(self.executor.restarts.values()),
            "closed_by_kill_switch": closed,
            "kill_drills": len(self._drills),
            "lessons": self._lessons,
            "learned": results.learned(self.home),
            "executor_peak_mb": round(self.executor.peak_mb, 1),
            "load": load,
            "wall_s": round(time.monotonic() - started, 1),
            "home": str(self.home),
        }
        (self.home / "rehearsal.json").write_text(json.dumps(result, indent=1), encoding="utf-8")
        return result

    # --- before

    def _serve(self) -> None:
        plan = self.plan
        # Else the market runs for minutes before the shadows do.
        self.on_stage("kernels: the shadows' loop is compiled, or found in the cache")
        self.children.run("warm", [], _LONG_S, module="hean_live.shadow.warm")
        self.on_stage(f"testnet: {', '.join(plan.symbols)} tick by tick, {plan.now:%Y-%m-%d %H:%M} UTC")
        arguments = ["testnet", "--market", "order-flow", "--speed", "0", "--seed", str(plan.seed)]
        arguments += [
            "--symbols",
            ",".join((*plan.symbols, plan.by_hand)),
            "--equity",
            f"{plan.equity_usd:f}",
        ]
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
        if self.plan.days:
            first, today = self.plan.first_day.isoformat(), self.plan.now.date().isoformat()
            self.on_stage(f"ingest: {self.plan.days} days of the venue's history")
            self.children.run("ingest", ["backfill", "--start", first, "--end", today], _LONG_S)
            self.on_stage("train: features, walk-forward, evidence, registry, promotion")
            self.children.run("train", ["train"], _LONG_S)
        if self.plan.synthetic_evidence:
            self.on_stage(f"pins: {len(PINNED)} strategies live from the first policy on, without evidence")
            for name in PINNED:
                words = ["--reason", PIN_REASON, "--danger", danger_words(name)]
                self.children.run("pin", ["strategies", "pin", name, "live", *words], 60.0)

    def _evidence_words(self) -> str:
        if not self.plan.synthetic_evidence:
            return "does not count"
        return f"counts, and pinned live for {PIN_REASON}: {', '.join(PINNED)}"

    # --- the day

    def _live(self) -> dict[str, float]:
        plan = self.plan
        self.venue.set_speed(1.0)
        self.executor.start("live: the executor starts")
        self.executor.await_reconciled()
        if plan.days:
            self._await_loaded("hean-funding")
        if plan.synthetic_evidence:
            self._learn(0.0)  # pins act through a policy: a first one, of an empty journal
            self._await_loaded("hean-policy")
        self.on_stage(f"live: {plan.hours:g} hours of market at {plan.speed:g} times real time")
        self._start_ms = self.venue.market_ms()
        self.executor.watch()
        began, testnet_s, executor_s = time.monotonic(), self.children.cpu_s("testnet"), self.executor.cpu_s
        self.venue.set_speed(plan.speed)
        hand_usd = min(_HAND_USD, _HAND_SHARE * plan.equity_usd)
        qty = max(round(hand_usd / self.venue.price(plan.by_hand)), 2)
        self.venue.order(plan.by_hand, "Buy", str(2 * qty))
        self._until(0.25)
        self.on_stage("crash: kill -9, and a start over what is left")
        self.executor.crash()
        self.executor.start("crash: started again", why="crash")
        self._until(0.5)
        self._drill()
        self._until(0.9)
        self.venue.order(plan.by_hand, "Sell", str(qty))
        self._until(1.0)
        self.executor.watch()
        wall_s = time.monotonic() - began
        load = {
            "wall_s": round(wall_s, 1),
            "testnet_cpu_share": round((self.children.cpu_s("testnet") - testnet_s) / wall_s, 3),
            "executor_cpu_share": round((self.executor.cpu_s - executor_s) / wall_s, 3),
        }
        self.on_stage("end: SIGTERM")
        self.executor.stop()
        return load

    def _await_loaded(self, name: str) -> None:
        loaded = "SELECT count(*) FROM events WHERE kind = 'reload' AND json_extract(body, '$.name') = ?"
        self.executor.await_(
            lambda: results.count(self.home, loaded, name) > 0, f"{name} to be loaded", _LOADED_S
        )

    def _drill(self) -> None:
        """Trip the kill switch while something is held; again if the position had been left by itself meanwhile."""
        while len(self._drills) < _DRILLS:
            self._until(_LAST_DRILL, lambda: bool(self.executor.held()))
            self._drills.append(kill_switch_drill(self.executor, self.children, self.on_stage))
            if self._drills[-1] or self._hours() >= _LAST_DRILL * self.plan.hours:
                return

    def _hours(self) -> float:
        return (self.venue.market_ms() - self._start_ms) / _HOUR_MS

    def _until(self, share: float, earlier: Callable[[], bool] = lambda: False) -> None:
        """Let the market run to a share of the hours, or until something is so, learning on the way."""
        while (hours := self._hours()) < share * self.plan.hours and not earlier():
            self.executor.watch()
            if hours >= self._lesson_due_h:
                self._lesson_due_h += self.plan.learn_every_h
                self._learn(hours)
            time.sleep(0.2)

    def _learn(self, hours: float) -> None:
        self.on_stage(f"learn: the journal after {hours:.1f} hours of market")
        day = time.strftime("%Y-%m-%d", time.gmtime(self.venue.market_ms() / 1000))
        first = self.plan.now.date().isoformat()
        usage = self.children.run("learn", ["learn", "--start", first, "--end", day], _LONG_S)
        self._lessons.append({"market_hours": round(hours, 2), "wall_s": round(usage.seconds, 1)})

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
            "shadows": replay["shadows"],
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
