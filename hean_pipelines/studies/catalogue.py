"""The studies there are: what each asks, its planted markets and how long they are, and the functions that run and draw it.

Here belong the list, E2 to E7 and the first step of each strategy, and the body each leaves behind for report and promotion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from hean_pipelines.studies import cascades, exhaustion, first_step, overfitting, vpin, whales
from hean_pipelines.studies.outcome import Outcome, without_nan
from hean_pipelines.studies.planted import planted_tape, planted_words
from hean_pipelines.studies.questions import QUESTIONS
from hean_pipelines.studies.slow_tapes import slow_tape, slow_words
from hean_pipelines.studies.tapes import OnHours, Tape
from models.errors import ConfigError
from models.portfolio.roster import place_of


class Study(NamedTuple):
    """A study.

    Attributes
    ----------
    name : str
    asset : str
        Name of its asset.
    asks : str
        What is studied, and when it passes.
    hours : float
        Length of the synthetic market it is run on unless told otherwise.
    run : callable
    draw : callable
    planted : callable
        Opens its synthetic market: truth or null, seed, hours.
    words : callable
        What is planted in it: truth or null.
    bars : callable or None
        Opens the bars of a lake as tapes: its root, and the kind of market they are; None where bars cannot answer it.
    reads : tuple of str
        Assets these bars, and what is known beside them, are read from.

    """

    name: str
    asset: str
    asks: str
    hours: float
    run: Callable[[Tape, OnHours | None], Outcome]
    draw: Callable[[Outcome], bytes]
    planted: Callable[[str, int, float], Tape]
    words: Callable[[str], str]
    bars: Callable[[Path, str], list[Tape]] | None = None
    reads: tuple[str, ...] = ()


def _on_tape(name: str, slug: str, asks: str, module: Any) -> Study:
    return Study(
        name,
        f"evidence_tape__{slug}",
        asks,
        module.HOURS,
        module.run,
        module.draw,
        partial(planted_tape, name),
        partial(planted_words, name),
    )


def _first_step(strategy: str) -> Study:
    question = QUESTIONS[strategy]
    return Study(
        f"S{place_of(strategy) + 1}",
        f"evidence_strategy__{strategy}",
        question.asks,
        question.hours,
        partial(first_step.run, strategy),
        first_step.draw,
        partial(slow_tape, strategy),
        partial(slow_words, strategy),
        partial(_bars, strategy) if question.bars else None,
        question.bars,
    )


def _bars(strategy: str, lake_root: Path, kind: str) -> list[Tape]:
    # Here: the definitions, which know every study, are loaded without NumPy.
    from hean_pipelines.studies.bar_tapes import bar_tapes

    return bar_tapes(strategy, lake_root, kind)


_ALL: Final = (
    _on_tape(
        "E2",
        "vpin_study",
        "VPIN against the change of the mid over the next 5 minutes; passes where |correlation| exceeds 0.15",
        vpin,
    ),
    _on_tape(
        "E3",
        "cascade_study",
        "cascades overshoot by more than 0.2 % within 5 minutes and come back by more than 0.1 % ten minutes later, both beyond "
        "what their own volatility does without direction",
        cascades,
    ),
    _on_tape(
        "E5",
        "whale_study",
        "the mid comes back by more than 1 bp within 5 s after whale trades",
        whales,
    ),
    _on_tape(
        "E6",
        "exhaustion_study",
        "fading exhausted forced flow is positive after costs at some horizon, in every funding regime, and for θ ± 2 bps",
        exhaustion,
    ),
    _on_tape(
        "E7",
        "overfitting_study",
        "the best of 16 configurations of S5 and S6 was found, not chosen: deflated Sharpe at least 0.95, probability of "
        "overfitting at most 0.2, and the choice earns out of sample",
        overfitting,
    ),
)
STUDIES: Final[dict[str, Study]] = {study.name: study for study in _ALL}

FIRST_STEPS: Final[dict[str, Study]] = {name: _first_step(name) for name in QUESTIONS}
"""The first step of each strategy, by the strategy's name."""

ELSEWHERE: Final[dict[str, str]] = {
    "E1": "premium 90 minutes before a settlement against the rate: runs with `hean train`",
    "E4": "strategy by regime of realised trades: `models.evidence.regime_claim`, over closed trades",
}


def studies_named(name: str) -> list[Study]:
    """Return the studies of a name, in any case.

    Parameters
    ----------
    name : str
        ``E5``, ``all`` of those, ``strategy:momentum_trader`` or ``strategy:S9`` for a first step, ``strategy:all``.

    Raises
    ------
    ConfigError
        When there is none; says where it is run, or which there are.

    """
    kind, colon, strategy = name.lower().partition(":")
    if colon and kind == "strategy":
        own = [s for key, s in FIRST_STEPS.items() if strategy in ("all", key, s.name.lower())]
        if not own:
            raise ConfigError(
                f"strategy: expected one of {', '.join(FIRST_STEPS)} or all, was {strategy!r}",
                remedy="see --list",
            )
        return own
    key = name.upper()
    if key in ELSEWHERE:
        raise ConfigError(f"study {key} is not run here", remedy=ELSEWHERE[key])
    if key != "ALL" and key not in STUDIES:
        raise ConfigError(
            f"study: expected one of {', '.join(STUDIES)} or all, or strategy:NAME, was {name!r}",
            remedy="see --list",
        )
    return list(STUDIES.values()) if key == "ALL" else [STUDIES[key]]


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
