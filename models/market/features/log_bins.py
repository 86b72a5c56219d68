"""Logarithmic bins: a number to a small integer and back, with a bounded relative error.

The bin of x is read from the bits of its float: the exponent and the first `SUB_BITS` bits of the fraction. So a bin
spans at most 1/64 of its lower edge, and its middle is within `RELATIVE_ERROR` = 1/128 of everything in it. Both signs
have 32 octaves (a factor of 4.3e9) above `unit`; what is smaller in size shares the bin of zero, what is larger the
last one.

What does not belong here: counting what falls into the bins.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

SUB_BITS: Final = 6
OCTAVES: Final = 32
HALF: Final = OCTAVES << SUB_BITS
"""Bins of one sign."""
BINS: Final = 2 * HALF + 1
ZERO: Final = HALF
"""Bin of zero."""
RELATIVE_ERROR: Final = 0.5 / (1 << SUB_BITS)
"""Largest |middle − x| / |x| within the 32 octaves."""

_SHIFT: Final = 52 - SUB_BITS
_MIDDLES: Final = np.array(
    [
        2.0 ** (i >> SUB_BITS) * (1.0 + ((i & ((1 << SUB_BITS) - 1)) + 0.5) / (1 << SUB_BITS))
        for i in range(HALF)
    ]
)


@njit(cache=True)
def bin_of(x: float, unit: float) -> int:
    """Return the bin of a finite number, 0 to `BINS` - 1, rising with the number."""
    bits = np.float64(abs(x) / unit).view(np.int64)
    index = int(bits >> _SHIFT) - (1023 << SUB_BITS)
    if index < 0:
        return ZERO
    index = min(index, HALF - 1)
    return ZERO + 1 + index if x > 0.0 else ZERO - 1 - index


@njit(cache=True)
def middle_of(index: int, unit: float) -> float:
    """Return the middle of a bin, 0.0 for the bin of zero."""
    if index > ZERO:
        return float(unit * _MIDDLES[index - ZERO - 1])
    if index < ZERO:
        return float(-unit * _MIDDLES[ZERO - 1 - index])
    return 0.0
