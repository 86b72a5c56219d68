"""What a page is made of: sections of notes, cards, figures and tables. The template knows how each looks.

What does not belong here: where numbers come from, and how figures are drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup


@dataclass(frozen=True)
class Note:
    """A remark in words; `kind` is ``info`` or ``warning``."""

    block: ClassVar[str] = "note"
    text: str
    kind: str = "info"


@dataclass(frozen=True)
class Missing:
    """Inputs that cannot be shown, for the same reason.

    Attributes
    ----------
    paths : tuple of str
        The files, relative to the state folder.
    problem : str
        ``absent``, ``without rows``, or what was wrong.
    shows : str
        What would stand here, in words.
    remedy : str
        What makes the files; commands stand in backticks.

    """

    block: ClassVar[str] = "missing"
    paths: tuple[str, ...]
    problem: str
    shows: str
    remedy: str


@dataclass(frozen=True)
class Card:
    """One headline figure: its label, the value, lines of detail, and ``good``, ``bad`` or no tone."""

    label: str
    value: str
    detail: tuple[str, ...] = ()
    tone: str = ""


@dataclass(frozen=True)
class Cards:
    """Headline figures side by side."""

    block: ClassVar[str] = "cards"
    cards: Sequence[Card]


@dataclass(frozen=True)
class Key:
    """One entry of a legend: a CSS colour class, the shape of its sample, and the words."""

    colour: str
    label: str
    shape: str = "box"


@dataclass(frozen=True)
class Figure:
    """One drawing.

    Attributes
    ----------
    title : str
    svg : Markup
        Drawn for a column; shown everywhere when `wide` is empty.
    wide : Markup
        The same drawn for the whole width, shown instead where there is room.
    caption : str

    """

    title: str
    svg: Markup
    wide: Markup = field(default_factory=Markup)
    caption: str = ""


@dataclass(frozen=True)
class Figures:
    """Drawings that share a legend: side by side, more of them where `is_small`, or in a column where they have wide versions."""

    block: ClassVar[str] = "figures"
    figures: Sequence[Figure]
    legend: Sequence[Key] = ()
    title: str = ""
    caption: str = ""
    is_small: bool = False

    @property
    def is_wide(self) -> bool:
        """True where every figure takes the whole width."""
        return all(figure.wide for figure in self.figures)


@dataclass(frozen=True)
class Column:
    """A column's heading, its unit, and whether its cells are figures (set right, digits aligned)."""

    label: str
    unit: str = ""
    is_number: bool = True


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes
    ----------
    text : str
    colour : str
        CSS class of a colour sample before the text.
    tone : str
        ``good``, ``bad`` or ``neutral``: the ground of the cell.
    strength : float
        How strong the ground or how long the bar is, 0 to 1.
    bar : bool
        Draw `strength` as a bar beside the text.
    detail : tuple of str
        Smaller lines below.

    """

    text: str
    colour: str = ""
    tone: str = ""
    strength: float = 0.0
    bar: bool = False
    detail: tuple[str, ...] = ()

    @property
    def percent(self) -> int:
        """`strength` as a whole percentage."""
        return round(100 * min(max(self.strength, 0.0), 1.0))


@dataclass(frozen=True)
class Row:
    """Cells of a row; `group` heads a new group when it differs from the row before, `strong` stands out."""

    cells: Sequence[Cell]
    group: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """A table; `folded` behind its title, `compact` no wider than its cells; the first column heads the rows."""

    block: ClassVar[str] = "table"
    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    caption: str = ""
    folded: bool = False
    compact: bool = False


Block = Note | Missing | Cards | Figures | Table


@dataclass(frozen=True)
class Section:
    """A part of the page with an anchor, a heading, an introduction, and a `short` title for the contents."""

    anchor: str
    title: str
    intro: str
    blocks: Sequence[Block]
    short: str = ""
