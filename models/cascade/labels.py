"""Whether a cascade began after a sample: labels from forced orders, or from cascade anomalies where no feed is.

A cascade is a run of forced orders of one side with short pauses; it begins with its first one. A sample is at risk while
none is under way; its label is whether one begins within the horizon. Labels look ahead, that is their nature; they carry when
they were known, and training purges by it. Here belong labels; features are in `observe`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.cascade.observe import ANOMALY, FORCED, HOLE, CascadeTape
from models.errors import DataError
from models.market.feature_params import FeatureParams

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SECOND_NS: Final = 1_000_000_000
FEED: Final = "liquidation feed"
F11: Final = "F11 cascade anomaly"
_ALIVE_NS: Final = FeatureParams().cascade_alive_ns


@dataclass(frozen=True)
class LabelParams:
    """What counts as a cascade, and how far ahead.

    Attributes
    ----------
    horizon_s : float
        A sample's label looks this far.
    gap_s : float
        Longest pause within a run of forced orders.
    least_orders : int
        Shortest run that is a cascade.

    """

    horizon_s: float = 300.0
    gap_s: float = 15.0
    least_orders: int = 10

    @property
    def horizon_ns(self) -> int:
        """The horizon in ns."""
        return round(self.horizon_s * SECOND_NS)


@dataclass(frozen=True)
class Cascades:
    """Cascades in order of their begin; arrays of length n.

    Attributes
    ----------
    onset_ns, recognised_ns, over_ns : ndarray of int64
        First forced order, the one that made it a cascade, and when it was known to be over.
    source : str
        `FEED` or `F11`.

    """

    onset_ns: Ints
    recognised_ns: Ints
    over_ns: Ints
    source: str


@dataclass(frozen=True)
class CascadeTable:
    """Samples at risk whose label is known, in order of time; arrays of length n.

    Attributes
    ----------
    made_at_ns, known_ns : ndarray of int64
        When the sample was taken, and from when on its label was known.
    onset_ns : ndarray of int64
        Begin of the cascade within the horizon, 0 for none.
    features : ndarray of float64, shape (n, WIDTH)
    horizon_ns : int
    sources : tuple of str
        Where the labels come from.

    """

    made_at_ns: Ints
    known_ns: Ints
    onset_ns: Ints
    features: Floats
    horizon_ns: int
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.made_at_ns)

    @property
    def label(self) -> Floats:
        """1 where a cascade begins within the horizon, else 0."""
        return (self.onset_ns > 0).astype(np.float64)

    @property
    def cascades(self) -> int:
        """Different cascades among the labels: the samples before one share it."""
        return len(np.unique(self.onset_ns[self.onset_ns > 0]))

    def take(self, rows: Bools | Ints) -> CascadeTable:
        """Return the selected rows."""
        return CascadeTable(
            self.made_at_ns[rows],
            self.known_ns[rows],
            self.onset_ns[rows],
            self.features[rows],
            self.horizon_ns,
            self.sources,
        )


def forced_runs(times: Ints, gap_ns: int, least: int) -> tuple[Ints, Ints, Ints]:
    """Cut the forced orders of one side into runs and return those long enough.

    Parameters
    ----------
    times : ndarray of int64, shape (n,)
        Ascending.
    gap_ns : int
        A longer pause ends a run.
    least : int

    Returns
    -------
    onset_ns, recognised_ns, over_ns : ndarray of int64
        First order, the `least`-th, and the last one plus the pause.

    """
    starts = np.flatnonzero(np.r_[True, np.diff(times) > gap_ns]) if len(times) else np.empty(0, np.int64)
    ends = np.r_[starts[1:], len(times)].astype(np.int64)[: len(starts)]
    long = ends - starts >= least
    first, last = starts[long], ends[long] - 1
    return times[first], times[first + least - 1], times[last] + gap_ns


def find_cascades(tape: CascadeTape, params: LabelParams) -> Cascades:
    """Find the cascades of a tape: from its forced orders if it holds any, else from F11.

    Parameters
    ----------
    tape : CascadeTape
    params : LabelParams

    """
    marks = tape.marks
    forced = marks[marks["kind"] == FORCED]
    if not len(forced):
        seen = marks["at_ns"][marks["kind"] == ANOMALY].astype(np.int64)
        return Cascades(seen, seen, seen + _ALIVE_NS, F11)
    gap_ns = round(params.gap_s * SECOND_NS)
    sides = [
        forced_runs(forced["at_ns"][forced["side"] == side].astype(np.int64), gap_ns, params.least_orders)
        for side in (-1, 1)
    ]
    onset, recognised, over = (np.concatenate(parts) for parts in zip(*sides, strict=True))
    order = np.argsort(onset, kind="stable")
    return Cascades(onset[order], recognised[order], over[order], FEED)


def label_samples(tape: CascadeTape, params: LabelParams | None = None) -> CascadeTable:
    """Label the samples of a tape.

    Parameters
    ----------
    tape : CascadeTape
    params : LabelParams, optional

    Returns
    -------
    CascadeTable
        Without samples taken during a cascade, and without those whose label the tape does not tell: it ends too soon, or has
        a hole before the label is known.

    """
    chosen = params or LabelParams()
    found = find_cascades(tape, chosen)
    t = tape.times
    if len(found.onset_ns):
        settle_ns = int((found.recognised_ns - found.onset_ns).max())
        next_one = np.searchsorted(found.onset_ns, t, side="right")
        ahead = np.where(
            next_one < len(found.onset_ns),
            found.onset_ns[np.minimum(next_one, len(found.onset_ns) - 1)],
            np.iinfo(np.int64).max,
        )
        onset = np.where(ahead - t <= chosen.horizon_ns, ahead, 0)
        over = np.maximum.accumulate(found.over_ns)
        under_way = (next_one > 0) & (t <= over[np.maximum(next_one - 1, 0)])
    else:
        settle_ns, onset, under_way = 0, np.zeros(len(t), np.int64), np.zeros(len(t), np.bool_)
    known = t + chosen.horizon_ns + settle_ns
    holes = tape.marks["at_ns"][tape.marks["kind"] == HOLE]
    whole = np.searchsorted(holes, t, side="right") == np.searchsorted(holes, known, side="right")
    keep = ~under_way & (known <= tape.last_ns) & whole
    return CascadeTable(
        t[keep], known[keep], onset[keep], tape.features[keep], chosen.horizon_ns, (found.source,)
    )


def stack(tables: Sequence[CascadeTable]) -> CascadeTable:
    """Put the samples of several tapes together, in order of time.

    Raises
    ------
    DataError
        For no tables, or horizons that differ.

    """
    if not tables or len({table.horizon_ns for table in tables}) != 1:
        raise DataError("cascade: expected tables of one horizon, was none or several")
    order = np.argsort(np.concatenate([table.made_at_ns for table in tables]), kind="stable")

    def joined(name: str) -> NDArray[np.generic]:
        return np.ascontiguousarray(np.concatenate([getattr(table, name) for table in tables])[order])

    sources = tuple(sorted({source for table in tables for source in table.sources}))
    return CascadeTable(
        joined("made_at_ns").astype(np.int64),
        joined("known_ns").astype(np.int64),
        joined("onset_ns").astype(np.int64),
        joined("features").astype(np.float64),
        tables[0].horizon_ns,
        sources,
    )
