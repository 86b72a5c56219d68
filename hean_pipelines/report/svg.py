"""Drawing by hand into SVG: scales, ticks and a plot with axes. Colours are CSS classes, so the page's themes apply.

Text is escaped here. What does not belong here: what is drawn (`charts`), and which numbers (`sections`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import pairwise

from markupsafe import Markup

from hean_pipelines.report.text import MINUS

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
_TIME_STEPS = [
    *(s * SECOND_NS for s in (1, 2, 5, 10, 15, 30)),
    *(m * MINUTE_NS for m in (1, 2, 5, 10, 15, 30)),
    *(h * HOUR_NS for h in (1, 2, 3, 6, 12)),
    *(d * DAY_NS for d in (1, 2, 3, 7, 14)),
]
_MONTH_STEPS = (1, 2, 3, 6, 12, 24, 60)

Attribute = str | float | int | None


@dataclass(frozen=True)
class Scale:
    """A straight line from values to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value; the middle where the range is empty."""
        width = self.high - self.low
        share = (value - self.low) / width if width else 0.5
        return self.start + share * (self.end - self.start)


def padded(values: Iterable[float], share: float = 0.06, least: float = 1e-9) -> tuple[float, float]:
    """Return the range of the finite values with a margin; (0, 1) where there is none."""
    finite = [float(v) for v in values if math.isfinite(v)]
    if not finite:
        return 0.0, 1.0
    margin = max((max(finite) - min(finite)) * share, least)
    return min(finite) - margin, max(finite) + margin


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Return round values within [low, high].

    Examples
    --------
    >>> nice_ticks(0.0, 1.0)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]

    """
    if not high > low:
        return [low]
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1.0, 2.0, 2.5, 5.0, 10.0) if power * m >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def tick_labels(ticks: Sequence[float]) -> list[str]:
    """Return the ticks as text, all with the decimals their step needs."""
    step = min((b - a for a, b in pairwise(ticks)), default=abs(ticks[0]) if ticks else 1.0)
    digits = 0
    while digits < 6 and step > 0 and abs(round(step, digits) - step) > step * 1e-6:
        digits += 1
    return [f"{tick:,.{digits}f}".replace("-", MINUS) for tick in ticks]


def time_ticks(low_ns: float, high_ns: float, about: int = 5) -> list[tuple[int, str]]:
    """Return round UTC instants within a range of ns, with their labels."""
    # A third more labels than asked for still fit; half as many would leave the axis bare.
    rough = max(high_ns - low_ns, 1.0) / about * 0.75
    for step in _TIME_STEPS:
        if step >= rough:
            first, last = math.ceil(low_ns / step), math.floor(high_ns / step)
            return [(i * step, _time_label(i * step, step)) for i in range(first, last + 1)]
    months = next((m for m in _MONTH_STEPS if m * 30.4 * DAY_NS >= rough), _MONTH_STEPS[-1])
    start, end = _utc(low_ns), _utc(high_ns)
    ticks = []
    for month in range(start.year * 12 + start.month - 1, end.year * 12 + end.month):
        at = datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
        stamp = int(at.timestamp()) * 1_000_000_000
        if month % months == 0 and low_ns <= stamp <= high_ns:
            ticks.append((stamp, at.strftime("%b %Y") if months < 12 else at.strftime("%Y")))
    return ticks


def _time_label(at_ns: int, step: int) -> str:
    at = _utc(at_ns)
    if step < MINUTE_NS:
        return at.strftime("%H:%M:%S")
    return at.strftime("%H:%M") if step < DAY_NS and at_ns % DAY_NS else f"{at.day} {at.strftime('%b')}"


def _utc(at_ns: float) -> datetime:
    return datetime.fromtimestamp(int(at_ns) // 1_000_000_000, UTC)


def pixel(value: float) -> str:
    """Return a coordinate with one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


class Canvas:
    """Elements of one drawing.

    Parameters
    ----------
    width, height : float
        Of the view box; the page scales it.
    label : str
        What the drawing shows, in words, for those who do not see it.

    """

    def __init__(self, width: float, height: float, label: str) -> None:
        self.width = width
        self.height = height
        self._parts = [
            f'<svg class="plot" viewBox="0 0 {pixel(width)} {pixel(height)}" role="img" '
            f'aria-label="{escape(label)}">'
        ]

    def add(
        self, tag: str, classes: str = "", *, text: str = "", tip: str = "", **attributes: Attribute
    ) -> None:
        """Add an element; `tip` is shown while the pointer rests on it."""
        named = [("class", classes or None), *attributes.items()]
        head = "".join(
            f' {name.replace("_", "-")}="{pixel(value) if isinstance(value, float) else escape(str(value))}"'
            for name, value in named
            if value is not None
        )
        inner = escape(text, quote=False) + (f"<title>{escape(tip, quote=False)}</title>" if tip else "")
        self._parts.append(f"<{tag}{head}>{inner}</{tag}>")

    def text(self, x: float, y: float, words: str, classes: str = "", anchor: str = "middle") -> None:
        """Write words at a place; `anchor` is ``start``, ``middle`` or ``end``."""
        anchored = None if anchor == "start" else anchor
        self.add("text", classes, text=words, x=float(x), y=float(y), text_anchor=anchored)

    def line(self, x1: float, y1: float, x2: float, y2: float, classes: str) -> None:
        """Draw a straight line."""
        self.add("line", classes, x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2))

    def path(self, points: Sequence[tuple[float, float]], classes: str, *, close: bool = False) -> None:
        """Draw a polyline, or the area within it."""
        if len(points) > 1:
            body = "L".join(f"{pixel(x)} {pixel(y)}" for x, y in points)
            self.add("path", classes, d=f"M{body}{'Z' if close else ''}")

    def render(self) -> Markup:
        """Return the drawing."""
        return Markup("".join([*self._parts, "</svg>"]))  # noqa: S704 - every part is escaped above


@dataclass(frozen=True)
class Margins:
    """Pixels around the axes."""

    left: float = 46.0
    right: float = 12.0
    top: float = 26.0
    bottom: float = 38.0


class Plot(Canvas):
    """A canvas with two scales and their axes.

    Parameters
    ----------
    label : str
        The drawing in words.
    x, y : tuple of float
        Ranges of the scales.
    x_title, y_title : str
        What is measured, with its unit; the vertical one stands above its axis.
    width, height : float
    margins : Margins

    """

    def __init__(
        self,
        label: str,
        x: tuple[float, float],
        y: tuple[float, float],
        *,
        x_title: str,
        y_title: str,
        width: float = 400.0,
        height: float = 260.0,
        margins: Margins | None = None,
    ) -> None:
        super().__init__(width, height, label)
        self.margins = margins or Margins()
        self.left, self.right = self.margins.left, width - self.margins.right
        self.top, self.bottom = self.margins.top, height - self.margins.bottom
        self.x = Scale(*x, self.left, self.right)
        self.y = Scale(*y, self.bottom, self.top)
        if y_title:
            self.text(4, 13, y_title, "axis", "start")
        if x_title:
            self.text((self.left + self.right) / 2, height - 5, x_title, "axis")

    def y_axis(self, ticks: Sequence[float] | None = None) -> None:
        """Draw the horizontal grid and its labels."""
        chosen = nice_ticks(self.y.low, self.y.high) if ticks is None else ticks
        for tick, words in zip(chosen, tick_labels(chosen), strict=True):
            at = self.y(tick)
            self.line(self.left, at, self.right, at, "zero" if tick == 0 else "grid")
            self.text(self.left - 6, at + 4, words, "tick", "end")

    def x_axis(self, ticks: Sequence[float] | None = None) -> None:
        """Draw the vertical grid and its labels."""
        chosen = nice_ticks(self.x.low, self.x.high) if ticks is None else ticks
        for tick, words in zip(chosen, tick_labels(chosen), strict=True):
            at = self.x(tick)
            self.line(at, self.top, at, self.bottom, "zero" if tick == 0 else "grid")
            self.text(at, self.bottom + 16, words, "tick")

    def time_axis(self) -> None:
        """Draw UTC days or hours below the horizontal scale of ns."""
        for tick, words in time_ticks(self.x.low, self.x.high, max(3, round(self.width / 110))):
            at = self.x(tick)
            self.line(at, self.bottom, at, self.bottom + 4, "grid")
            inside = min(max(at, self.left + 8), self.right - 18)
            self.text(inside, self.bottom + 16, words, "tick")
