"""The loop: fill a snapshot, let the engine decide, make it durable, carry it out; until told to stop.

Here belongs the order of things at the edge: clocks, threads, processes, signals. Decisions belong to the
engine, orders to the order manager.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from hean_live.app.bell import Bell
from hean_live.app.ending import Ending
from hean_live.app.forecaster import Failed, WarmUp
from hean_live.app.keeping import STATE_KEY, keep
from hean_live.app.outlook import halts_of, orphans_of, sights_of, snapshot_of
from hean_live.app.parts import Options, Parts
from hean_live.app.process import notify
from hean_live.app.snapshot import (
    Cancel,
    Command,
    Forecasted,
    Place,
    Settled,
    WantForecast,
    WantSettled,
)
from hean_live.replay.inputs import PollInputs, concerning, decide

log = logging.getLogger(__name__)

_RETRY_S = 5.0
_LEAST_PAUSE_S = 0.02  # a burst of private events is one poll
_CANCEL_TIMEOUT_S = 10.0


class Runner:
    """Runs the loop in the thread that calls `run`.

    Parameters
    ----------
    parts : Parts
    options : Options
    poll_interval_s : float
        Wall seconds between the starts of polls.
    exit_after_s : int
        Market seconds after a settlement at which positions are left; a settlement counts as passed then.
    monotonic : callable
        Seconds that only grow.

    """

    def __init__(
        self,
        parts: Parts,
        options: Options,
        *,
        poll_interval_s: float,
        exit_after_s: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._parts = parts
        self._options = options
        self._poll_interval_s = poll_interval_s
        self._monotonic = monotonic
        self._bell = Bell()
        self._stop_reason = ""
        self._kill_reason = ""
        self._news: list[Forecasted | Settled] = []
        self._retry_at: dict[object, float] = {}
        self._ending = Ending(parts, options, exit_after_s)
        if parts.streams is not None:
            parts.streams.wake = self._bell.ring

    def stop(self, reason: str) -> None:
        """End the loop after the present poll; may be called from a signal handler."""
        self._stop_reason = self._stop_reason or reason
        self._bell.ring()

    def kill(self, reason: str) -> None:
        """Trip the kill switch at the next poll; may be called from a signal handler."""
        self._kill_reason = reason
        self._bell.ring()

    @property
    def bundle_version(self) -> str:
        """Version of the funding bundle in use, ``""`` if none is."""
        model = self._parts.models.model
        return model.version if model else ""

    def warm_up(self) -> None:
        """Start the forecast thread, which begins by reading the past of every symbol."""
        self._parts.worker.start()
        for symbol in self._parts.engine.asked:
            self._parts.worker.ask(WarmUp(symbol), self._parts.feed.now_ns, None)

    def run(self) -> str:
        """Poll until stopped; returns the reason for ending."""
        started = self._monotonic()
        while not self._stop_reason:
            begun = self._monotonic()
            self.poll()
            if self._parts.monitor is not None:
                self._parts.monitor.polled(self._parts, self._halts(), dry_run=self._options.dry_run)
            # Asked before the other is read: a signal may set it while the question is answered.
            over = self._ending.reason(self._monotonic() - started)
            self._stop_reason = self._stop_reason or over
            if not self._stop_reason and not self._kill_reason:
                self._pause(begun)
        return self._stop_reason

    def _pause(self, begun: float) -> None:
        """Wait for the next poll, or until something wakes the loop: a private event, a signal."""
        left = self._poll_interval_s - (self._monotonic() - begun)
        time.sleep(max(0.0, min(left, _LEAST_PAUSE_S)))
        self._bell.wait(max(0.0, left - _LEAST_PAUSE_S))

    def poll(self) -> None:
        """Do everything once."""
        parts = self._parts
        self._watch_registry()
        told_time = parts.feed.poll()
        parts.journal.stamp(parts.feed.now_ns, time.time_ns())
        parts.kill_switch.look_for_file()
        if self._kill_reason:
            parts.kill_switch.trip(self._kill_reason)
            self._kill_reason = ""
        self._hear()
        if not told_time:
            return
        if parts.account is not None:
            busy = parts.engine.is_busy or bool(parts.journal.active_orders())
            if parts.account.reconcile_if_due(busy=busy) and not self._options.dry_run:
                parts.account.cancel_strays(parts.engine.decision_ns)
        self._collect()
        commands = self._decide(flatten=bool(parts.kill_switch.reason))
        self._news.clear()
        self._carry_out(commands)
        self._ending.count()

    def shut_down(self, reason: str) -> dict[str, object]:
        """Leave nothing behind: cancel our orders, close positions if asked to; returns what stays open."""
        parts = self._parts
        notify("STOPPING=1")
        unconfirmed: list[str] = []
        if parts.account is not None and not self._options.dry_run:
            if self._options.flat_on_exit:
                self._flatten()
            unconfirmed = parts.account.cancel_all(timeout_s=_CANCEL_TIMEOUT_S, pause=time.sleep)
        books = parts.account.books if parts.account else None
        held = {symbol: str(net) for symbol, net in (books.own if books else {}).items() if net}
        body: dict[str, object] = {
            "reason": reason,
            "positions_left_to_their_stops": held,
            "orders_not_confirmed_cancelled": unconfirmed,
        }
        parts.journal.event("stop", body)
        log.info("stopped: %s", body)
        for watcher in parts.watchers.values():
            watcher.close()
        if parts.shadows is not None:
            parts.shadows.close()
        if parts.outlooks is not None:
            parts.outlooks.close()
        if parts.streams is not None:
            parts.streams.close()
            parts.streams.report(parts.alarms)
        parts.worker.close()
        if parts.inputs is not None:
            parts.inputs.close()
        parts.journal.close()
        return body

    def farewell(self, error: str = "") -> None:
        """Say to whoever watches that the executor is gone, and by which error; to be called after `shut_down`."""
        if self._parts.monitor is not None:
            self._parts.monitor.close(error)

    # --- inputs

    def _watch_registry(self) -> None:
        models = self._parts.models
        watchers = self._parts.watchers
        for kind, watcher in watchers.items():
            if any(other.is_running for other in watchers.values() if other is not watcher):
                continue  # one fetch at a time: each is a whole interpreter with MLflow in it
            result = watcher.poll(models.wanted_version(kind))
            if result is not None:
                models.take(kind, result)
        if self._parts.streams is not None:
            self._parts.streams.follow_regimes(models.regimes)

    def _hear(self) -> None:
        """Take what the streams have told since the last poll."""
        parts = self._parts
        if parts.streams is None:
            return
        parts.streams.report(parts.alarms)
        events = parts.streams.drain()
        if parts.account is not None:
            parts.account.take(events)

    def _collect(self) -> None:
        parts = self._parts
        for result in parts.worker.drain():
            if isinstance(result, Failed):
                self._retry_at[result.task] = self._monotonic() + _RETRY_S
                parts.alarms.raised(f"FORECAST {result.task.symbol}", result.message)
            elif isinstance(result, WarmUp):
                parts.alarms.cleared(f"FORECAST {result.symbol}")
                parts.journal.event("warm", {}, symbol=result.symbol)
            else:
                parts.alarms.cleared(f"FORECAST {result.symbol}")
                self._news.append(result)
                if isinstance(result, Settled) and parts.monitor is not None:
                    parts.monitor.settled(result)
        for task in parts.monitor.wanted(parts.feed.now_ns) if parts.monitor is not None else ():
            self._ask(task)

    def _halts(self) -> dict[str, str]:
        return halts_of(self._parts, self._stop_reason, dry_run=self._options.dry_run)

    def _decide(self, *, flatten: bool) -> list[Command]:
        """Let the engine decide on what is known now; what it is told is written down first."""
        parts = self._parts
        if parts.outlooks is not None:
            parts.outlooks.update(parts.feed.now_ns, parts.feed.tickers, self._news)
        known = snapshot_of(parts, self._news, self._halts(), flatten=flatten)
        snapshot = concerning(known, parts.engine.watched)
        inputs = PollInputs(snapshot, orphans_of(parts, snapshot), sights_of(parts))
        if parts.inputs is None:
            return decide(parts.engine, inputs)
        parts.inputs.heard(parts.engine, inputs)
        commands = decide(parts.engine, inputs)
        parts.inputs.decided(commands)
        return commands

    # --- outputs

    def _carry_out(self, commands: list[Command]) -> None:
        parts = self._parts
        durable = [c for c in commands if not isinstance(c, Place | Cancel | WantForecast | WantSettled)]
        if durable:
            with parts.journal.transaction():
                for kept in durable:
                    keep(parts.journal, kept)
        for command in commands:
            if isinstance(command, WantForecast | WantSettled):
                self._ask(command)
            elif parts.account is None or self._options.dry_run:
                continue  # a dry run does everything but orders
            elif isinstance(command, Place):
                parts.account.place(command.decision)
            elif isinstance(command, Cancel):
                parts.account.cancel(command.symbol, command.client_id)

    def _ask(self, task: WantForecast | WantSettled) -> None:
        model = self._parts.models.model
        if isinstance(task, WantForecast) and (model is None or model.predictor is None):
            return  # said by the model store already
        if self._monotonic() >= self._retry_at.get(task, 0.0):
            self._retry_at.pop(task, None)
            self._parts.worker.ask(task, self._parts.feed.now_ns, model)

    def _flatten(self) -> None:
        """Poll on, taking no entries, until every position of ours is closed or half a minute has passed."""
        deadline = self._monotonic() + 30.0
        parts = self._parts
        while parts.account is not None and self._monotonic() < deadline:
            if parts.feed.poll():
                parts.journal.stamp(parts.feed.now_ns, time.time_ns())
                self._hear()
                parts.account.reconcile_if_due(busy=True)
                self._carry_out(self._decide(flatten=True))
            books = parts.account.books
            if books is not None and not parts.account.problem and not any(books.own.values()):
                return
            time.sleep(min(0.2, self._poll_interval_s))


__all__ = ["STATE_KEY", "Options", "Parts", "Runner"]
