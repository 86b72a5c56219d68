"""Size and power of a study: how often it passes where nothing was planted, and where the truth was, over many seeds.

Here belongs counting, with Wilson's interval of a share (Wilson 1927, JASA 22). The markets are `planted`'s.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from hean_pipelines.studies.catalogue import Study
from hean_pipelines.studies.outcome import Outcome
from hean_pipelines.studies.planted import NULL, TRUTH
from models.evidence.verdict import FAILED, NOT_ENOUGH_DATA, PASSED

_Z = 1.959963984540054
OnSeed = Callable[[str, int], None]
"""Told which market and seed was done."""


@dataclass(frozen=True)
class Share:
    """How often a study passed on one planted market.

    Attributes
    ----------
    study, market : str
        Market is ``truth`` or ``null``.
    words : str
        What is planted.
    hours : float
    seeds : int
    passed, failed, not_enough : int
    low, high : float
        Wilson's 95 % interval of the share of passes.
    thresholds_alone : int or None
        Seeds in which the specified thresholds would have passed by themselves; None where the study has nothing beside them.

    """

    study: str
    market: str
    words: str
    hours: float
    seeds: int
    passed: int
    failed: int
    not_enough: int
    low: float
    high: float
    thresholds_alone: int | None


def wilson(passed: int, seeds: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share.

    Examples
    --------
    >>> low, high = wilson(0, 40)
    >>> round(low, 3), round(high, 3)
    (0.0, 0.088)

    """
    if not seeds:
        return 0.0, 1.0
    share, extra = passed / seeds, _Z**2 / seeds
    centre = (share + extra / 2.0) / (1.0 + extra)
    half = _Z * math.sqrt(share * (1.0 - share) / seeds + extra / (4.0 * seeds)) / (1.0 + extra)
    return max(0.0, centre - half), min(1.0, centre + half)


def size_and_power(study: Study, seeds: int, hours: float, on_seed: OnSeed | None = None) -> list[Share]:
    """Run a study on its null and on its truth with seeds 1 to `seeds`.

    Returns
    -------
    list of Share
        Null first: its share of passes is the size, that of the truth the power.

    """
    shares = []
    for which in (NULL, TRUTH):
        outcomes = []
        for seed in range(1, seeds + 1):
            outcomes.append(study.run(study.planted(which, seed, hours), None))
            if on_seed is not None:
                on_seed(which, seed)
        shares.append(_share(study, which, hours, outcomes))
    return shares


def _share(study: Study, which: str, hours: float, outcomes: list[Outcome]) -> Share:
    found = Counter(outcome.verdict for outcome in outcomes)
    low, high = wilson(found[PASSED], len(outcomes))
    alone = [
        o.details["specified_thresholds_pass"] for o in outcomes if "specified_thresholds_pass" in o.details
    ]
    return Share(
        study.name,
        which,
        study.words(which),
        hours,
        len(outcomes),
        found[PASSED],
        found[FAILED],
        found[NOT_ENOUGH_DATA],
        low,
        high,
        sum(alone) if alone else None,
    )
