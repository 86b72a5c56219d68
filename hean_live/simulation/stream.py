"""The private stream of a simulation: what the venue told, delayed, doubled, out of order, or not at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hean_live.app.alarms import Alarms
from hean_live.app.regime_model import LoadedRegimes
from hean_live.simulation import faults
from hean_live.simulation.clock import NANOSECONDS
from hean_live.simulation.faults import FaultPlan
from hean_live.simulation.sights import SimulatedSights
from hean_live.simulation.venue import SimulatedVenue, Told
from hean_live.venues.streams.private_events import (
    Connected,
    Disconnected,
    ExecutionEvent,
    OrderEvent,
    PositionEvent,
    PrivateEvent,
    WalletEvent,
)
from models.execution.sight import MarketSight
from models.market.trading_records import Execution, Order, Position

_DOUBLED = 0.1
_LATE = 0.15


class SimulatedStream:
    """One process's connection to the private stream; a new process makes a new one.

    Parameters
    ----------
    venue : SimulatedVenue
    plan : FaultPlan
    generator : numpy.random.Generator
    sights : SimulatedSights, optional
        What is seen of the markets; without it nothing, as where the market's streams are off.

    """

    def __init__(
        self,
        venue: SimulatedVenue,
        plan: FaultPlan,
        generator: np.random.Generator,
        sights: SimulatedSights | None = None,
    ) -> None:
        self._venue = venue
        self._plan = plan
        self._generator = generator
        self._sights = sights
        self.wake: Callable[[], None] | None = None
        self._connected = False
        self._read = len(venue.told)
        self._waiting: list[tuple[int, int, PrivateEvent]] = []
        self._count = 0

    def sights(self, market_ns: int) -> dict[str, MarketSight]:
        """Return what is seen of the markets beyond their tickers."""
        return {} if self._sights is None else self._sights.at(market_ns)

    def drain(self) -> list[PrivateEvent]:
        """Return what has arrived by now."""
        now_ns, at_s = self._venue.clock.now_ns, self._venue.clock.monotonic()
        down = self._plan.active(faults.DISCONNECT, at_s) or self._plan.active(faults.OUTAGE, at_s)
        if down:
            return self._lose(now_ns)
        if not self._connected:
            self._connected = True
            self._read = len(self._venue.told)
            return [Connected(now_ns)]
        mute = self._plan.active(faults.MUTE, at_s)
        for at_ns, record in self._venue.told[self._read :]:
            # A mute socket swallows without a word; its watchdog is the real stream's and tells of it later.
            if not mute:
                self._queue(at_ns, record)
        self._read = len(self._venue.told)
        arrived = sorted(item for item in self._waiting if item[0] <= now_ns)
        self._waiting = [item for item in self._waiting if item[0] > now_ns]
        return [event for _, _, event in arrived]

    def follow_regimes(self, loaded: LoadedRegimes | None) -> None:
        """Filter nothing: what is seen is drawn, not made out."""

    def report(self, _alarms: Alarms) -> None:
        """Nothing to report: there is no market stream here."""

    def problems(self) -> dict[str, str]:
        """Return no reason against entries: the account has its own."""
        return {}

    def _lose(self, now_ns: int) -> list[PrivateEvent]:
        self._read = len(self._venue.told)
        self._waiting = []
        if not self._connected:
            return []
        self._connected = False
        return [Disconnected("the connection was closed", now_ns)]

    def _queue(self, at_ns: int, record: Told) -> None:
        for _ in range(2 if self._generator.random() < _DOUBLED else 1):
            late = self._generator.random() < _LATE
            delay_s = float(self._generator.uniform(1.0, 8.0) if late else self._generator.uniform(0.0, 0.2))
            self._count += 1
            event = _event(record, at_ns)
            self._waiting.append((at_ns + int(delay_s * NANOSECONDS), self._count, event))


def _event(record: Told, at_ns: int) -> PrivateEvent:
    if isinstance(record, Order):
        return OrderEvent(record, at_ns)
    if isinstance(record, Execution):
        return ExecutionEvent(record, at_ns)
    if isinstance(record, Position):
        return PositionEvent(record, at_ns)
    return WalletEvent(record, at_ns)
