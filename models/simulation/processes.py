"""Seeded random processes on a regular grid, each a few vectorised passes.

Here belong processes that know nothing of markets. Every process draws from its own stream and is causal, so a longer
series begins with exactly the shorter one: the future of a simulated market never alters its past.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLOCK = 512
FALLING = 0.35  # share of bursts that go down


def stream(seed: int, *names: str) -> np.random.Generator:
    """Random stream that depends on the seed and the names only.

    Parameters
    ----------
    seed : int
        Seed of the whole simulation, not negative.
    *names : str
        What the stream is for, for example ``"BTCUSDT", "premium"``.

    """
    words = [seed & 0xFFFFFFFF, seed >> 32, *(zlib.crc32(name.encode()) for name in names)]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


def decay(half_life: float) -> float:
    """Factor per step of an exponential decay with the given half-life in steps."""
    return float(np.exp(-np.log(2.0) / half_life))


def discounted_sum(shocks: Floats, half_life: float) -> Floats:
    """Return running sum of shocks that fade: ``x_t = φ x_{t−1} + shock_t``.

    Parameters
    ----------
    shocks : ndarray of float64, shape (n,)
    half_life : float
        Steps after which a shock has faded to one half.

    """
    # A recursive filter in blocks: inside a block by one cumulative sum of shocks scaled back to its start, from block to
    # block by hand. Like scipy.signal.lfilter, whose import alone takes longer than generating a year.
    factor = decay(half_life)
    length = int(max(1, min(BLOCK, 30 * half_life)))  # the scale stays within 2**30
    n = len(shocks)
    padded = np.zeros(-(-n // length) * length)
    padded[:n] = shocks
    scale = factor ** np.arange(length)
    inside = np.cumsum(padded.reshape(-1, length) / scale, axis=1) * scale
    carried = np.empty(len(inside))
    level = 0.0
    whole = factor**length
    for k, end in enumerate(inside[:, -1].tolist()):
        carried[k] = level
        level = end + whole * level
    return np.asarray((inside + carried[:, None] * (scale * factor)).ravel()[:n])


def ornstein_uhlenbeck(shocks: Floats, half_life: float, std: float) -> Floats:
    """Mean-reverting process around zero with a given stationary deviation, started at zero.

    Parameters
    ----------
    shocks : ndarray of float64, shape (n,)
        Standard normal or otherwise unit-variance shocks.
    half_life : float
        Steps for a deviation to halve.
    std : float
        Stationary standard deviation.

    """
    factor = decay(half_life)
    return discounted_sum(shocks * (std * np.sqrt(1.0 - factor * factor)), half_life)


def regime_levels(rng: np.random.Generator, n: int, mean_length: float, levels: tuple[float, ...]) -> Floats:
    """Piecewise-constant level that jumps between states after exponential times.

    Parameters
    ----------
    rng : numpy.random.Generator
        Used for nothing else, or the prefix property is lost.
    n : int
        Number of steps.
    mean_length : float
        Mean length of a regime in steps.
    levels : tuple of float
        One is drawn for each regime, equally likely.

    """
    pieces: list[Floats] = []
    filled = 0
    while filled < n:
        length = max(1, int(rng.exponential(mean_length)))
        pieces.append(np.full(length, levels[int(rng.integers(len(levels)))]))
        filled += length
    return np.concatenate(pieces)[:n]


def bursts(rng: np.random.Generator, n: int, probability: float, size: float, half_life: float) -> Floats:
    """Sudden excursions of random sign and heavy-tailed size that fade exponentially.

    Parameters
    ----------
    rng : numpy.random.Generator
        Used for nothing else.
    n : int
        Number of steps.
    probability : float
        Chance of a burst in one step.
    size : float
        Median absolute size at the start.
    half_life : float
        Steps for a burst to halve.

    """
    draws = rng.random((n, 2))
    shocks = np.zeros(n)
    at = np.flatnonzero(draws[:, 0] < probability)
    # The size comes from the same row as the arrival: what is drawn for one burst does not depend on how many follow.
    tail = draws[at, 1]
    sign = np.where(tail < FALLING, -1.0, 1.0)
    rank = np.where(tail < FALLING, tail / FALLING, (tail - FALLING) / (1.0 - FALLING))
    # Pareto with index 3 scaled to the wanted median.
    shocks[at] = sign * size * (np.clip(1.0 - rank, 1e-6, 1.0) / 0.5) ** (-1.0 / 3.0)
    return discounted_sum(shocks, half_life)
