"""How long a request or report is under way: a pure function of seed and number, so that replay and live agree.

Here belong draws of latency only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.simulation.fills.parameters import CONSTANT, UNIFORM

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30 = np.uint64(30)
_S27 = np.uint64(27)
_S31 = np.uint64(31)
_S11 = np.uint64(11)


@njit(cache=True)
def _unit(seed: int, number: int, which: int) -> float:
    z = (
        np.uint64(seed) * _MIX_2
        + (np.uint64(number) * np.uint64(4) + np.uint64(which) + np.uint64(1)) * _STEP
    )
    z = (z ^ (z >> _S30)) * _MIX_1
    z = (z ^ (z >> _S27)) * _MIX_2
    z = z ^ (z >> _S31)
    return (np.float64(z >> _S11) + 1.0) / 9007199254740992.0


@njit(cache=True)
def _draw_ns(p: Any, number: int, way: int, low: float, median: float, high: float) -> int:
    if p.latency_model == CONSTANT:
        return int(median * 1e6)
    u = _unit(p.seed, number, 2 * way)
    if p.latency_model == UNIFORM:
        return int((low + (high - low) * u) * 1e6)
    normal = np.sqrt(-2.0 * np.log(u)) * np.cos(2.0 * np.pi * _unit(p.seed, number, 2 * way + 1))
    return int(min(max(median * np.exp(p.latency_sigma * normal), low), high) * 1e6)


@njit(cache=True)
def entry_latency_ns(p: Any, number: int) -> int:
    """Latency of the request with this number, from us to the venue."""
    return _draw_ns(p, number, 0, p.entry_min_ms, p.entry_median_ms, p.entry_max_ms)


@njit(cache=True)
def response_latency_ns(p: Any, number: int) -> int:
    """Latency of the report with this number, from the venue to us."""
    return _draw_ns(p, number, 1, p.response_min_ms, p.response_median_ms, p.response_max_ms)
