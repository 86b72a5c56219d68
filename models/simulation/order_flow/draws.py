"""Compiled random draws from one word of state: the bits depend on the seed only, not on versions of a library.

SplitMix64 (Steele, Lea & Flood 2014): a counter passed through a mixer. Here belong draws only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30 = np.uint64(30)
_S27 = np.uint64(27)
_S31 = np.uint64(31)
_S11 = np.uint64(11)
_FAR_NS = 1 << 62
_UNIT = 1.0 / 9007199254740992.0


@njit(cache=True)
def uniform(state: Any) -> float:
    """Draw from (0, 1], advancing `state.random`."""
    state.random += _STEP
    z = state.random
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    z = z ^ (z >> _S31)
    return (np.float64(z >> _S11) + 1.0) * _UNIT


@njit(cache=True)
def exponential(state: Any, mean: float) -> float:
    """Draw a waiting time with this mean."""
    return float(-mean * np.log(uniform(state)))


@njit(cache=True)
def normal(state: Any) -> float:
    """Draw a standard normal by Box–Muller; the second of the pair is not kept, so the state stays one word."""
    radius = np.sqrt(-2.0 * np.log(uniform(state)))
    return float(radius * np.cos(2.0 * np.pi * uniform(state)))


@njit(cache=True)
def waiting_ns(state: Any, rate: float) -> int:
    """Nanoseconds to the next happening of a Poisson process of `rate` per second; far in the future at rate 0."""
    if rate <= 0.0:
        return _FAR_NS
    return int(exponential(state, 1e9 / rate)) + 1
