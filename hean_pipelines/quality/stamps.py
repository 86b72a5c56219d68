"""What stamps alone give away: outages, also those of a whole venue, clocks that are off, and stamps in another unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from models.errors import DataError

Stamps = npt.NDArray[np.int64]
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EARLIEST_S, _LATEST_S = 1_230_768_000, 4_102_444_800  # 2009, before which no coin was traded, and 2100


@dataclass(frozen=True, order=True)
class Outage:
    """A stretch without rows: [start, end) in ns UTC, and how many rows are missing."""

    start_ns: int
    end_ns: int
    missing: int


def outages(ts: Stamps, cadence_ns: int, *, least_missing: int = 1) -> list[Outage]:
    """Return the holes between the first and the last of rising stamps.

    Parameters
    ----------
    ts : (n,) int64
        ns, rising.
    cadence_ns : int
        Distance of two rows when nothing is missing.
    least_missing : int
        Shorter holes are left out.

    Raises
    ------
    DataError
        If stamps do not rise: sort and look for repeats first.

    """
    steps = np.diff(ts)
    if np.any(steps <= 0):
        raise DataError(f"expected rising stamps, was {int(np.sum(steps <= 0))} that do not")
    missing = np.round(steps / cadence_ns).astype(np.int64) - 1
    return [
        Outage(int(ts[i]) + cadence_ns, int(ts[i + 1]), int(missing[i]))
        for i in np.nonzero(missing >= least_missing)[0]
    ]


def venue_outages(by_symbol: Mapping[str, Sequence[Outage]], cadence_ns: int) -> list[Outage]:
    """Return the stretches that are missing of every symbol: the venue's own, not a symbol's.

    Time before a symbol's first row or after its last is no hole of it. With one symbol, all its holes are returned.
    """
    common: list[Outage] | None = None
    for own in by_symbol.values():
        common = list(own) if common is None else _overlaps(common, own, cadence_ns)
    return common or []


def _overlaps(first: Sequence[Outage], second: Sequence[Outage], cadence_ns: int) -> list[Outage]:
    found = []
    for a in first:
        for b in second:
            start, end = max(a.start_ns, b.start_ns), min(a.end_ns, b.end_ns)
            if start < end:
                found.append(Outage(start, end, (end - start) // cadence_ns))
    return sorted(found)


@dataclass(frozen=True)
class Clock:
    """Receive times against the venue's, in ns: least and median difference, and the share received before it was sent."""

    least_ns: int
    median_ns: int
    impossible: float

    @property
    def is_behind(self) -> bool:
        """Whether most messages came before they were sent: the receiving clock is behind the venue's."""
        return self.impossible > 0.5


def clock_skew(venue_ts: Stamps, received_ts: Stamps) -> Clock:
    """Compare when messages were sent and received; what takes time cannot have taken less than none.

    Raises
    ------
    DataError
        If there is no message.

    """
    if not len(venue_ts):
        raise DataError("expected at least one message, was none")
    taken = received_ts - venue_ts
    return Clock(int(taken.min()), int(np.median(taken)), float(np.mean(taken < 0)))


def time_unit(stamps: Stamps) -> Literal["s", "ms", "us", "ns"]:
    """Return the unit in which stamps lie between 2009 and 2100.

    Raises
    ------
    DataError
        If there is none, or they are mixed.

    """
    low, high = int(stamps.min()), int(stamps.max())
    for unit, per_second in _PER_SECOND.items():
        if _EARLIEST_S * per_second <= low and high < _LATEST_S * per_second:
            return unit  # type: ignore[return-value]
    raise DataError(f"expected stamps of one unit between 2009 and 2100, was {low} to {high}")
