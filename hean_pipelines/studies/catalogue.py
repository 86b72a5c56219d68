"""The studies there are: what each asks, how long a synthetic market it needs, and the functions that run and draw it.

Here belongs the list, and the body each leaves behind for report and promotion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from hean_pipelines.studies import cascades, exhaustion, overfitting, vpin, whales
from hean_pipelines.studies.outcome import Outcome, without_nan
from hean_pipelines.studies.tapes import OnHours, Tape


class Study(NamedTuple):
    """A study.

    Attributes
    ----------
    name : str
    slug : str
        Of its asset: ``evidence_tape__<slug>``.
    asks : str
        What is studied, and when it passes.
    hours : float
        Length of the synthetic market it is run on unless told otherwise.
    run : callable
    draw : callable

    """

    name: str
    slug: str
    asks: str
    hours: float
    run: Callable[[Tape, OnHours | None], Outcome]
    draw: Callable[[Outcome], bytes]


_ALL: Final = (
    Study(
        "E2",
        "vpin_study",
        "VPIN against the change of the mid over the next 5 minutes; passes where |correlation| exceeds 0.15",
        vpin.HOURS,
        vpin.run,
        vpin.draw,
    ),
    Study(
        "E3",
        "cascade_study",
        "cascades overshoot by more than 0.2 % within 5 minutes and come back by more than 0.1 % ten minutes later, both beyond "
        "what their own volatility does without direction",
        cascades.HOURS,
        cascades.run,
        cascades.draw,
    ),
    Study(
        "E5",
        "whale_study",
        "the mid comes back by more than 1 bp within 5 s after whale trades",
        whales.HOURS,
        whales.run,
        whales.draw,
    ),
    Study(
        "E6",
        "exhaustion_study",
        "fading exhausted forced flow is positive after costs at some horizon, in every funding regime, and for θ ± 2 bps",
        exhaustion.HOURS,
        exhaustion.run,
        exhaustion.draw,
    ),
    Study(
        "E7",
        "overfitting_study",
        "the best of 16 configurations of S5 and S6 was found, not chosen: deflated Sharpe at least 0.95, probability of "
        "overfitting at most 0.2, and the choice earns out of sample",
        overfitting.HOURS,
        overfitting.run,
        overfitting.draw,
    ),
)
STUDIES: Final[dict[str, Study]] = {study.name: study for study in _ALL}

ELSEWHERE: Final[dict[str, str]] = {
    "E1": "premium 90 minutes before a settlement against the rate: runs with `hean train`",
    "E4": "strategy by regime of realised trades: `models.evidence.regime_claim`, over closed trades",
}


def body_of(study: Study, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return what a study leaves behind, as JSON: the market with most data speaks on top, every market below.

    Parameters
    ----------
    study : Study
    outcomes : sequence of Outcome
        Of every market, all synthetic or all recorded; at least one.

    Returns
    -------
    dict
        ``passed`` is about the market named in ``market``; a reader that lets something trade must ask that its ``kind`` is
        ``recorded``.

    """
    spoken = max(outcomes, key=lambda o: (o.figures[0].n, o.market.hours))
    top = spoken.to_json()
    return {
        "study": study.name,
        "asks": study.asks,
        "passed": spoken.passed,
        "verdict": spoken.verdict,
        "reason": spoken.reason,
        "market": top["market"],
        **{key: without_nan(getattr(spoken.figures[0], key)) for key in ("estimate", "low", "high", "n")},
        "rows": [outcome.to_json() for outcome in outcomes],
    }
