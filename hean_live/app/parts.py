"""What the loop is made of, and how long and how it is to run. Records alone; who puts them together is `start.py`."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from hean_live.app.account import Account
from hean_live.app.alarms import Alarms
from hean_live.app.engine import Engine
from hean_live.app.feed import Feed
from hean_live.app.forecaster import ForecastWorker
from hean_live.app.model_store import ModelStore
from hean_live.app.policy import Vetoes
from hean_live.bundle.watcher import BundleWatcher
from hean_live.execution.journal import Journal
from hean_live.execution.kill_switch import KillSwitch
from models.market.instruments import Instrument

if TYPE_CHECKING:  # without streams nothing of them is loaded
    from hean_live.app.monitor import Monitor
    from hean_live.app.streams import Streams
    from hean_live.replay.log import InputLog
    from hean_live.shadow.board import OutlookBoard
    from hean_live.shadow.service import ShadowService


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

    `inputs` is None where nothing need be replayed, `monitor` where nobody watches, `shadows` and `outlooks` without streams.
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
    shadows: ShadowService | None = None
    outlooks: OutlookBoard | None = None
    vetoes: Vetoes | None = None
    environment: str = "testnet"
