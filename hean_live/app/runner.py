"""The loop: fill a snapshot, let the engine decide, make it durable, carry it out; until told to stop.

Here belongs the order of things at the edge: clocks, threads, processes, signals. Decisions belong to the
engine, orders to the order manager.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from hean_live.app.account import UNRECONCILED, Account
from hean_live.app.alarms import Alarms
from hean_live.app.engine import Engine
from hean_live.app.feed import Feed
from hean_live.app.forecaster import Failed, ForecastWorker, WarmUp
from hean_live.app.model_store import FUNDING_KIND, MATRIX_KIND, ModelStore
from hean_live.app.process import notify
from hean_live.app.snapshot import (
    BookCampaign,
    Cancel,
    Command,
    Forecasted,
    KeepForecast,
    KeepTrade,
    Note,
    Place,
    SaveState,
    Settled,
    Snapshot,
    WantForecast,
    WantSettled,
)
from hean_live.app.state import STRATEGY, Campaign
from hean_live.bundle.watcher import BundleWatcher
from hean_live.execution.journal import Journal
from hean_live.execution.kill_switch import KillSwitch
from hean_live.execution.records import OrderRow
from hean_live.execution.trades import TradeContext, build_live_trade
from hean_live.replay.inputs import PollInputs, concerning, decide
from models.market.instruments import Instrument

if TYPE_CHECKING:  # without streams nothing of them is loaded
    from hean_live.app.monitor import Monitor
    from hean_live.app.streams import Streams
    from hean_live.replay.log import InputLog

log = logging.getLogger(__name__)

STATE_KEY = "engine_state"
KILLED = "KILL_SWITCH"
STOPPING = "STOPPING"
DRY_RUN = "DRY_RUN"
_RETRY_S = 5.0
_LEAST_PAUSE_S = 0.02  # a burst of private events is one poll
_CANCEL_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Options:
    """How long to run, and how; None means without end."""

    dry_run: bool = False
    once: bool = False
    until_settlements: int | None = None
    duration_s: float | None = None
    flat_on_exit: bool = False


@dataclass
class Parts:
    """What the loop is made of; `account` is None without a key, which only a dry run allows, `streams` by setting.

    `inputs` is None where nothing need be replayed, `monitor` where nobody watches.
    """

    journal: Journal
    engine: Engine
    feed: Feed
    account: Account | None
    kill_switch: KillSwitch
    alarms: Alarms
    models: ModelStore
    watchers: dict[str, BundleWatcher]
    worker: ForecastWorker
    instruments: dict[str, Instrument]
    taker_fees: dict[str, Decimal]
    streams: Streams | None = None
    inputs: InputLog | None = None
    monitor: Monitor | None = None


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
        self._exit_after_ns = exit_after_s * 1_000_000_000
        self._monotonic = monotonic
        self._wake = threading.Event()
        self._stop_reason = ""
        self._kill_reason = ""
        self._news: list[Forecasted | Settled] = []
        self._retry_at: dict[object, float] = {}
        self._settlements: set[int] = set()
        if parts.streams is not None:
            parts.streams.wake = self._wake.set

    def stop(self, reason: str) -> None:
        """End the loop after the present poll; may be called from a signal handler."""
        self._stop_reason = self._stop_reason or reason
        self._wake.set()

    def kill(self, reason: str) -> None:
        """Trip the kill switch at the next poll; may be called from a signal handler."""
        self._kill_reason = reason
        self._wake.set()

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
            self._stop_reason = self._stop_reason or self._finished(started)
            if not self._stop_reason and not self._kill_reason:
                self._pause(begun)
        return self._stop_reason

    def _pause(self, begun: float) -> None:
        """Wait for the next poll, or until something wakes the loop: a private event, a signal."""
        left = self._poll_interval_s - (self._monotonic() - begun)
        time.sleep(max(0.0, min(left, _LEAST_PAUSE_S)))
        self._wake.wait(max(0.0, left - _LEAST_PAUSE_S))
        self._wake.clear()

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
        self._count_settlements()

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

    def _snapshot(self, *, flatten: bool) -> Snapshot:
        parts, feed = self._parts, self._parts.feed
        return Snapshot(
            now_ns=feed.now_ns,
            tickers=feed.tickers,
            tickers_at_ns=feed.tickers_at_ns,
            quotes=feed.quotes,
            instruments=parts.instruments,
            taker_fees=parts.taker_fees,
            books=parts.account.books if parts.account else None,
            orders={symbol: self._orders(symbol) for symbol in parts.engine.symbols},
            clock_offset_ms=feed.clock_offset_ms,
            model=parts.models.view(feed.now_ns),
            matrix=parts.models.matrix,
            forecasts=tuple(row for row in self._news if isinstance(row, Forecasted)),
            settled=tuple(row for row in self._news if isinstance(row, Settled)),
            halts=self._halts(),
            flatten=flatten,
        )

    def _orders(self, symbol: str) -> list[OrderRow]:
        decision_ns = self._parts.engine.decision_ns(symbol)
        return [] if decision_ns is None else self._parts.journal.orders_of(symbol, decision_ns)

    def _halts(self) -> dict[str, str]:
        parts = self._parts
        halts = {}
        if parts.kill_switch.reason:
            halts[KILLED] = parts.kill_switch.reason
        if self._stop_reason:
            halts[STOPPING] = self._stop_reason
        if self._options.dry_run:
            halts[DRY_RUN] = "orders are off in a dry run"
        if parts.account is not None and parts.account.problem:
            halts[UNRECONCILED] = parts.account.problem
        if parts.streams is not None:
            halts |= parts.streams.problems()
        return halts

    def _decide(self, *, flatten: bool) -> list[Command]:
        """Let the engine decide on what is known now; what it is told is written down first."""
        parts = self._parts
        snapshot = concerning(self._snapshot(flatten=flatten), parts.engine.watched)
        inputs = PollInputs(snapshot, self._orphans(snapshot))
        if parts.inputs is None:
            return decide(parts.engine, inputs)
        parts.inputs.heard(parts.engine, inputs)
        commands = decide(parts.engine, inputs)
        parts.inputs.decided(commands)
        return commands

    def _orphans(self, snapshot: Snapshot) -> tuple[tuple[str, list[OrderRow]], ...]:
        """Return positions of ours that no campaign explains, after a lost journal for example."""
        parts = self._parts
        if snapshot.books is None or UNRECONCILED in snapshot.halts:
            return ()
        return tuple(
            (symbol, parts.journal.orders_of(symbol))
            for symbol, own in snapshot.books.own.items()
            if own and parts.engine.decision_ns(symbol) is None
        )

    # --- outputs

    def _carry_out(self, commands: list[Command]) -> None:
        parts = self._parts
        durable = [c for c in commands if not isinstance(c, Place | Cancel | WantForecast | WantSettled)]
        if durable:
            with parts.journal.transaction():
                for kept in durable:
                    self._keep(kept)
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

    def _keep(self, command: Command) -> None:
        journal = self._parts.journal
        if isinstance(command, Note):
            log.info("%s %s %s", command.kind, command.symbol, dict(command.body))
            journal.event(command.kind, command.body, strategy=STRATEGY, symbol=command.symbol)
        elif isinstance(command, KeepForecast):
            _keep_forecast(journal, command.forecast)
        elif isinstance(command, KeepTrade):
            journal.add_trade(command.trade)
            log.info("trade %s: %.4f USD", command.trade.trade_id, command.trade.pnl_usd)
        elif isinstance(command, BookCampaign):
            self._book(command.campaign, command.realised_rate)
        elif isinstance(command, SaveState):
            journal.set_meta(STATE_KEY, command.text)

    def _book(self, campaign: Campaign, realised_rate: float) -> None:
        journal, signal = self._parts.journal, campaign.signal
        context = TradeContext(
            strategy=signal.strategy,
            symbol=signal.symbol,
            decision_ns=signal.settlement_ns,
            regime=signal.regime,
            predicted=signal.predicted,
            realised_rate=realised_rate,
            model_version=signal.model_version,
        )
        orders = journal.orders_of(signal.symbol, signal.settlement_ns)
        trade = build_live_trade(context, orders, journal.fills_of(signal.symbol))
        if trade is None:
            body = {"code": "TRADE_INCOMPLETE", "detail": "the fills known do not close the position"}
            journal.event("error", body, strategy=signal.strategy, symbol=signal.symbol)
            return
        journal.add_trade(trade)
        log.info("trade %s: %.4f USD", trade.trade_id, trade.pnl_usd)

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

    # --- ending

    def _count_settlements(self) -> None:
        now_ns = self._parts.feed.now_ns
        for symbol in self._parts.engine.symbols:
            ticker = self._parts.feed.tickers.get(symbol)
            if ticker is not None and ticker.next_funding_ns and ticker.next_funding_ns > now_ns:
                self._settlements.add(ticker.next_funding_ns)

    def _finished(self, started: float) -> str:
        options, now_ns = self._options, self._parts.feed.now_ns
        if options.once:
            return "one poll was asked for"
        if options.duration_s is not None and self._monotonic() - started >= options.duration_s:
            return f"ran for {options.duration_s:g} s as asked"
        passed = sum(ts + self._exit_after_ns <= now_ns for ts in self._settlements)
        enough = options.until_settlements is not None and passed >= options.until_settlements
        if enough and self._parts.engine.is_idle:
            return f"{passed} settlements have passed as asked"
        return ""


def _keep_forecast(journal: Journal, forecast: Forecasted) -> None:
    values = (forecast.predicted, forecast.q05, forecast.q50, forecast.q95)
    journal.add_forecast(
        forecast.symbol,
        forecast.settlement_ns,
        forecast.horizon_min,
        forecast.made_at_ns,
        forecast.model_version,
        values,
    )
    journal.event("forecast", asdict(forecast), strategy=STRATEGY, symbol=forecast.symbol)


__all__ = ["FUNDING_KIND", "MATRIX_KIND", "Options", "Parts", "Runner"]
