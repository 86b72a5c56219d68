"""Event study: what the price did after each event, after costs, by group.

Here belong markouts and their figures: mean, median and 5th percentile with intervals, and the verdict. Which events are
looked at, and with which parameters, is the business of the single studies.

Means have 10 contiguous blocks with Student's t; medians and 5th percentiles have the stationary bootstrap, whose intervals
are slightly too narrow. The verdict rests on means, adjusted for the number of horizons tried (Benjamini–Hochberg).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.evidence.as_of import as_of
from models.evidence.bootstrap import RESAMPLES, quantile_intervals
from models.evidence.intervals import BlockMean, Interval, block_mean, mean_overlap
from models.evidence.multiple_testing import benjamini_hochberg
from models.evidence.verdict import FAILED, NOT_ENOUGH_DATA, PASSED

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HORIZONS_S: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 30.0, 120.0)
EVERYTHING = "ALL"
LEVEL = 0.05
SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Markout:
    """What one group of events earned at one horizon, after costs, in basis points.

    Attributes
    ----------
    group : str
        ``ALL`` is every event.
    horizon_s : float
    events : int
        Of the group.
    measured : int
        Events whose price was known both at the event and at the horizon.
    mean_bps : BlockMean or None
    median_bps, fifth_percentile_bps : Interval or None
        None, as for the mean, says "not enough data".
    p_value, q_value : float
        One-sided, of "the mean is not positive"; adjusted over the horizons of the group. NaN without a mean.

    """

    group: str
    horizon_s: float
    events: int
    measured: int
    mean_bps: BlockMean | None
    median_bps: Interval | None
    fifth_percentile_bps: Interval | None
    p_value: float
    q_value: float


@dataclass(frozen=True)
class EventStudy:
    """Outcome of an event study.

    Attributes
    ----------
    markouts : tuple of Markout
        ``ALL`` first, then the groups by name; horizons ascending within each.
    horizon_s : float
        The horizon that passed with the smallest p-value; NaN where none did.
    verdict : str
        ``passed`` where at some horizon the mean of all events is positive after costs (adjusted p ≤ 0.05), so is their
        median, and so is the mean of every group that has enough data; ``not enough data`` where no horizon has a mean.

    """

    markouts: tuple[Markout, ...]
    horizon_s: float
    verdict: str

    def at(self, horizon_s: float, group: str = EVERYTHING) -> Markout:
        """Markout of one group at one horizon."""
        for markout in self.markouts:
            if markout.group == group and markout.horizon_s == horizon_s:
                return markout
        raise DataError(f"expected a group and horizon of the study, was {group!r} and {horizon_s}")


def markouts_bps(
    event_ns: Ints,
    side: NDArray[np.int8],
    quote_ns: Ints,
    mid: Floats,
    horizons_s: Sequence[float] = HORIZONS_S,
    *,
    entry_delay_s: float = 0.0,
) -> Floats:
    """Signed move of the mid after each event, before costs.

    Parameters
    ----------
    event_ns : ndarray of int64, shape (n,)
        When the event was known.
    side : ndarray of int8, shape (n,)
        +1 where one would buy, −1 where one would sell.
    quote_ns, mid : ndarray, shape (m,)
        Mids in force from each receive time on; NaN marks gaps.
    horizons_s : sequence of float
        Counted from the event.
    entry_delay_s : float
        The move is counted from the mid in force this long after the event.

    Returns
    -------
    ndarray of float64, shape (n, len(horizons_s))
        side·(mid(t+h)/mid(t+delay) − 1)·10 000; NaN where either mid is not known.

    """
    events, sides = np.asarray(event_ns, dtype=np.int64), np.asarray(side, dtype=np.float64)
    if events.ndim != 1 or events.shape != sides.shape or not (np.abs(sides) == 1.0).all():
        raise DataError("expected one side of +1 or −1 per event", remedy="leave out events without a side")
    before = as_of(quote_ns, mid, events + round(entry_delay_s * SECOND_NS))
    out = np.empty((len(events), len(horizons_s)))
    for column, horizon in enumerate(horizons_s):
        after = as_of(quote_ns, mid, events + round(horizon * SECOND_NS))
        out[:, column] = sides * (after / before - 1.0) * 1e4
    return out


def event_study(
    event_ns: Ints,
    gross_bps: Floats,
    *,
    cost_bps: float | Floats,
    seed: int,
    horizons_s: Sequence[float] = HORIZONS_S,
    groups: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
) -> EventStudy:
    """Judge markouts.

    Parameters
    ----------
    event_ns : ndarray of int64, shape (n,)
        Ascending.
    gross_bps : ndarray of float64, shape (n, len(horizons_s))
        From `markouts_bps`.
    cost_bps : float or ndarray of float64, shape (n,)
        Of entering and leaving: fees both ways, half spreads paid, slippage.
    seed : int
        Of the bootstrap.
    horizons_s : sequence of float
        Ascending.
    groups : sequence of str, optional
        Each event's group, for example its funding regime.
    resamples : int

    Returns
    -------
    EventStudy

    """
    events, gross = np.asarray(event_ns, dtype=np.int64), np.asarray(gross_bps, dtype=np.float64)
    if gross.shape != (len(events), len(horizons_s)):
        raise DataError(f"expected {len(events)} × {len(horizons_s)} markouts, was {gross.shape}")
    if not np.isfinite(cost_bps).all():
        raise DataError("costs should be finite", remedy="leave out events whose costs are not known")
    net = gross - np.asarray(cost_bps, dtype=np.float64).reshape(-1, 1)
    labels = np.asarray(groups if groups is not None else [], dtype=np.str_)
    if groups is not None and len(labels) != len(events):
        raise DataError(f"expected one group per event, was {len(labels)} groups and {len(events)} events")
    found = _group(EVERYTHING, events, net, horizons_s, seed, resamples)
    pooled = len(found)
    for name in np.unique(labels):
        own = labels == name
        found += _group(str(name), events[own], net[own], horizons_s, seed, resamples)
    passing = [
        m for m in found[:pooled] if _passes(m, [o for o in found[pooled:] if o.horizon_s == m.horizon_s])
    ]
    best = min(passing, key=lambda m: m.p_value, default=None)
    if best is not None:
        return EventStudy(tuple(found), best.horizon_s, PASSED)
    known = any(m.mean_bps is not None and m.median_bps is not None for m in found[:pooled])
    return EventStudy(tuple(found), math.nan, FAILED if known else NOT_ENOUGH_DATA)


def _passes(all_events: Markout, by_group: list[Markout]) -> bool:
    mean, median = all_events.mean_bps, all_events.median_bps
    if mean is None or median is None or not all_events.q_value <= LEVEL:
        return False
    return median.estimate > 0.0 and all(
        own.mean_bps.estimate > 0.0 for own in by_group if own.mean_bps is not None
    )


def _group(
    name: str, events: Ints, net: Floats, horizons_s: Sequence[float], seed: int, resamples: int
) -> list[Markout]:
    rows = [_figures(events, net[:, i], horizon, seed, resamples) for i, horizon in enumerate(horizons_s)]
    p = np.array([mean.p_not_above() if mean is not None else math.nan for _, mean, _, _ in rows])
    q = np.full(len(p), math.nan)
    q[~np.isnan(p)] = benjamini_hochberg(p[~np.isnan(p)])
    return [
        Markout(name, float(horizon), len(events), *row, p_value=float(p[i]), q_value=float(q[i]))
        for i, (horizon, row) in enumerate(zip(horizons_s, rows, strict=True))
    ]


def _figures(
    events: Ints, net: Floats, horizon_s: float, seed: int, resamples: int
) -> tuple[int, BlockMean | None, Interval | None, Interval | None]:
    known = np.isfinite(net)
    values, times = net[known], events[known]
    horizon_ns = round(horizon_s * SECOND_NS)
    mean = block_mean(values, times, horizon_ns)
    median, fifth = quantile_intervals(
        values, (0.5, 0.05), mean_overlap(times, horizon_ns), seed=seed, resamples=resamples
    )
    return len(values), mean, median, fifth
