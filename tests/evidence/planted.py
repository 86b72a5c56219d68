"""Markets with a known truth for the studies: what is planted is what they should find. No tests here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np

SECOND = 10**9


class HasVerdict(Protocol):
    @property
    def verdict(self) -> str: ...


def verdicts(study: Callable[[int], HasVerdict], seeds: Iterable[int]) -> dict[str, float]:
    """Share of each verdict over seeds."""
    found = Counter(study(seed).verdict for seed in seeds)
    total = sum(found.values())
    return {verdict: found.get(verdict, 0) / total for verdict in ("passed", "failed", "not enough data")}


def heavy(rng: np.random.Generator, n: int) -> np.ndarray:
    """Student-t4 noise of standard deviation one: prices have fat tails."""
    return rng.standard_t(4, n) / np.sqrt(2.0)


def quotes(moves_bps: np.ndarray, step_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """Times and mids of a path: the first move is in force at time 0."""
    return np.arange(len(moves_bps), dtype=np.int64) * step_ns, 100.0 * np.exp(np.cumsum(moves_bps) * 1e-4)
