"""Putting the executor together: settings in, a checked and reconciled set of parts out.

Here belongs what must hold before the first poll: a key that may trade and may not withdraw, one-way mode, an
order venue that answers, a journal that can be written. Anything missing stops the start with its remedy.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from hean_live.app.access import check_key, check_one_way, make_venue
from hean_live.app.account import Account
from hean_live.app.alarms import Alarms
from hean_live.app.configured_rules import engine_rules
from hean_live.app.engine import Engine
from hean_live.app.feed import Feed
from hean_live.app.forecaster import ForecastWorker
from hean_live.app.history import HistoryKeeper
from hean_live.app.keeping import STATE_KEY
from hean_live.app.model_store import (
    CASCADE_KIND,
    FUNDING_KIND,
    MATRIX_KIND,
    REGIME_HMM_KIND,
    ModelStore,
)
from hean_live.app.monitor import Monitor
from hean_live.app.mood import SENTIMENT_KIND
from hean_live.app.parts import Options, Parts
from hean_live.app.policy import POLICY_KIND, Vetoes
from hean_live.app.runner import Runner
from hean_live.app.trading import TradingRules, build_account
from hean_live.app.watched_journal import WatchedJournal
from hean_live.bundle.watcher import BundleWatcher
from hean_live.execution.journal import Journal
from hean_live.execution.kill_switch import KillSwitch
from hean_live.execution.order_manager import no_probe
from hean_live.replay.log import InputLog, LogRules
from hean_live.settings import LiveSettings
from hean_live.venues.errors import VenueUnreachable
from hean_live.venues.public import PublicMarket

if TYPE_CHECKING:
    from hean_live.app.streams import Streams

log = logging.getLogger(__name__)

JOURNAL_NAME = "journal.sqlite"
BUNDLES_NAME = "bundles"
_LOST_MARGIN_S = 2.0
_RARER = 10.0  # a mood is made once an hour, and each question is a whole interpreter


def journal_path(settings: LiveSettings) -> Path:
    """Return the path of the journal."""
    return settings.home / JOURNAL_NAME


def bundles_path(settings: LiveSettings) -> Path:
    """Return the folder of the cached bundles."""
    return settings.home / BUNDLES_NAME


def assemble(
    settings: LiveSettings,
    options: Options,
    *,
    rearm: bool = False,
    probe: Callable[[str], None] = no_probe,
) -> Runner:
    """Check everything, reconcile, and return a runner that is ready to poll.

    Parameters
    ----------
    settings : LiveSettings
    options : Options
    rearm : bool
        Whether to re-arm a tripped kill switch.
    probe : callable
        Called with the name of each point at which a crash is tested.

    Raises
    ------
    HeanError
        Whatever is missing, with its remedy.

    """
    monitor = _monitor(settings)
    journal = WatchedJournal(journal_path(settings), monitor)
    journal.stamp(0, time.time_ns())
    alarms = Alarms(journal)
    kill_switch = KillSwitch(journal, settings.home, settings.kill_drawdown)
    if rearm:
        monitor.rearmed(kill_switch.rearm())
    models = _models(settings, journal)
    streams = _streams(settings, models)
    feed, orders = _feed(settings, alarms, streams)
    monitor.time_orders_from(lambda: feed.read_at)
    rules = engine_rules(settings)
    engine = Engine(settings.symbols, rules, journal.meta(STATE_KEY) or "")
    account, fees = _account(settings, options, journal, kill_switch, alarms, feed, streams, probe)
    if not feed.poll():
        raise VenueUnreachable(
            f"{settings.data_from} should answer /v5/market/tickers, did not: {alarms.active}",
            remedy="check the network and the addresses; `hean doctor` tests them one by one",
        )
    journal.stamp(feed.now_ns, time.time_ns())
    symbols = tuple(dict.fromkeys([*engine.symbols, *journal.symbols_with_orders()]))
    parts = Parts(
        journal=journal,
        engine=engine,
        feed=feed,
        account=account,
        kill_switch=kill_switch,
        alarms=alarms,
        models=models,
        watchers=_watchers(settings),
        worker=_worker(settings),
        instruments=orders.instruments(symbols),
        taker_fees=fees,
        streams=streams,
        monitor=monitor,
        inputs=InputLog(settings.home, rules, _log_rules(settings), alarms),
        vetoes=Vetoes(settings.home),
        environment=settings.environment,
    )
    if streams is not None and settings.shadows:
        # Compiled code, as the streams are: an executor without either need not load it.
        from hean_live.app.shadowing import add_shadows

        add_shadows(parts, streams, settings)
    if streams is not None:
        streams.start()
    if account is not None:
        account.reconcile_if_due(busy=True)
    _journal_start(journal, settings, options, parts)
    return Runner(
        parts, options, poll_interval_s=settings.poll_interval_s, exit_after_s=settings.s1_exit_after_s
    )


def _monitor(settings: LiveSettings) -> Monitor:
    if not settings.metrics_port:
        return Monitor(settings)
    from hean_live.metrics.executor import ExecutorMetrics, serve

    metrics = ExecutorMetrics()
    serve(metrics, settings.metrics_address, settings.metrics_port)
    return Monitor(settings, metrics)


def _streams(settings: LiveSettings, models: ModelStore) -> Streams | None:
    if not settings.uses_streams:
        return None
    # Compiled market state costs memory, which an executor without streams need not spend.
    from hean_live.app.streams import Streams

    if models.regimes is None:
        return Streams(settings)
    from hean_live.app.regime_model import params_of

    testnet = settings.data_is_testnet
    return Streams(settings, params_of(models.regimes, settings.symbols, time.time_ns(), testnet=testnet))


def _feed(settings: LiveSettings, alarms: Alarms, streams: Streams | None) -> tuple[Feed, PublicMarket]:
    orders = PublicMarket(settings.orders_at, timeout_s=settings.timeout_s)
    same = settings.data_from == settings.orders_at
    data = orders if same else PublicMarket(settings.data_from, timeout_s=settings.timeout_s)
    return Feed(data, orders, alarms, clock_check_s=settings.clock_check_s, streams=streams), orders


def _log_rules(settings: LiveSettings) -> LogRules:
    return LogRules(settings.inputs_rotate_mb << 20, int(settings.inputs_keep_gb * (1 << 30)))


def _worker(settings: LiveSettings) -> ForecastWorker:
    # Its own connection: the thread reads history while the loop polls.
    # Half of the address's limit: the loop's polls and orders have the rest.
    market = PublicMarket(settings.data_from, timeout_s=settings.timeout_s, requests_per_5s=300)
    return ForecastWorker(HistoryKeeper(market, settings.history_settlements))


def _models(settings: LiveSettings, journal: Journal) -> ModelStore:
    def note(kind: str, body: Mapping[str, object]) -> None:
        journal.event(kind, body)

    models = ModelStore(
        bundles_path(settings),
        settings.model_name,
        settings.matrix_name,
        note,
        cascade_name=settings.cascade_name,
        regime_name=settings.regime_name,
        policy_name=settings.policy_name,
        sentiment_name=settings.sentiment_name,
    )
    models.load_cached()
    return models


def _watchers(settings: LiveSettings) -> dict[str, BundleWatcher]:
    names = {
        FUNDING_KIND: settings.model_name,
        MATRIX_KIND: settings.matrix_name,
        POLICY_KIND: settings.policy_name,
        CASCADE_KIND: settings.cascade_name,
        REGIME_HMM_KIND: settings.regime_name,
        SENTIMENT_KIND: settings.sentiment_name,
    }
    return {
        kind: BundleWatcher(
            settings.registry,
            name,
            settings.model_alias,
            bundles_path(settings) / name,
            every_s=settings.registry_poll_s * (_RARER if kind == SENTIMENT_KIND else 1.0),
            timeout_s=settings.registry_timeout_s,
        )
        for kind, name in names.items()
        if name
    }


def _account(
    settings: LiveSettings,
    options: Options,
    journal: Journal,
    kill_switch: KillSwitch,
    alarms: Alarms,
    feed: Feed,
    streams: Streams | None,
    probe: Callable[[str], None],
) -> tuple[Account | None, dict[str, Decimal]]:
    if options.dry_run and not settings.has_key:
        return None, {}
    venue = make_venue(settings)
    check_key(venue.key_info())
    check_one_way(venue, settings.symbols[0])
    fees = {symbol: rate.taker for symbol, rate in venue.fee_rates().items()}
    if streams is not None:
        venue = streams.orders_through(venue)
    rules = TradingRules(
        limits=engine_rules(settings).gates.limits,
        leverage=settings.leverage,
        lost_after_s=settings.recv_window_ms / 1000 + _LOST_MARGIN_S,
        idle_s=settings.reconcile_s,
        open_s=settings.reconcile_open_s,
    )
    account = build_account(venue, journal, kill_switch, alarms, feed, rules, probe=probe)
    return account, fees


def _journal_start(journal: Journal, settings: LiveSettings, options: Options, parts: Parts) -> None:
    books = parts.account.books if parts.account else None
    body = {
        "environment": settings.environment,
        "order_url": settings.orders_at,
        "market_data_url": settings.data_from,
        "symbols": list(settings.symbols),
        "dry_run": options.dry_run,
        "bundle": parts.models.model.version if parts.models.model else "",
        "positions": {symbol: str(net) for symbol, net in (books.own if books else {}).items() if net},
        "kill_switch": parts.kill_switch.reason,
    }
    journal.event("start", body)
    log.info("start: %s", json.dumps(body))


__all__ = [
    "assemble",
    "bundles_path",
    "check_key",
    "check_one_way",
    "engine_rules",
    "journal_path",
    "make_venue",
]
