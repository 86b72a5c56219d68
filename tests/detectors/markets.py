"""Markets the detectors are tested on: hours of named scenarios, seeds no threshold was looked at with."""

from __future__ import annotations

import functools

import numpy as np

from models.simulation.order_flow.observed import Observed, observe
from models.simulation.order_flow.scenarios import SCENARIOS

SECOND = 1_000_000_000
SEEDS = (301, 302)
HOURS = 4.0
WARM_UP_NS = 1800 * SECOND


@functools.cache
def seen(name: str, seed: int, hidden: tuple[int, ...] = ()) -> Observed:
    """One market of a scenario."""
    return observe(SCENARIOS[name](), seed, HOURS * 3600.0, leave_out=hidden)


def warm(o: Observed) -> np.ndarray:
    """Ticks at which every feature has its history."""
    return o.times > o.times[0] + WARM_UP_NS


def episodes(o: Observed, *causes: int) -> np.ndarray:
    """Episodes that began when the features were warm."""
    own = np.isin(o.episodes["cause"], causes)
    return o.episodes[own & (o.episodes["start_ns"] > o.times[0] + WARM_UP_NS)]
