"""Putting the private side together: gate, order manager, reconciler and account around one venue and one journal."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from hean_live.app.account import Account
from hean_live.app.alarms import Alarms
from hean_live.execution.journal import Journal
from hean_live.execution.kill_switch import KillSwitch
from hean_live.execution.order_gate import BooksNow, MarketView, OrderGate
from hean_live.execution.order_manager import OrderManager, no_probe
from hean_live.execution.reconcile import Reconciler
from hean_live.venues.protocol import Venue
from models.portfolio.limits import Limits


@dataclass(frozen=True)
class TradingRules:
    """Numbers of the private side; durations in wall seconds.

    Attributes
    ----------
    limits : Limits
        Checked before every order.
    leverage : Decimal
        Set on each symbol before its first order.
    lost_after_s : float
        How long an order the venue does not know is looked for; longer than any signature stays valid.
    written_off_after_s : float
        How long the venue must have held less than our orders add up to before the rest is written off.
    idle_s, open_s : float
        Between reconciliations while flat and while holding.

    """

    limits: Limits
    leverage: Decimal
    lost_after_s: float
    written_off_after_s: float = 20.0
    idle_s: float = 60.0
    open_s: float = 10.0


def build_account(
    venue: Venue,
    journal: Journal,
    kill_switch: KillSwitch,
    alarms: Alarms,
    market: MarketView,
    rules: TradingRules,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    probe: Callable[[str], None] = no_probe,
) -> Account:
    """Return an account whose every order passes one gate.

    Parameters
    ----------
    venue, journal, kill_switch, alarms
        As elsewhere.
    market : MarketView
        Quotes, market time and clock offset the gate judges by.
    rules : TradingRules
    monotonic : callable
        Seconds that only grow.
    probe : callable
        Called with the name of each point at which a crash is tested.

    """
    accounts: list[Account] = []

    def books() -> BooksNow:
        return accounts[0].books_now()

    gate = OrderGate(journal, rules.limits, rules.leverage, market, books)
    manager = OrderManager(
        journal, venue, gate=gate, grace_s=rules.lost_after_s, monotonic=monotonic, probe=probe
    )
    reconciler = Reconciler(journal, venue, manager, grace_s=rules.written_off_after_s, monotonic=monotonic)
    account = Account(
        venue,
        journal,
        manager,
        reconciler,
        kill_switch,
        alarms,
        leverage=rules.leverage,
        idle_s=rules.idle_s,
        open_s=rules.open_s,
        monotonic=monotonic,
    )
    accounts.append(account)
    return account
