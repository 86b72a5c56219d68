"""Feature rows of many settlements as one table of arrays, for training and evaluation.

Here belongs stacking rows; what a row holds is decided in `models.funding.features`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.funding.features import FEATURE_NAMES, FeatureRow, FundingContext
from models.funding.inputs import MINUTE_NS, FundingInputs, intervals_h

HORIZONS_MIN: tuple[int, ...] = (90, 60, 30)


@dataclass(frozen=True)
class FeatureTable:
    """Rows sorted by (made_at_ns, symbol, horizon); all arrays of length n.

    Attributes
    ----------
    symbol : ndarray of str
    settlement_ns, made_at_ns : ndarray of int64
    horizon_min : ndarray of int64
    features : ndarray of float64, shape (n, len(FEATURE_NAMES))
    cap_lower, cap_upper : ndarray of float64
    realised : ndarray of float64
        The rate that was paid, fraction.

    """

    symbol: NDArray[np.str_]
    settlement_ns: NDArray[np.int64]
    made_at_ns: NDArray[np.int64]
    horizon_min: NDArray[np.int64]
    features: NDArray[np.float64]
    cap_lower: NDArray[np.float64]
    cap_upper: NDArray[np.float64]
    realised: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.settlement_ns)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> FeatureTable:
        """Return the selected rows."""
        return FeatureTable(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def build_table(
    many: Iterable[FundingInputs],
    horizons_min: Sequence[int] = HORIZONS_MIN,
    on_symbol: Callable[[str, int], None] | None = None,
) -> FeatureTable:
    """Compute the rows of every past settlement of every symbol.

    Parameters
    ----------
    many : iterable of FundingInputs
        One per symbol.
    horizons_min : sequence of int
        Minutes before settlement.
    on_symbol : callable, optional
        Told the symbol and its number of rows when it is done: for progress.

    Returns
    -------
    FeatureTable
        Settlements without enough premium, or after a hole in the funding history, give no row.

    """
    rows: list[FeatureRow] = []
    realised: list[float] = []
    for inputs in many:
        context = FundingContext(inputs)
        before = len(rows)
        hours = intervals_h(inputs.settlement_ts)
        for position in range(1, len(hours)):
            if np.isnan(hours[position]):
                continue
            settlement = int(inputs.settlement_ts[position])
            for horizon in horizons_min:
                row = context.row(settlement, settlement - horizon * MINUTE_NS, float(hours[position]))
                if row is not None:
                    rows.append(row)
                    realised.append(float(inputs.rate[position]))
        if on_symbol is not None:
            on_symbol(inputs.symbol, len(rows) - before)
    return stack(rows, realised)


def stack(rows: Sequence[FeatureRow], realised: Sequence[float]) -> FeatureTable:
    """Stack rows into a table sorted by (made_at_ns, symbol, horizon)."""
    order = sorted(range(len(rows)), key=lambda i: (rows[i].made_at_ns, rows[i].symbol, rows[i].horizon_min))
    picked = [rows[i] for i in order]
    width = len(FEATURE_NAMES)
    return FeatureTable(
        np.array([r.symbol for r in picked], dtype=np.str_),
        np.array([r.settlement_ns for r in picked], dtype=np.int64),
        np.array([r.made_at_ns for r in picked], dtype=np.int64),
        np.array([r.horizon_min for r in picked], dtype=np.int64),
        np.array([r.values for r in picked], dtype=np.float64).reshape(len(picked), width),
        np.array([r.cap_lower for r in picked], dtype=np.float64),
        np.array([r.cap_upper for r in picked], dtype=np.float64),
        np.array([realised[i] for i in order], dtype=np.float64),
    )
