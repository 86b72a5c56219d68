"""What is odd about the rows of one published file: counted, shown, and refused where it would mislead.

Pure functions over frames. What is refused (`DataError`) is what no reader could put right: another day, impossible prices.
Disorder, repeats and holes do occur in published files; they are mended or kept, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from hean_pipelines.resources.dataset import Dataset
from hean_pipelines.resources.distinct import distinct_rows
from models.errors import DataError

NS_PER_DAY = 86_400_000_000_000
_JUMP = 0.2
"""A price this far from the one before, as a share, is more likely a wrong row than a trade."""
HOLE_NS = 600_000_000_000
"""Trades of a listed perpetual are seconds apart; ten minutes without one are an outage."""


@dataclass
class Findings:
    """Counts of one file's oddities; `mended` says which were put right."""

    rows: int = 0
    out_of_order: int = 0
    repeated: int = 0
    outside_day: int = 0
    jumps: int = 0
    holes: int = 0
    blanks: int = 0
    mended: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Add another file's counts."""
        for name in ("rows", "out_of_order", "repeated", "outside_day", "jumps", "holes", "blanks"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.mended = sorted({*self.mended, *other.mended})


def inspect(
    frame: pl.DataFrame, dataset: Dataset, start_ns: int, end_ns: int, name: str
) -> tuple[pl.DataFrame, Findings]:
    """Check the rows of a file, mend what can be mended, and count.

    Parameters
    ----------
    frame : DataFrame
        The dataset's columns, in the file's order.
    dataset : Dataset
    start_ns, end_ns : int
        What the file should cover, ``[start_ns, end_ns)``.
    name : str
        For messages.

    Returns
    -------
    DataFrame
        In order, each key once, none outside the range.
    Findings

    Raises
    ------
    DataError
        When most rows are of another time (a wrong unit or time zone), or prices or sizes are not above zero.

    """
    found = Findings(rows=frame.height)
    if not frame.height:
        return frame, found
    time = frame.get_column(dataset.time)
    steps = time.diff()
    found.out_of_order = int((steps < 0).sum())
    if found.out_of_order:
        frame = frame.sort(dataset.time, maintain_order=True)
        time = frame.get_column(dataset.time)
        steps = time.diff()
        found.mended.append("sorted by time")
    low, high = time.search_sorted(start_ns), time.search_sorted(end_ns)
    found.outside_day = frame.height - (high - low)
    if found.outside_day * 2 > frame.height:
        raise DataError(
            f"{name}: expected rows of its own day, was {found.outside_day} of {frame.height} outside it",
            remedy="stamps of another time zone or unit: compare the first rows with the venue's page",
        )
    frame = frame.slice(low, high - low)
    frame = _without_repeats(frame, dataset, found)
    _values(frame, dataset, found, name)
    if dataset.keeps_order:
        found.holes = int((steps > HOLE_NS).sum())
    elif dataset.cadence_s:
        found.holes = int((steps > dataset.cadence_s * 1_000_000_000).sum())
    return frame, found


def _without_repeats(frame: pl.DataFrame, dataset: Dataset, found: Findings) -> pl.DataFrame:
    rest = [key for key in dataset.key if key != "symbol"]
    found.repeated = frame.height - distinct_rows(frame, rest)
    if not found.repeated:
        return frame
    found.mended.append("repeats left out")
    return frame.unique(rest, keep="first", maintain_order=True)


def _values(frame: pl.DataFrame, dataset: Dataset, found: Findings, name: str) -> None:
    refuse_impossible(frame, dataset, name)
    found.blanks = blanks(frame, dataset)
    price = price_column(dataset)
    if price:
        found.jumps = jumps(frame.get_column(price).to_numpy())


def refuse_impossible(frame: pl.DataFrame, dataset: Dataset, name: str) -> None:
    """Raise DataError unless prices and sizes are above zero."""
    for column in _above_zero(dataset):
        least = frame.get_column(column).min()
        if least is None or not least > 0:  # type: ignore[operator]
            raise DataError(
                f"{name}: expected {column} above 0, was {least}",
                remedy="the file is damaged: fetch it again",
            )


def blanks(frame: pl.DataFrame, dataset: Dataset) -> int:
    """Return how many cells of numbers are empty."""
    values = [column for column, kind in dataset.columns.items() if kind == "f64"]
    return sum(frame.get_column(column).null_count() for column in values)


def price_column(dataset: Dataset) -> str:
    """Return the column whose jumps are counted, empty where there is none."""
    return "price" if "price" in dataset.columns else "close" if _above_zero(dataset) else ""


def jumps(prices: npt.NDArray[np.float64]) -> int:
    """Return how many prices are a fifth away from the one before."""
    return int((np.abs(prices[1:] / prices[:-1] - 1.0) > _JUMP).sum())


def _above_zero(dataset: Dataset) -> list[str]:
    if "index" in dataset.name:
        return []  # a premium may be negative
    return [
        column for column in ("price", "size", "open", "high", "low", "close") if column in dataset.columns
    ]
