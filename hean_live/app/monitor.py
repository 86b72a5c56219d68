"""What the world outside learns of a running executor: alerts, metrics, signs of life.

The loop calls `polled` after each poll, the journal tells what it keeps; nothing here decides anything or raises. What does not
belong here: conditions of alerts (`troubles.py`), the watchdog's protocol (`health.py`), names of metrics (`hean_live.metrics`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from hean_live.alerts.configured import make_sender
from hean_live.alerts.desk import AlertDesk, Trouble
from hean_live.app.health import SignsOfLife
from hean_live.app.snapshot import Settled, WantSettled
from hean_live.app.troubles import (
    Reconnects,
    account_troubles,
    alarm_troubles,
    funding_extremes,
    shadow_troubles,
)
from hean_live.execution.records import TradeRow
from hean_live.settings import LiveSettings
from models.alerts import Alert

if TYPE_CHECKING:  # without a port the client library of Prometheus is not loaded
    from hean_live.app.parts import Parts
    from hean_live.metrics.executor import ExecutorMetrics

_SETTLED_AFTER_NS = 120_000_000_000  # the venue lists a settlement some seconds late
_REGISTRY = "REGISTRY"


class Monitor:
    """Watches one executor.

    Parameters
    ----------
    settings : LiveSettings
    metrics : ExecutorMetrics, optional
        None where none are served.
    clock_ns, monotonic : callable
        Wall time; seconds that only grow.

    """

    def __init__(
        self,
        settings: LiveSettings,
        metrics: ExecutorMetrics | None = None,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.metrics = metrics
        self._settings = settings
        self._clock_ns = clock_ns
        self._monotonic = monotonic
        self._sender = make_sender(settings, "executor")
        self._desk = AlertDesk(self._sender.tell, settings.alert_quiet_s)
        self._signs = SignsOfLife("trading " + ", ".join(settings.symbols), "no entries")
        self._reconnects = Reconnects()
        self._registry: dict[str, str] = {}
        self._forecasts: dict[WantSettled, dict[int, float]] = {}
        self._cascades: dict[str, int] = {}
        self._read_at: Callable[[], float] | None = None

    def time_orders_from(self, read_at: Callable[[], float]) -> None:
        """Measure orders from when the market data they rest on were read, in seconds of `monotonic`."""
        self._read_at = read_at

    # --- what the journal keeps

    def on_event(self, kind: str, strategy: str, symbol: str, body: Mapping[str, object]) -> None:
        """Count an event, and take note of what it says of the registry."""
        subject = str(body.get("subject", ""))
        if kind == "error" and body.get("code") == _REGISTRY:
            self._registry[subject] = f"{body.get('status')} {body.get('detail')}"
        elif kind == "registry":
            self._registry.pop(subject, None)
        if self.metrics is not None:
            self.metrics.event(kind, strategy, symbol, body)

    def on_intent(self) -> None:
        """Measure how long after the market data an order was ready to be sent."""
        if self.metrics is not None and self._read_at is not None:
            self.metrics.order_ready(self._monotonic() - self._read_at())

    def on_trade(self, trade: TradeRow) -> None:
        """Count a trade."""
        if self.metrics is not None:
            self.metrics.trade(trade)

    def on_forecast(self, symbol: str, settlement_ns: int, horizon_min: int, predicted: float) -> None:
        """Remember a forecast until the rate paid can be held against it."""
        if self.metrics is not None:
            self._forecasts.setdefault(WantSettled(symbol, settlement_ns), {})[horizon_min] = predicted

    # --- what the loop tells

    def wanted(self, now_ns: int) -> list[WantSettled]:
        """Return the settlements whose rates forecasts wait for, at market time `now_ns`."""
        return [task for task in self._forecasts if now_ns >= task.settlement_ns + _SETTLED_AFTER_NS]

    def settled(self, row: Settled) -> None:
        """Take a rate that was paid."""
        forecasts = self._forecasts.pop(WantSettled(row.symbol, row.settlement_ns), {})
        if self.metrics is not None:
            for horizon_min, predicted in forecasts.items():
                self.metrics.forecast_error(row.symbol, horizon_min, predicted - row.rate)

    def polled(self, parts: Parts, halts: Mapping[str, str], *, dry_run: bool) -> None:
        """Take the state after a poll."""
        now_ns = self._clock_ns()
        opened = parts.streams.opened() if parts.streams is not None else {}
        again = self._reconnects.take(opened, now_ns)
        troubles: dict[str, Trouble] = dict(account_troubles(parts))
        troubles |= alarm_troubles(parts.alarms.active)
        troubles |= shadow_troubles(parts.shadows)
        troubles |= self._reconnects.troubles()
        troubles |= funding_extremes(parts.feed.tickers, parts.engine.symbols)
        troubles |= {subject: Trouble(words) for subject, words in self._registry.items()}
        self._desk.update(troubles, now_ns)
        self._signs.beat(self._wrong(parts, dry_run=dry_run), halts)
        if self.metrics is not None:
            for stream, count in again.items():
                self.metrics.reconnected(stream, count)
            self._measure(self.metrics, parts, halts)

    def rearmed(self, was: str) -> None:
        """Say that the kill switch is armed again after it had tripped."""
        if was:
            words = f"trading is on again; it had been off: {was}"
            self._sender.tell(Alert("KILL_SWITCH_ARMED", words, "info", self._clock_ns()))

    def close(self, error: str = "") -> None:
        """Send the alerts that wait, and that an error ended the executor if one did."""
        if error:
            self._sender.tell(Alert("STOPPED", f"the executor ended: {error}", "critical", self._clock_ns()))
        self._sender.close()

    def _wrong(self, parts: Parts, *, dry_run: bool) -> list[str]:
        wrong = []
        longest_s = self._settings.max_ticker_age_s
        if self._monotonic() - parts.feed.read_at > longest_s:
            wrong.append(f"market data are more than {longest_s:g} s old")
        if parts.account is not None and parts.account.problem and not dry_run:
            wrong.append(f"the account is not reconciled: {parts.account.problem}")
        return wrong

    def _measure(self, metrics: ExecutorMetrics, parts: Parts, halts: Mapping[str, str]) -> None:
        feed, books, streams = parts.feed, parts.account.books if parts.account else None, parts.streams
        ages_s = {"tickers": self._monotonic() - feed.read_at}
        if streams is not None:
            ages_s |= streams.ages_s()
            for symbol, detected in streams.cascades().items():
                metrics.cascades(symbol, detected - self._cascades.get(symbol, 0))
                self._cascades[symbol] = detected
        if parts.outlooks is not None:
            metrics.spreads(parts.outlooks.funding_spreads())
        offset_ms, model = feed.clock_offset_ms, parts.models.model
        metrics.polled(
            ages_s=ages_s,
            clock_offset_s=None if offset_ms is None else offset_ms / 1e3,
            equity_usd=None if books is None else float(books.equity_usd),
            positions_usd={
                symbol: float(net * feed.quotes[symbol].mark)
                for symbol, net in (books.net if books else {}).items()
                if net and symbol in feed.quotes
            },
            halts=halts,
            models={"funding": model.version if model else ""},
        )
