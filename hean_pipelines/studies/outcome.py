"""What a study says of one market: verdict, figures, counts, and whether they agree with each other.

Here belongs the form all studies share, and its JSON. What does not belong here: computing and drawing.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from models.evidence.verdict import NOT_ENOUGH_DATA, PASSED

if TYPE_CHECKING:
    from models.evidence.intervals import Interval

NOT_KNOWN = math.nan


@dataclass(frozen=True)
class Market:
    """What a study was computed on.

    Attributes
    ----------
    kind : str
        ``synthetic`` or ``recorded``.
    name : str
        In words: which planted market with which seed, or which symbol of which recording.
    symbol : str
    seed : int or None
        Of a synthetic market.
    files : tuple of str
        Of a recording.
    hours : float
        Length of the tape.
    notes : tuple of str
        What is wrong with the tape, or was assumed of it, in words.

    """

    kind: str
    name: str
    symbol: str
    seed: int | None
    files: tuple[str, ...]
    hours: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A number with its 95 % interval; NaN is "not known".

    Attributes
    ----------
    name, unit : str
    estimate, low, high : float
    n : int
        Observations.
    effective_n : float
        Independent observations that would be as sure; NaN where the interval is not made of blocks.
    threshold : float
        What the estimate is held against; NaN where it decides nothing.

    """

    name: str
    unit: str
    estimate: float
    low: float
    high: float
    n: int
    effective_n: float
    threshold: float = NOT_KNOWN

    @property
    def is_known(self) -> bool:
        """Whether there is an estimate."""
        return math.isfinite(self.estimate)


@dataclass(frozen=True)
class Balance:
    """A sum that has to come out: the parts of a sample, counted apart, make up the whole."""

    what: str
    whole: int
    parts: tuple[int, ...]

    @property
    def holds(self) -> bool:
        """Whether it does."""
        return self.whole == sum(self.parts)


@dataclass(frozen=True)
class Outcome:
    """What a study says of one market.

    Attributes
    ----------
    study : str
        ``E2`` and so on.
    market : Market
    verdict : str
        A word of `models.evidence.verdict`.
    reason : str
        Why in one sentence, with the numbers that decided or the counts that are missing.
    figures : tuple of Figure
        The first is the one that speaks for the study.
    counts : dict of str to int
        Of the tape and the sample.
    balances : tuple of Balance
    details : dict
        What the picture shows, as JSON.

    """

    study: str
    market: Market
    verdict: str
    reason: str
    figures: tuple[Figure, ...]
    counts: dict[str, int]
    balances: tuple[Balance, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether the study passed on this market."""
        return self.verdict == PASSED

    def unknown_ingredients(self) -> list[str]:
        """Names of deciding figures that are not finite although the verdict rests on them."""
        if self.verdict == NOT_ENOUGH_DATA:
            return []
        deciding = [f for f in self.figures if math.isfinite(f.threshold)]
        return [f.name for f in deciding if not all(map(math.isfinite, (f.estimate, f.low, f.high)))]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON: an unknown number is null."""
        row: dict[str, Any] = without_nan(asdict(self))
        return row


def figure_of(
    name: str, unit: str, interval: Interval | None, *, threshold: float = NOT_KNOWN, factor: float = 1.0
) -> Figure:
    """Make a figure of an interval, in units of 1/factor; None is "not known".

    Examples
    --------
    >>> figure_of("reversion", "bps", None).is_known
    False

    """
    if interval is None:
        return Figure(name, unit, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, 0, NOT_KNOWN, threshold)
    ends = (factor * value for value in (interval.estimate, interval.low, interval.high))
    return Figure(name, unit, *ends, interval.n, interval.effective_n, threshold)


def without_nan(value: Any) -> Any:
    """Replace every number that is not finite by None: JSON has none of them."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
