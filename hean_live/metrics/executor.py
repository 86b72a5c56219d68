"""The executor's metrics, one object that the loop tells what happened.

Here belong names and units, in Prometheus' conventions: base units, ``_total`` for counters. Amounts of money are in USD.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, start_http_server

from hean_live.execution.records import TradeRow
from models.errors import ConfigError

_LATENCY_S = (2.5e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.5, 1.0, 5.0)


class ExecutorMetrics:
    """Every metric, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self._feed_age = Gauge(
            "hean_feed_age_seconds", "Age of the newest datum of a feed", ["feed"], registry=own
        )
        self._clock = Gauge(
            "hean_clock_offset_seconds", "This machine's clock less the venue's", registry=own
        )
        self._equity = Gauge("hean_equity_usd", "Equity of the account", registry=own)
        self._position = Gauge("hean_position_usd", "Signed value of a position", ["symbol"], registry=own)
        self._halted = Gauge(
            "hean_entries_halted", "1 while no entry may be made, by reason", ["reason"], registry=own
        )
        self._error = Gauge(
            "hean_forecast_error",
            "Last forecast rate less the rate paid",
            ["symbol", "horizon_min"],
            registry=own,
        )
        self._spread = Gauge(
            "hean_cross_exchange_spread_per_hour",
            "Distance of funding on the other venue from ours, per hour",
            ["symbol"],
            registry=own,
        )
        self._cascades = Counter("hean_cascades_total", "Cascades detected", ["symbol"], registry=own)
        self._events = Counter("hean_events_total", "Journalled events", ["kind"], registry=own)
        self._blocks = Counter(
            "hean_blocks_total", "Signals stopped at a gate", ["strategy", "gate"], registry=own
        )
        self._signals = Counter("hean_signals_total", "Signals", ["strategy", "symbol"], registry=own)
        self._trades = Counter("hean_trades_total", "Closed trades", ["strategy", "mode"], registry=own)
        self._profit = Gauge(
            "hean_profit_usd", "Sum of closed trades since the start", ["strategy", "mode"], registry=own
        )
        self._reconnects = Counter("hean_reconnects_total", "Streams opened again", ["stream"], registry=own)
        self._shadows_lost = Counter(
            "hean_shadow_messages_lost_total",
            "Messages of the venue the shadows were too late for",
            ["symbol"],
            registry=own,
        )
        self._latency = Histogram(
            "hean_tick_to_order_seconds",
            "Market data in to order durable, the last step before the wire",
            buckets=_LATENCY_S,
            registry=own,
        )
        self._model = Info("hean_model", "Bundles in use", registry=own)

    def polled(
        self,
        *,
        ages_s: Mapping[str, float],
        clock_offset_s: float | None,
        equity_usd: float | None,
        positions_usd: Mapping[str, float],
        halts: Mapping[str, str],
        models: Mapping[str, str],
    ) -> None:
        """Take the state after a round of the loop."""
        for feed, age_s in ages_s.items():
            self._feed_age.labels(feed).set(age_s)
        if clock_offset_s is not None:
            self._clock.set(clock_offset_s)
        if equity_usd is not None:
            self._equity.set(equity_usd)
        self._position.clear()
        for symbol, value in positions_usd.items():
            self._position.labels(symbol).set(value)
        self._halted.clear()
        for reason in halts:
            self._halted.labels(reason).set(1)
        self._model.info(dict(models))

    def event(self, kind: str, strategy: str, symbol: str, body: Mapping[str, object]) -> None:
        """Count a journalled event."""
        self._events.labels(kind).inc()
        if kind == "block":
            self._blocks.labels(strategy, str(body.get("reason", ""))).inc()
        elif kind == "signal":
            self._signals.labels(strategy, symbol).inc()

    def cascades(self, symbol: str, count: int) -> None:
        """Count cascades that market state has detected."""
        self._cascades.labels(symbol).inc(count)

    def trade(self, trade: TradeRow) -> None:
        """Count a closed trade."""
        self._trades.labels(trade.strategy, trade.mode).inc()
        self._profit.labels(trade.strategy, trade.mode).inc(trade.pnl_usd)

    def forecast_error(self, symbol: str, horizon_min: int, error: float) -> None:
        """Note how far a forecast was from the rate paid, as fractions."""
        self._error.labels(symbol, str(horizon_min)).set(error)

    def spreads(self, per_hour: Mapping[str, float]) -> None:
        """Note how far apart funding of the venues is by symbol, a fraction per hour; a symbol left out is not known now."""
        self._spread.clear()
        for symbol, apart in per_hour.items():
            self._spread.labels(symbol).set(apart)

    def reconnected(self, stream: str, count: int = 1) -> None:
        """Count a stream opened again."""
        self._reconnects.labels(stream).inc(count)

    def shadows_lost(self, symbol: str, count: int) -> None:
        """Count messages of a symbol that the shadows were too late for; from any thread."""
        self._shadows_lost.labels(symbol).inc(count)

    def order_ready(self, seconds: float) -> None:
        """Note the time from the market datum to the order being durable, before its bytes go out."""
        self._latency.observe(seconds)


def serve(metrics: ExecutorMetrics, address: str, port: int) -> tuple[WSGIServer, Thread]:
    """Serve the metrics at ``/metrics``; returns server and thread.

    Raises
    ------
    ConfigError
        When the port cannot be had.

    """
    try:
        return start_http_server(port, addr=address, registry=metrics.registry)
    except OSError as error:
        raise ConfigError(
            f"metrics should be served at {address}:{port}, could not: {error}",
            remedy="choose another HEAN_LIVE_METRICS_PORT; 0 turns them off",
        ) from error
