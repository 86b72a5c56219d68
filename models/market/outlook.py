"""`OUTLOOK`: one record per symbol with what a strategy may know beyond its own market's tape: forecasts and other markets.

Forecasts, funding terms, the spot market, the partner of a pair, another venue, sentiment: each with the time it was known.
A run is given a table of these records sorted by `at_ns`; at a tick the newest row not later than the tick holds, so a
row must not say more than was known at its `at_ns`. Everything unknown is NaN (or 0 for times), and what is NaN does
not trade. What does not belong here: how the numbers are made.
"""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.errors import DataError
from models.market.features.records import record_dtype

OUTLOOK: Final = record_dtype(
    [
        ("at_ns", np.int64),  # from when on this holds
        # Funding of the symbol itself (M1, D1): rates as fractions of one settlement.
        ("settlement_ns", np.int64),  # the next one; 0 if unknown
        ("interval_h", np.float64),
        ("upper_cap", np.float64),
        ("lower_cap", np.float64),
        ("indicative_rate", np.float64),
        ("current_rate", np.float64),  # settled last
        ("forecast_settlement_ns", np.int64),  # the settlement the forecast is for; 0 without one
        ("forecast_at_ns", np.int64),
        ("predicted_rate", np.float64),
        ("predicted_sd", np.float64),
        ("probability_above", np.float64),  # of a rate above `current_rate`, by the forecast
        ("probability_below", np.float64),
        ("probability_positive", np.float64),
        # M2: a cascade begins within its horizon.
        ("cascade_probability", np.float64),
        # Spot market of the same coin (S14), quote per coin.
        ("spot_bid", np.float64),
        ("spot_ask", np.float64),
        ("spot_at_ns", np.int64),
        # Partner of a pair (S15): log(own) = alpha + beta log(partner) + spread; the spread's mean is in alpha.
        ("pair_bid", np.float64),
        ("pair_ask", np.float64),
        ("pair_at_ns", np.int64),
        ("pair_alpha", np.float64),
        ("pair_beta", np.float64),
        ("pair_sigma", np.float64),  # standard deviation of the spread
        ("pair_half_life_s", np.float64),
        ("pair_pvalue", np.float64),  # of no co-integration
        # The same perpetual on the other venue with the most different funding (S17), rates per hour.
        ("own_rate_per_h", np.float64),
        ("other_rate_per_h", np.float64),
        ("other_bid", np.float64),
        ("other_ask", np.float64),
        ("other_at_ns", np.int64),
        ("other_settlement_ns", np.int64),
        ("other_interval_h", np.float64),
        # Sentiment (D14): Fear & Greed 0 to 100, text score -1 to 1, and when they were seen.
        ("fear_greed", np.float64),
        ("fear_greed_at_ns", np.int64),
        ("text_score", np.float64),
        ("text_score_at_ns", np.int64),
        # Volatility a year, as options or history imply it (S19), fraction.
        ("implied_volatility", np.float64),
    ]
)


def new_outlooks(rows: int) -> NDArray[np.void]:
    """Return outlooks that know nothing: floats NaN, times 0.

    Parameters
    ----------
    rows : int

    Returns
    -------
    array of OUTLOOK, shape (rows,)

    """
    outlooks = np.zeros(rows, dtype=OUTLOOK)
    for name in OUTLOOK.names or ():
        if OUTLOOK[name] == np.float64:
            outlooks[name] = np.nan
    return cast("NDArray[np.void]", outlooks)


def new_outlook() -> np.record:
    """Return one outlook that knows nothing; see `new_outlooks`."""
    return cast(np.record, new_outlooks(1)[0])


def require_outlooks(outlooks: NDArray[np.void]) -> NDArray[np.void]:
    """Return a table of outlooks if it can be used.

    Raises
    ------
    DataError
        When it is no array of OUTLOOK, is empty, or its times decrease.

    """
    if outlooks.dtype != OUTLOOK or outlooks.ndim != 1 or not len(outlooks):
        raise DataError(
            f"outlooks: expected an array of OUTLOOK with at least one row, was {outlooks.dtype} {outlooks.shape}",
            remedy="begin with models.market.outlook.new_outlooks(1), which knows nothing",
        )
    if np.any(np.diff(outlooks["at_ns"]) < 0):
        raise DataError("outlooks: expected at_ns that never decreases, was out of order")
    return outlooks


@njit(cache=True)
def newest(outlooks: Any, row: int, at_ns: int) -> int:
    """Return the row that holds at `at_ns`: the last one not later, looked for from `row` on; `row` if none is."""
    while row + 1 < len(outlooks) and outlooks[row + 1].at_ns <= at_ns:
        row += 1
    return row
