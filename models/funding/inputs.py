"""Everything a funding forecast may look at, for one symbol, as time-stamped arrays.

Here belongs the container and the one operation that makes causality easy to see: `as_of`. What is computed from the
arrays belongs to `models.funding.structural` and `models.funding.features`; where they come from, to the shells.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOUR_NS = 3_600_000_000_000
MINUTE_NS = 60_000_000_000

SOURCE_PREMIUM_INDEX = 0
SOURCE_PERP_SPOT = 1


def _ints() -> Ints:
    return np.empty(0, dtype=np.int64)


def _floats() -> Floats:
    return np.empty(0, dtype=np.float64)


@dataclass(frozen=True)
class FundingInputs:
    """Funding settlements, premium bars and slow series of one symbol.

    Every group of arrays is sorted by the time in its first column and of equal length within the group; times are int64
    ns UTC, rates and premiums fractions. Empty arrays mean the venue has no such history: features of them are NaN.

    Attributes
    ----------
    symbol : str
    settlement_ts, rate : shape (n,)
        Settlement instants and the rates paid then; known from the settlement on.
    premium_available_at, premium_ts, premium_bar_s, premium, premium_source : shape (m,)
        End of the bar (when it became known), its open, its length in seconds (60 or 300), the bar's premium, and where it
        comes from: `SOURCE_PREMIUM_INDEX` or `SOURCE_PERP_SPOT`.
    oi_available_at, open_interest : shape (k,)
        Open interest in base coin.
    ratio_available_at, long_ratio : shape (l,)
        Share of accounts that are long, 0 to 1.
    cross_available_at, cross_rate_per_hour : shape (c,)
        Funding of the same coin on the other venue, per hour, known from its settlement on.
    caps_available_at, cap_lower, cap_upper : shape (q,)
        The symbol's caps with the time they were seen.

    """

    symbol: str
    settlement_ts: Ints = field(default_factory=_ints)
    rate: Floats = field(default_factory=_floats)
    premium_available_at: Ints = field(default_factory=_ints)
    premium_ts: Ints = field(default_factory=_ints)
    premium_bar_s: Ints = field(default_factory=_ints)
    premium: Floats = field(default_factory=_floats)
    premium_source: Ints = field(default_factory=_ints)
    oi_available_at: Ints = field(default_factory=_ints)
    open_interest: Floats = field(default_factory=_floats)
    ratio_available_at: Ints = field(default_factory=_ints)
    long_ratio: Floats = field(default_factory=_floats)
    cross_available_at: Ints = field(default_factory=_ints)
    cross_rate_per_hour: Floats = field(default_factory=_floats)
    caps_available_at: Ints = field(default_factory=_ints)
    cap_lower: Floats = field(default_factory=_floats)
    cap_upper: Floats = field(default_factory=_floats)

    def as_of(self, at_ns: int) -> FundingInputs:
        """Return what was known at `at_ns`: every row whose time of knowledge is not later.

        Parameters
        ----------
        at_ns : int
            Instant, ns UTC.

        Returns
        -------
        FundingInputs
            Views of the same arrays, cut.

        """
        cut: dict[str, object] = {"symbol": self.symbol}
        for clock, columns in _GROUPS.items():
            end = int(np.searchsorted(getattr(self, clock), at_ns, side="right"))
            for column in columns:
                cut[column] = getattr(self, column)[:end]
        return FundingInputs(**cut)  # type: ignore[arg-type]


_GROUPS: dict[str, tuple[str, ...]] = {
    "settlement_ts": ("settlement_ts", "rate"),
    "premium_available_at": (
        "premium_available_at",
        "premium_ts",
        "premium_bar_s",
        "premium",
        "premium_source",
    ),
    "oi_available_at": ("oi_available_at", "open_interest"),
    "ratio_available_at": ("ratio_available_at", "long_ratio"),
    "cross_available_at": ("cross_available_at", "cross_rate_per_hour"),
    "caps_available_at": ("caps_available_at", "cap_lower", "cap_upper"),
}

assert {c for g in _GROUPS.values() for c in g} == {f.name for f in fields(FundingInputs)} - {"symbol"}  # noqa: S101


def intervals_h(settlement_ts: Ints) -> Floats:
    """Length in hours of the interval that ended at each settlement.

    Derived from consecutive settlements because venues change it at will. A distance that is not 1, 2, 4 or 8 hours (a hole
    in the history, or the first row) gives NaN.

    Parameters
    ----------
    settlement_ts : ndarray of int64, shape (n,)
        Settlement instants, ns UTC, ascending.

    Returns
    -------
    ndarray of float64, shape (n,)

    """
    hours = np.full(len(settlement_ts), np.nan)
    if len(settlement_ts) > 1:
        distance = np.round(np.diff(settlement_ts) / HOUR_NS, 2)
        hours[1:] = np.where(np.isin(distance, (1.0, 2.0, 4.0, 8.0)), distance, np.nan)
    return hours
