"""Samples on a grid of time that a strategy keeps for itself: what was a quarter of an hour ago, or that nobody knows.

The sample of a period is the first value seen in it, so nothing looks ahead; a period without one is a hole and reads as NaN,
where bars (`bars.py`) close the gap. Found by its period in one step, however many are kept. What does not belong here: what
the values mean.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from models.market.features.records import record_dtype


def samples_dtype(periods: int) -> np.dtype[np.record]:
    """Return the dtype of the samples of the last `periods` periods, the one under way among them."""
    return record_dtype(
        [
            ("owners", np.int64, (periods,)),  # which period a slot holds; 0 for none
            ("values", np.float64, (periods,)),
        ]
    )


@njit(cache=True)
def add_sample(samples: Any, at_ns: int, every_ns: int, value: float) -> bool:
    """Take a value seen at `at_ns`, and say whether it is the sample of its period.

    Parameters
    ----------
    samples : record of `samples_dtype`
        Changed in place.
    at_ns : int
        Never decreasing.
    every_ns : int
        Length of a period; the same in every call.
    value : float
        NaN is passed over.

    """
    period = at_ns // every_ns
    slot = period % len(samples.owners)
    if math.isnan(value) or samples.owners[slot] == period:
        return False
    samples.owners[slot] = period
    samples.values[slot] = value
    return True


@njit(cache=True)
def sample_at(samples: Any, at_ns: int, every_ns: int) -> float:
    """Return the sample of the period `at_ns` lies in; NaN where there is none or it has been forgotten."""
    period = at_ns // every_ns
    slot = period % len(samples.owners)
    return float(samples.values[slot]) if samples.owners[slot] == period else math.nan


@njit(cache=True)
def log_move(samples: Any, at_ns: int, every_ns: int, back_s: float, value: float) -> float:
    """Return log(value / the sample `back_s` before `at_ns`); NaN where either is unknown."""
    return math.log(value / sample_at(samples, at_ns - int(1e9 * back_s), every_ns))
