"""From a tape to the arrays the studies take: changes of the mid, readings of VPIN, whales, cascades, exhaustions.

One compiled pass drives the market record of `models.market.step` and writes down what happens, in buffers of fixed size. A tape
comes in chunks; what is kept of it is a row a change of the mid and a row a signal. What does not belong here: reading files,
and judging what was found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.evidence.signal_records import (
    CASCADE,
    EXHAUSTED,
    FOLLOW,
    QUOTE,
    READING,
    READING_NS,
    SIGNAL,
    WHALE,
    Counts,
    TapeSignals,
)
from models.market.book import new_books
from models.market.feature_params import FeatureParams, params_record
from models.market.features.forced_flow import FORCED
from models.market.record import new_markets
from models.market.step import on_event, on_tick, tick_due
from models.market.tape import NO_TIME, TRADE, Events

_ROWS: Final = 1 << 16
_SPARE: Final = 4  # rows an event or tick may write


@njit(cache=True)
def _note(state: Any, signals: Any, market: Any, at_ns: int, kind: int, side: int, multiple: float) -> None:
    row = signals[state.signals]
    row.at_ns = at_ns
    row.kind = kind
    row.side = side
    row.multiple = multiple
    row.spread_bps = market.spread_bps
    row.funding_rate = market.funding_rate
    state.signals += 1


@njit(cache=True)
def _note_mid(state: Any, quotes: Any, at_ns: int, mid: float) -> None:
    if mid == state.mid or (math.isnan(mid) and math.isnan(state.mid)):
        return
    state.mid = mid
    quotes[state.quotes].at_ns = at_ns
    quotes[state.quotes].mid = mid
    state.quotes += 1


@njit(cache=True)
def _note_trade(state: Any, signals: Any, market: Any, params: Any, event: Any) -> None:
    cascade = market.internal.cascade
    if cascade.detected > state.cascades:
        state.cascades = cascade.detected
        _note(state, signals, market, event.local_ts, CASCADE, cascade.alive_side, market.whale_multiple)
    if market.whales == state.whales:
        return
    state.whales = market.whales
    if not market.whale_multiple >= params.whale_multiple:
        return
    # Prints of one order share venue time and side: they are one whale.
    stamp = event.exch_ts if event.exch_ts != NO_TIME else event.local_ts
    if stamp == state.whale_ns and event.side == state.whale_side:
        return
    state.whale_ns = stamp
    state.whale_side = event.side
    _note(state, signals, market, event.local_ts, WHALE, event.side, market.whale_multiple)


@njit(cache=True)
def _note_tick(state: Any, readings: Any, signals: Any, market: Any, reading_ns: int) -> None:
    at_ns = market.tick_at_ns
    state.ticks += 1
    state.quoted_ticks += 0 if math.isnan(market.mid) else 1
    state.vpin_ticks += 0 if math.isnan(market.vpin) else 1
    state.lpi_ticks += 0 if math.isnan(market.lpi) else 1
    state.oi_ticks += 0 if math.isnan(market.z_oi_fall) else 1
    forced = market.flow_state == FORCED
    state.forced_ticks += 1 if forced else 0
    if at_ns >= state.reading_ns:
        readings[state.readings].at_ns = at_ns
        readings[state.readings].vpin = market.vpin
        state.readings += 1
        state.reading_ns = (at_ns // reading_ns + 1) * reading_ns
    exhausted = forced and market.exhausted == 1.0
    if exhausted and state.exhausted == 0 and not math.isnan(market.pressure_side):
        _note(state, signals, market, at_ns, EXHAUSTED, int(market.pressure_side), math.nan)
    state.exhausted = 1 if exhausted else 0


@njit(cache=True)
def _follow(
    markets: Any,
    books: Any,
    events: Events,
    start: int,
    params: Any,
    states: Any,
    quotes: Any,
    readings: Any,
    signals: Any,
    reading_ns: int,
) -> int:
    """Take events from row `start` until the end or until a buffer is full; returns the row to go on from."""
    market, book, state = markets[0], books[0], states[0]
    room = min(len(quotes), len(readings), len(signals)) - _SPARE
    for i in range(start, len(events)):
        event = events[i]
        while tick_due(market, event.local_ts):
            if max(state.quotes, state.readings, state.signals) > room:
                return i
            on_tick(market, book, params)
            _note_mid(state, quotes, market.tick_at_ns, market.mid)
            _note_tick(state, readings, signals, market, reading_ns)
        if max(state.quotes, state.readings, state.signals) > room:
            return i
        on_event(market, book, event, params)
        _note_mid(state, quotes, event.local_ts, market.mid)
        if event.kind == TRADE:
            _note_trade(state, signals, market, params, event)
    return len(events)


class _Follower:
    """A market record at one threshold, and what was noted of it."""

    def __init__(self, params: FeatureParams, tick_size: float) -> None:
        self._params = params_record(params)
        self._markets, self._books = new_markets(1), new_books([tick_size])
        self.state = np.zeros(1, FOLLOW)
        self.state["mid"] = math.nan
        self._quotes, self._readings = np.zeros(_ROWS, QUOTE), np.zeros(_ROWS, READING)
        self._signals = np.zeros(_ROWS, SIGNAL)
        self.kept: tuple[list[Any], list[Any], list[Any]] = ([], [], [])

    def take(self, events: Events, reading_ns: int) -> None:
        row = 0
        while row < len(events):
            row = _follow(
                self._markets,
                self._books,
                events,
                row,
                self._params,
                self.state,
                self._quotes,
                self._readings,
                self._signals,
                reading_ns,
            )
            buffers = (self._quotes, self._readings, self._signals)
            for kept, buffer, name in zip(self.kept, buffers, ("quotes", "readings", "signals"), strict=True):
                kept.append(buffer[: self.state[name][0]].copy())
                self.state[name] = 0

    def off_grid(self) -> int:
        return int(self._books["off_grid"][0])


class TapeFollower:
    """Collects the signals of a tape chunk by chunk.

    Parameters
    ----------
    tick_size : float
        Price step of the instrument, quote.
    params : FeatureParams, optional
    thetas_bps : sequence of float, optional
        Thresholds at which exhaustions are collected; the first is also that of everything else. By default the one of `params`.
    reading_ns : int

    Examples
    --------
    >>> follower = TapeFollower(0.1)
    >>> for events in chunks:
    ...     follower.take(events)
    >>> follower.signals().counts.ticks

    """

    def __init__(
        self,
        tick_size: float,
        params: FeatureParams | None = None,
        thetas_bps: Sequence[float] | None = None,
        reading_ns: int = READING_NS,
    ) -> None:
        chosen = params or FeatureParams()
        self._thetas = tuple(thetas_bps or (1e4 * chosen.theta,))
        self._reading_ns = reading_ns
        self._followers = [_Follower(chosen._replace(theta=1e-4 * t), tick_size) for t in self._thetas]
        self._last_ns: int | None = None

    def take(self, events: Events) -> None:
        """Take the next chunk of the tape."""
        if not len(events):
            return
        for follower in self._followers:
            follower.take(events, self._reading_ns)
        self._last_ns = int(events["local_ts"][-1])

    def signals(self) -> TapeSignals:
        """Return what was found so far."""
        first = self._followers[0]
        quotes, readings, signals = (
            _joined(kept, kind) for kept, kind in zip(first.kept, (QUOTE, READING, SIGNAL), strict=True)
        )
        state: Any = first.state[0]
        if self._last_ns is not None and len(quotes):
            end = np.array([(self._last_ns, state["mid"])], QUOTE)
            quotes = np.concatenate([quotes, end])
        exhaustions = {}
        for theta, follower in zip(self._thetas, self._followers, strict=True):
            own = _joined(follower.kept[2], SIGNAL)
            exhaustions[theta] = own[own["kind"] == EXHAUSTED]
        ticks = ("ticks", "quoted_ticks", "vpin_ticks", "lpi_ticks", "oi_ticks", "forced_ticks")
        counts = Counts(*(int(state[name]) for name in ticks))
        return TapeSignals(quotes, readings, signals, exhaustions, counts, first.off_grid())


def _joined(parts: list[Any], kind: np.dtype[Any]) -> NDArray[np.void]:
    return np.concatenate([np.zeros(0, kind), *parts])
