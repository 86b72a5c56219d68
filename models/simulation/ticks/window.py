"""A sliding window over a symbol's events: what lies ahead, what has been shown, what is still remembered.

Here belongs the buffer. What events mean is the business of `minutes` and `symbol`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.market.tape import EVENT

Events = NDArray[np.void]
_BYTES = EVENT.itemsize


class EventWindow:
    """Events of one symbol in ascending venue time; memory is what lies between `forget` and the newest event.

    Attributes
    ----------
    since_ns : int
        Events up to this venue time may have been forgotten.
    shown_ns : int
        Venue time up to which events have been shown.

    """

    def __init__(self, start_ns: int, capacity: int = 4096) -> None:
        # Rows are moved as bytes: copying structured rows goes field by field.
        self._raw = np.empty((capacity, _BYTES), dtype=np.uint8)
        self._times = np.empty(capacity, dtype=np.int64)
        self._first = self._shown = self._last = 0
        self.since_ns = self.shown_ns = start_ns

    @property
    def newest_ns(self) -> int:
        """Venue time of the last event held, shown or not; `shown_ns` where there is none ahead."""
        return int(self._times[self._last - 1]) if self._last > self._shown else self.shown_ns

    def append(self, events: Events) -> None:
        """Add events that lie ahead.

        Raises
        ------
        DataError
            Venue times go back, or lie before what has been shown.

        """
        if not events.size:
            return
        self._make_room(events.size)
        end = self._last + events.size
        times = self._times[self._last : end]
        times[:] = events["exch_ts"]
        if int(times[0]) < self.newest_ns or np.any(np.diff(times) < 0):
            raise DataError(
                f"live events: expected ascending venue times from {self.newest_ns}, was {int(times.min())}"
            )
        self._raw[self._last : end] = events.view(np.uint8).reshape(events.size, _BYTES)
        self._last = end

    def show(self, until_ns: int) -> Events:
        """Return the events that became visible by going on to `until_ns`: a view, valid until the next `append`."""
        if until_ns <= self.shown_ns:
            return self._rows(self._shown, self._shown)
        first = self._shown
        ahead = self._times[first : self._last]
        self._shown = first + int(np.searchsorted(ahead, until_ns, side="right"))
        self.shown_ns = until_ns
        return self._rows(first, self._shown)

    def between(self, after_ns: int, until_ns: int) -> Events:
        """Shown events with ``after_ns < exch_ts <= until_ns``; a view, valid until the next `append`.

        Raises
        ------
        DataError
            Part of the stretch has been forgotten.

        """
        if after_ns < self.since_ns:
            raise DataError(
                f"live events are remembered from {self.since_ns}, was asked for those after {after_ns}",
                remedy="follow a tick market in steps of at most a minute",
            )
        shown = self._times[self._first : self._shown]
        first = self._first + int(np.searchsorted(shown, after_ns, side="right"))
        last = self._first + int(np.searchsorted(shown, until_ns, side="right"))
        return self._rows(first, max(first, last))

    def forget(self, until_ns: int) -> Events:
        """Forget shown events up to `until_ns` and return them: a view, valid until the next `append`."""
        until_ns = min(until_ns, self.shown_ns)
        if until_ns <= self.since_ns:
            return self._rows(self._first, self._first)
        first = self._first
        self._first += int(np.searchsorted(self._times[self._first : self._shown], until_ns, side="right"))
        self.since_ns = until_ns
        return self._rows(first, self._first)

    def _rows(self, first: int, last: int) -> Events:
        return self._raw[first:last].reshape(-1).view(EVENT)

    def _make_room(self, more: int) -> None:
        if self._last + more <= len(self._times):
            return
        held = self._last - self._first
        capacity = len(self._times)
        # Twice what is needed, so that moving the rows to the front is paid for by as many appends.
        while capacity < 2 * (held + more):
            capacity *= 2
        raw, times = np.empty((capacity, _BYTES), dtype=np.uint8), np.empty(capacity, dtype=np.int64)
        raw[:held] = self._raw[self._first : self._last]
        times[:held] = self._times[self._first : self._last]
        self._raw, self._times = raw, times
        self._shown -= self._first
        self._first, self._last = 0, held
