"""Between the executor and the simulated venue: a `Venue` whose requests get lost, delayed, doubled, refused or old.

Every failure reaches the executor as the same error its real client would raise, by the same table of codes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import numpy as np

from hean_live.simulation import faults
from hean_live.simulation.clock import NANOSECONDS
from hean_live.simulation.faults import FaultPlan
from hean_live.simulation.trace import Trace
from hean_live.simulation.venue import SimulatedVenue
from hean_live.venues.codes import (
    LEVERAGE_UNCHANGED,
    NOTHING_TO_CANCEL,
    RATE_LIMIT,
    TIME_WINDOW,
    error_of_code,
    error_of_status,
)
from hean_live.venues.errors import OrderUnresolved, VenueUnreachable
from hean_live.venues.protocol import NewOrder
from models.errors import HeanError
from models.market.trading_records import ApiKeyInfo, Execution, FeeRate, Order, OrderAck, Position, Wallet
from models.simulation.exchange.orders import Rejection

Answer = TypeVar("Answer")

TIMEOUT_S = 2.0
RECV_WINDOW_S = 5.0
_MAINTENANCE_CODE = 10016
_NO_BALANCE = 110007
_PAGE = 5  # small, so that listings have several pages
_SKEW_MS = 1500.0


@dataclass
class _Late:
    """A request still on its way, and when it arrives."""

    at_ns: int
    arrive: Callable[[], object]


class FaultyNetwork:
    """What outlives the executor's process: the way to the venue, with requests under way on it.

    Parameters
    ----------
    venue : SimulatedVenue
    plan : FaultPlan
    generator : numpy.random.Generator
    trace : Trace
    step : callable
        Called at both ends of every request: a process may die there.

    """

    def __init__(
        self,
        venue: SimulatedVenue,
        plan: FaultPlan,
        generator: np.random.Generator,
        trace: Trace,
        step: Callable[[str], None],
    ) -> None:
        self.venue = venue
        self._plan = plan
        self._generator = generator
        self._trace = trace
        self._step = step
        self._late: list[_Late] = []

    def pass_time(self, seconds: float) -> None:
        """Let time pass; requests under way arrive at their instants."""
        clock = self.venue.clock
        until_ns = clock.now_ns + int(seconds * NANOSECONDS)
        for late in sorted(
            (item for item in self._late if item.at_ns <= until_ns), key=lambda item: item.at_ns
        ):
            self._late.remove(late)
            clock.now_ns = max(clock.now_ns, late.at_ns)
            self.venue.catch_up()
            self._quietly(late.arrive)
        clock.now_ns = until_ns
        self.venue.catch_up()

    def send(self, name: str, handle: Callable[[int], Answer], *, command: bool) -> Answer:
        """Carry one request to the venue and its reply back, as far as the faults of the moment let them.

        Parameters
        ----------
        name : str
            For the trace.
        handle : callable
            Carries the request out; told the instant a query is answered as of.
        command : bool
            Whether the request changes something.

        """
        self._step(f"before {name}")
        self.pass_time(float(self._generator.uniform(0.005, 0.08)))
        self._refuse(name, command)
        fault = self._draw()
        if fault:
            self._trace.add(self.venue.clock.now_ns, f"{name}: {fault}")
        answer = self._command(name, fault, handle) if command else self._query(name, fault, handle)
        self.pass_time(float(self._generator.uniform(0.005, 0.08)))
        self._step(f"after {name}")
        return answer

    def offset_ms(self) -> float:
        """Return how far the executor's clock is ahead now."""
        skewed = self._plan.active(faults.SKEW, self.venue.clock.monotonic())
        return _SKEW_MS if skewed else 0.0

    # --- faults

    def _refuse(self, name: str, command: bool) -> None:
        """Raise what a lasting fault does to every request."""
        at_s = self.venue.clock.monotonic()
        if self._plan.active(faults.OUTAGE, at_s):
            self.pass_time(TIMEOUT_S)
            raise self._lost(name, command)
        if self._plan.active(faults.MAINTENANCE, at_s):
            raise error_of_code(_MAINTENANCE_CODE, "maintenance", command=command)
        if self._plan.active(faults.SKEW, at_s) and name not in ("tickers", "time"):
            raise error_of_code(TIME_WINDOW, "skew", command=command)

    def _draw(self) -> str:
        if self.venue.clock.monotonic() >= self._plan.until_s:
            return ""
        for kind, rate in self._plan.rates.items():
            if self._generator.random() < rate:
                return kind
        return ""

    def _query(self, name: str, fault: str, handle: Callable[[int], Answer]) -> Answer:
        now_ns = self.venue.clock.now_ns
        if fault in (faults.LOST_REQUEST, faults.LOST_REPLY, faults.LATE_REQUEST):
            self.pass_time(TIMEOUT_S)
            raise self._lost(name, command=False)
        if fault in (faults.SERVER_ERROR, faults.SERVER_ERROR_AFTER):
            raise error_of_status(502, name, command=False)
        if fault == faults.UNREADABLE:
            raise VenueUnreachable(f"{name}: an answer was unreadable")
        if fault == faults.RATE_LIMIT:
            raise error_of_code(RATE_LIMIT, name, command=False)
        if fault == faults.STALE:
            return handle(now_ns - int(self._generator.choice((1, 3, 10)) * NANOSECONDS))
        return handle(now_ns)

    def _command(self, name: str, fault: str, handle: Callable[[int], Answer]) -> Answer:
        now_ns = self.venue.clock.now_ns
        if fault == faults.LOST_REQUEST:
            self.pass_time(TIMEOUT_S)
            raise self._lost(name, command=True)
        if fault == faults.LATE_REQUEST:
            # Not later than the signature stays valid: the venue refuses it afterwards.
            delay_ns = int(self._generator.uniform(1.0, RECV_WINDOW_S) * NANOSECONDS)
            self._late.append(_Late(now_ns + delay_ns, lambda: handle(0)))
            self.pass_time(TIMEOUT_S)
            raise self._lost(name, command=True)
        if fault == faults.SERVER_ERROR:
            raise error_of_status(502, name, command=True)
        if fault == faults.RATE_LIMIT:
            raise error_of_code(RATE_LIMIT, name, command=True)
        if fault == faults.REJECT:
            raise error_of_code(_NO_BALANCE, name, command=True)
        return self._handled(name, fault, handle)

    def _handled(self, name: str, fault: str, handle: Callable[[int], Answer]) -> Answer:
        try:
            answer = handle(self.venue.clock.now_ns)
        except Rejection as refusal:
            if fault in (faults.LOST_REPLY, faults.SERVER_ERROR_AFTER, faults.UNREADABLE):
                raise self._lost(name, command=True) from refusal
            raise error_of_code(refusal.code, refusal.message, command=True) from refusal
        if fault == faults.DOUBLED:
            self._quietly(lambda: handle(self.venue.clock.now_ns))
        if fault == faults.LOST_REPLY:
            self.pass_time(TIMEOUT_S)
            raise self._lost(name, command=True)
        if fault == faults.SERVER_ERROR_AFTER:
            raise error_of_status(504, name, command=True)
        if fault == faults.UNREADABLE:
            raise OrderUnresolved(f"{name}: an answer was unreadable")
        return answer

    def _quietly(self, arrive: Callable[[], object]) -> None:
        """Let a request arrive whose answer nobody hears."""
        try:
            arrive()
        except Rejection as refusal:
            self._trace.add(self.venue.clock.now_ns, f"refused unheard: {refusal}")

    @staticmethod
    def _lost(name: str, command: bool) -> HeanError:
        words = f"{name}: no answer"
        return OrderUnresolved(words) if command else VenueUnreachable(words)


class SimulatedClient:
    """The executor's side of the network: a `Venue`."""

    def __init__(self, network: FaultyNetwork, watch: Callable[[NewOrder], None]) -> None:
        self._network = network
        self._venue = network.venue
        self._watch = watch

    def key_info(self) -> ApiKeyInfo:
        """Return what the key may do."""
        return ApiKeyInfo(False, {"ContractTrade": ("Order", "Position")}, (), None, True)

    def is_hedge_mode(self, symbol: str) -> bool:
        """Return False: the account is in one-way mode."""
        return self._network.send(f"position mode {symbol}", lambda _: False, command=False)

    def wallet(self) -> Wallet:
        """Return the account's totals."""
        return self._network.send("wallet", lambda _: self._venue.wallet(), command=False)

    def positions(self) -> list[Position]:
        """Return every position that is not flat."""
        return self._network.send("positions", self._venue.positions, command=False)

    def open_orders(self) -> list[Order]:
        """Return every open order."""
        return self._network.send("open orders", self._venue.open_orders, command=False)

    def find_order(self, symbol: str, client_id: str) -> Order | None:
        """Look an order up."""
        return self._network.send(
            f"find {client_id}", lambda at_ns: self._venue.find(symbol, client_id, at_ns), command=False
        )

    def new_executions(self, is_known: Callable[[str], bool]) -> list[Execution]:
        """Return executions, oldest first, back to the first page whose ids `is_known` accepts throughout."""
        rows = self._network.send("executions", self._venue.executions, command=False)
        found: list[Execution] = []
        for end in range(len(rows), 0, -_PAGE):
            fresh = [row for row in rows[max(0, end - _PAGE) : end] if not is_known(row.exec_id)]
            found = fresh + found
            if not fresh:
                break
        return found

    def fee_rates(self) -> dict[str, FeeRate]:
        """Return the account's fees by symbol."""
        fee = (Decimal("0.00055"), Decimal("0.0002"))
        return {symbol: FeeRate(symbol, *fee) for symbol in self._venue.market.symbols}

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set the leverage of a symbol."""

        def handle(_: int) -> None:
            try:
                self._venue.exchange.set_leverage(symbol, leverage)
            except Rejection as refusal:
                if refusal.code != LEVERAGE_UNCHANGED:
                    raise

        self._network.send(f"leverage {symbol}", handle, command=True)

    def place(self, order: NewOrder) -> OrderAck:
        """Send an order once."""
        self._watch(order)
        order_id = self._network.send(
            f"place {order.client_id}", lambda _: self._venue.create(order), command=True
        )
        return OrderAck(order_id, order.client_id)

    def cancel(self, symbol: str, client_id: str) -> None:
        """Ask to cancel an order."""

        def handle(_: int) -> None:
            try:
                self._venue.cancel(symbol, client_id)
            except Rejection as refusal:
                if refusal.code not in NOTHING_TO_CANCEL:
                    raise

        self._network.send(f"cancel {client_id}", handle, command=True)
