"""One seed from beginning to rest: lives of the process one after another, faults, and the invariants at the end."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np

from hean_live.replay.log import LogRules
from hean_live.simulation import faults
from hean_live.simulation.bank import SimulatedBank, promoted
from hean_live.simulation.clock import VirtualClock
from hean_live.simulation.market import SimulatedMarket
from hean_live.simulation.network import FaultyNetwork, SimulatedClient
from hean_live.simulation.process import ENTRY_BEFORE_S, Killed, Life
from hean_live.simulation.referee import Outcome, Referee
from hean_live.simulation.script import BankScript, draw_script
from hean_live.simulation.sights import SimulatedSights
from hean_live.simulation.stream import SimulatedStream
from hean_live.simulation.trace import Trace
from hean_live.simulation.venue import SimulatedVenue
from hean_live.venues.protocol import IMMEDIATE, NewOrder
from models.errors import HeanError
from models.market.trading_records import Order
from models.simulation.exchange.orders import Rejection

SYMBOLS = ("AAAUSDT", "BBBUSDT")
START_NS = 1_748_793_600 * 1_000_000_000
EQUITY_USD = Decimal(10_000)
FAULTS_UNTIL_S = 200.0
_LEAD_S = 5
_REST_S = 400.0
_RESTART_S = 5.0
_WITH_BANK = 0.6
_WITH_SIGHTS = 0.6


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
        self._late: set[str] = set()
        self._lives = 0
        self.outcome = Outcome(seed)
        self._referee = Referee(home, self.venue, self.trace, self.outcome)
        self._life: Life | None = None
        self._draw_shadows(seed, allowed, length_s)
        self.trace.add(START_NS, f"faults: {self.plan}")
        self.trace.add(START_NS, f"bank: {self._script}")

    def _draw_shadows(self, seed: int, allowed: tuple[str, ...], length_s: int) -> None:
        """Draw whether there are shadows and sights, and what they say; by a generator of their own."""
        generator = np.random.default_rng((seed, 1))
        script = draw_script(generator, allowed, SYMBOLS, START_NS, FAULTS_UNTIL_S)
        sights = SimulatedSights(SYMBOLS, generator, START_NS, length_s)
        self._script: BankScript | None = script if generator.random() < _WITH_BANK else None
        # Shadows live on the streams, which see the market too; S1 may do without either.
        seen = self._script is not None or generator.random() < _WITH_SIGHTS
        self._sights = sights if seen else None
        self._restarts_s = list(script.restarts_s) if self._script is not None else []
        self._bank_generator = generator
        if self._script is not None:
            # Where S1 wants nothing, the bank has a symbol to itself.
            for symbol in SYMBOLS:
                self._edges[symbol] *= float(generator.choice((0.0, 1.0)))

    def run(self) -> Outcome:
        """Run to rest and check."""
        try:
            self._drive()
        except Killed:
            raise
        except Exception as error:
            self._referee.blame(
                "I0", f"the executor died of {type(error).__name__}: {error}\n{traceback.format_exc()}"
            )
        finally:
            if self._life is not None:
                self._life.end()
        # What was open or still on its way when the journal was lost may have ended without a fill while nobody looked.
        unfilled = {order.client_id for order in self.venue.every_order() if _ended_unfilled(order)}
        self._referee.check(self._gone | (self._late & unfilled))
        links = [order.request.link_id for order in self.venue.exchange.orders.values()]
        self.outcome.orders = len(links)
        self.outcome.bank_orders = sum(
            link.startswith("hn-") and not link.startswith("hn-S1-") for link in links
        )
        self.outcome.fills = len(self.venue.exchange.executions)
        self.outcome.trace = self.trace.lines
        return self.outcome

    def _drive(self) -> None:
        deadline_s = FAULTS_UNTIL_S + _REST_S
        quiet_polls = 0
        while quiet_polls < 2:
            if self.clock.monotonic() > deadline_s:
                self._referee.blame(
                    "I13",
                    f"should have come to rest within {_REST_S:.0f} s, {self._referee.unrest(self._life)}",
                )
                return
            self._turn()
            # After the last fault the venue is asked once more before anything is concluded.
            over = self.clock.monotonic() >= self.plan.until_s + 80.0
            quiet_polls = quiet_polls + 1 if over and not self._referee.unrest(self._life) else 0

    def _turn(self) -> None:
        """One poll of the process, or its restart, and the time until the next."""
        try:
            if self._life is None:
                self._life = self._start()
            self._act_by_hand(self._life)
            if self._restarts_s and self.clock.monotonic() >= self._restarts_s[0]:
                self._restart(self._life)
                return
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
        stream = SimulatedStream(self.venue, self.plan, self._generator, self._sights)
        client = self._make_client(self.network, self._referee.watch)
        self.trace.add(self.clock.now_ns, "the process starts")
        bank = None
        if self._script is not None:
            bank = SimulatedBank(self._script, self._lives, self.clock, self.market, self._bank_generator)
        self._lives += 1
        return Life(
            self._home,
            self.network,
            self.market,
            stream,
            self._edges,
            self._step,
            client,
            bank=bank,
            policy=None if bank is None else promoted(START_NS),
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
            known = self.venue.every_order()
            self._gone = {order.client_id for order in known if _ended_unfilled(order)}
            still_open = {order.client_id for order in known if order.status.is_open}
            self._late = self._referee.sent - {order.client_id for order in known} | still_open
            for path in self._home.glob("journal.sqlite*"):
                path.unlink()
        self._steps_left = self._crashes.pop(0) if self._crashes else -1
        self.network.pass_time(float(self._generator.choice((0.5, 5.0, 40.0))))

    def _restart(self, life: Life) -> None:
        """Stop the process in good order; it is started again by the next turn."""
        self._restarts_s.pop(0)
        self.trace.add(self.clock.now_ns, "the process is stopped")
        self._life = None
        try:
            life.stop(self.network.pass_time)
        finally:
            life.end()
        self.network.pass_time(_RESTART_S)

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


def _ended_unfilled(order: Order) -> bool:
    return not order.status.is_open and not order.filled_qty


__all__ = ["Outcome", "Session"]
