"""Mood: how the crowd feels, as the pipelines make it out for the executor: one small, checked JSON document.

Here belong the document, its ranges, and writing and reading it; what is out of range is refused, never clipped. How the numbers
are made belongs to the pipelines, what is traded on them to `models.strategies.sentiment`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from models.errors import BundleError

KIND: Final = "sentiment"
FILE: Final = "sentiment.json"
SCHEMA: Final = 1
VALID_NS: Final = 36 * 3_600_000_000_000
"""How long a mood may be used after it was made: an index a day old, and half a day for who makes it."""


@dataclass(frozen=True)
class Reading:
    """A number and when it could first be known, ns UTC."""

    value: float
    at_ns: int


@dataclass(frozen=True)
class Mood:
    """How the crowd felt at `made_at_ns`.

    Attributes
    ----------
    made_at_ns : int
        ns UTC, market time.
    fear_greed : Reading or None
        0 (fear) to 100 (greed).
    texts : mapping of str to Reading
        How people write about a symbol's coin, -1 to 1.

    """

    made_at_ns: int
    fear_greed: Reading | None = None
    texts: Mapping[str, Reading] = field(default_factory=dict)

    @property
    def expires_ns(self) -> int:
        """When it must not be used any more, ns UTC."""
        return self.made_at_ns + VALID_NS

    def says_as(self, other: Mood) -> bool:
        """Whether another mood says the same, whenever it was made."""
        return (self.fear_greed, dict(self.texts)) == (other.fear_greed, dict(other.texts))


def to_text(mood: Mood) -> str:
    """Write a mood as JSON.

    Raises
    ------
    BundleError
        If a number is out of range: such a mood could not be read again.

    """
    check(mood)
    body = {
        "schema": SCHEMA,
        "made_at_ns": mood.made_at_ns,
        "fear_greed": None if mood.fear_greed is None else _body(mood.fear_greed),
        "texts": {symbol: _body(reading) for symbol, reading in mood.texts.items()},
    }
    return json.dumps(body, indent=1, sort_keys=True, allow_nan=False) + "\n"


def from_text(text: str) -> Mood:
    """Read a mood.

    Raises
    ------
    BundleError
        If it is not JSON of this schema, or a number is out of range.

    """
    try:
        body = json.loads(text)
    except ValueError as error:
        raise _refused(f"should be JSON: {error}") from error
    if not isinstance(body, dict) or body.get("schema") != SCHEMA:
        found = body.get("schema") if isinstance(body, dict) else type(body).__name__
        raise _refused(f"schema should be {SCHEMA}, was {found}")
    try:
        told = body["fear_greed"]
        texts = {str(symbol): _reading(row) for symbol, row in body["texts"].items()}
        mood = Mood(int(body["made_at_ns"]), None if told is None else _reading(told), texts)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _refused(f"should have the fields of schema {SCHEMA}: {error}") from error
    check(mood)
    return mood


def check(mood: Mood) -> None:
    """Refuse a mood with a number out of range, or one that knows what came later.

    Raises
    ------
    BundleError
        Naming the number, its range and what was found.

    """
    if mood.fear_greed is not None:
        _in_range("fear_greed", mood.fear_greed, 0.0, 100.0, mood.made_at_ns)
    for symbol, reading in mood.texts.items():
        _in_range(f"texts of {symbol}", reading, -1.0, 1.0, mood.made_at_ns)


def _in_range(name: str, reading: Reading, low: float, high: float, made_at_ns: int) -> None:
    if not (math.isfinite(reading.value) and low <= reading.value <= high):
        raise _refused(f"{name} should be from {low:g} to {high:g}, was {reading.value:g}")
    if not 0 < reading.at_ns <= made_at_ns:
        raise _refused(f"{name} should have been known by {made_at_ns}, was at {reading.at_ns}")


def _body(reading: Reading) -> dict[str, float | int]:
    return {"value": reading.value, "at_ns": reading.at_ns}


def _reading(row: Any) -> Reading:
    return Reading(float(row["value"]), int(row["at_ns"]))


def _refused(words: str) -> BundleError:
    remedy = "make it again, or set the alias champion to another version"
    return BundleError(f"sentiment: {words}", remedy=remedy)
