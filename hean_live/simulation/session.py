"""One seed from beginning to rest: lives of the process one after another, faults, and the invariants at the end."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import numpy as np

from hean_live.execution.client_id import parse_client_id
from hean_live.execution.invariants import VenueRecords, Violation, violations
from hean_live.execution.journal import Journal
from hean_live.replay.log import LogRules
from hean_live.simulation import faults
from hean_live.simulation.clock import VirtualClock
from hean_live.simulation.market import SimulatedMarket
from hean_live.simulation.network import FaultyNetwork, SimulatedClient
from hean_live.simulation.process import ENTRY_BEFORE_S, LIMITS, Killed, Life
from hean_live.simulation.stream import SimulatedStream
from hean_live.simulation.trace import Trace
from hean_live.simulation.venue import SimulatedVenue
from hean_live.venues.protocol import IMMEDIATE, NewOrder
from models.errors import HeanError
from models.simulation.exchange.orders import Rejection

SYMBOLS = ("AAAUSDT", "BBBUSDT")
START_NS = 1_748_793_600 * 1_000_000_000
EQUITY_USD = Decimal(10_000)
FAULTS_UNTIL_S = 200.0
_LEAD_S = 5
_REST_S = 400.0
_RESTART_S = 5.0


@dataclass
class Outcome:
    """What one seed came to.

    Attributes
    ----------
    seed : int
    violations : list of Violation
    orders, fills, crashes, requests : int
        How much happened.
    trace : list of str
        Line by line, if asked for.

    """

    seed: int
    violations: list[Violation] = field(default_factory=list)
    orders: int = 0
    fills: int = 0
    crashes: int = 0
    polls: int = 0
    trace: list[str] = field(default_factory=list)


class Session:
    """One seed's world.

    Parameters
    ----------
    seed : int
    home : Path
        An empty folder for the journal.
    allowed : tuple of str
        Faults that may be drawn.
    trace : bool
        Whether to keep the trace.
    record : LogRules, optional
        How the engine's inputs are written down beside the journal, to be replayed; not at all without.
    client : callable
        Makes a process's client of the venue from network and watcher.

    """

    def __init__(
        self,
        seed: int,
        home: Path,
        allowed: tuple[str, ...] = faults.ALL,
        *,
        trace: bool = False,
        record: LogRules | None = None,
        client: Callable[[FaultyNetwork, Callable[[NewOrder], None]], SimulatedClient] = SimulatedClient,
    ) -> None:
        generator = np.random.default_rng(seed)
        self._generator = generator
        self._home = home
        self._record = record
        self._make_client = client
        self.clock = VirtualClock(START_NS)
        start_ms = START_NS // 1_000_000
        settlement_ms = start_ms + (_LEAD_S + ENTRY_BEFORE_S) * 1000
        length_s = int(FAULTS_UNTIL_S + _REST_S)
        self.market = SimulatedMarket(SYMBOLS, generator, start_ms, settlement_ms, length_s)
        self.venue = SimulatedVenue(self.market, self.clock, EQUITY_USD)
        self.plan = faults.draw_plan(generator, allowed, FAULTS_UNTIL_S)
        self.trace = Trace(START_NS, trace)
        self.network = FaultyNetwork(self.venue, self.plan, generator, self.trace, self._step)
        self._edges = {symbol: float(generator.choice((-0.001, 0.001))) for symbol in SYMBOLS}
        self._crashes = list(self.plan.crash_steps)
        self._steps_left = self._crashes.pop(0) if self._crashes else -1
        self._by_hand = list(self.plan.by_hand_s)
        self._kill_s = self.plan.kill_s
        self._gone: set[str] = set()
        self.outcome = Outcome(seed)
        self._life: Life | None = None
        self.trace.add(START_NS, f"faults: {self.plan}")

    def run(self) -> Outcome:
        """Run to rest and check."""
        try:
            self._drive()
        except Killed:
            raise
        except Exception as error:
            self._blame(
                "I0", f"the executor died of {type(error).__name__}: {error}\n{traceback.format_exc()}"
            )
        finally:
            if self._life is not None:
                self._life.end()
        self._check()
        self.outcome.orders = len(self.venue.exchange.orders)
        self.outcome.fills = len(self.venue.exchange.executions)
        self.outcome.trace = self.trace.lines
        return self.outcome

    def _drive(self) -> None:
        deadline_s = FAULTS_UNTIL_S + _REST_S
        quiet_polls = 0
        while quiet_polls < 2:
            if self.clock.monotonic() > deadline_s:
                self._blame("I13", f"should have come to rest within {_REST_S:.0f} s, {self._unrest()}")
                return
            self._turn()
            # After the last fault the venue is asked once more before anything is concluded.
            over = self.clock.monotonic() >= self.plan.until_s + 80.0
            quiet_polls = quiet_polls + 1 if over and not self._unrest() else 0

    def _turn(self) -> None:
        """One poll of the process, or its restart, and the time until the next."""
        try:
            if self._life is None:
                self._life = self._start()
            self._act_by_hand(self._life)
            self._life.poll()
            self.outcome.polls += 1
            self.network.pass_time(self._pause_s(self._life))
        except Killed:
            self._crash()
        except HeanError as error:
            # The process ends with its exit code and the service manager starts it again.
            self.trace.add(self.clock.now_ns, f"the process ended: {error}")
            self._end_life()
            self.network.pass_time(_RESTART_S)

    def _start(self) -> Life:
        stream = SimulatedStream(self.venue, self.plan, self._generator)
        client = self._make_client(self.network, self._watch)
        self.trace.add(self.clock.now_ns, "the process starts")
        return Life(
            self._home,
            self.network,
            self.market,
            stream,
            self._edges,
            self._step,
            client,
            record=self._record,
        )

    def _pause_s(self, life: Life) -> float:
        if life.engine.is_busy or life.account.problem:
            return float(self._generator.uniform(0.5, 3.0))
        return float(self._generator.uniform(2.0, 8.0))

    # --- dying

    def _step(self, point: str) -> None:
        if self._steps_left < 0 or self.clock.monotonic() >= self.plan.until_s:
            return
        self._steps_left -= 1
        if self._steps_left < 0:
            self.trace.add(self.clock.now_ns, f"kill -9 at {point}")
            raise Killed(point)

    def _crash(self) -> None:
        self.outcome.crashes += 1
        self._end_life()
        if self.plan.loses_journal and self.outcome.crashes == 1:
            self.trace.add(self.clock.now_ns, "the journal is lost")
            # What ended without a fill has left no trace that could be, or need be, found again.
            self._gone = {
                order.client_id
                for order in self.venue.every_order()
                if not order.status.is_open and not order.filled_qty
            }
            for path in self._home.glob("journal.sqlite*"):
                path.unlink()
        self._steps_left = self._crashes.pop(0) if self._crashes else -1
        self.network.pass_time(float(self._generator.choice((0.5, 5.0, 40.0))))

    def _end_life(self) -> None:
        if self._life is not None:
            self._life.end()
        self._life = None

    # --- the account's owner

    def _act_by_hand(self, life: Life) -> None:
        at_s = self.clock.monotonic()
        if self._kill_s is not None and at_s >= self._kill_s:
            self._kill_s = None
            self.trace.add(self.clock.now_ns, "kill switch by hand")
            life.runner.kill("by hand")
        while self._by_hand and at_s >= self._by_hand[0]:
            self._by_hand.pop(0)
            self._close_by_hand()

    def _close_by_hand(self) -> None:
        """Close half of some position of ours, as its owner might on the venue's page."""
        for symbol in SYMBOLS:
            position = self.venue.exchange.position(symbol)
            qty = abs(position.qty) // Decimal("0.02") * Decimal("0.01")
            if qty:
                self.trace.add(self.clock.now_ns, f"{symbol}: {qty} closed by hand")
                try:
                    self.venue.create(NewOrder("", symbol, -position.side, qty, None, IMMEDIATE, True))
                except Rejection as refusal:
                    self.trace.add(self.clock.now_ns, f"refused: {refusal}")
                return

    # --- checking

    def _watch(self, order: NewOrder) -> None:
        """Look at every request on its way out: in the journal before the wire, and within the limits."""
        at_ns = self.clock.now_ns
        self.trace.add(at_ns, f"place {order.client_id} {order.side:+d} {order.qty} @ {order.price}")
        reader = Journal(self._home / "journal.sqlite")
        row = reader.order(order.client_id)
        reader.close()
        if row is None or row.state != "submitting":
            self._blame("I11", f"{order.client_id}: should be in the journal before the wire, was {row}")
        if order.reduce_only:
            return
        equity = self.venue.wallet().equity_usd
        held = abs(self.venue.exchange.position(order.symbol).qty)
        price = order.price or Decimal(0)
        used = (held + order.qty) * price
        # The mark has moved since the executor looked: a hundredth is more than it moves in a poll.
        allowed = LIMITS.symbol_exposure * equity * Decimal("1.01")
        if used > allowed or order.qty * price > LIMITS.capital_fraction * LIMITS.leverage * equity * Decimal(
            "1.01"
        ):
            self._blame("I12", f"{order.client_id}: {used} USD should be within {allowed} USD")

    def _unrest(self) -> str:
        """Say what is still under way, ``""`` at rest."""
        life = self._life
        if life is None:
            return "the process is down"
        ours = [
            order.request.link_id
            for order in self.venue.exchange.open_orders()
            if parse_client_id(order.request.link_id) is not None
        ]
        if ours:
            return f"open orders {ours}"
        if life.account.problem:
            return f"unreconciled: {life.account.problem}"
        held = [symbol for symbol in SYMBOLS if self.venue.exchange.position(symbol).qty]
        if held:
            return f"positions {held}"
        return "" if not life.journal.active_orders() else f"active {life.journal.active_orders()}"

    def _check(self) -> None:
        journal = Journal(self._home / "journal.sqlite")
        records = VenueRecords(
            [order for order in self.venue.every_order() if order.client_id not in self._gone],
            self.venue.executions(self.clock.now_ns),
            self.venue.positions(self.clock.now_ns),
            self.venue.exchange.account.wallet_usd - self.venue.start_usd,
        )
        self.outcome.violations += violations(journal, records, at_rest=True)
        journal.close()

    def _blame(self, number: str, words: str) -> None:
        self.trace.add(self.clock.now_ns, f"VIOLATION {number}: {words}")
        self.outcome.violations.append(Violation(number, words))
