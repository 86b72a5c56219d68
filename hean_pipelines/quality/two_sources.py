"""The same day from two sources, a published file and REST: row by row, in words where they differ.

What does not belong here: two venues or two datasets against each other (`comparing.py`), and what to do about it.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from hean_pipelines.resources.dataset import Dataset

_RELATIVE = 1e-9
"""Decimal texts parsed twice are equal; sums made by two programs may differ in the last digits."""


@dataclass(frozen=True)
class Difference:
    """How two versions of a day differ.

    Attributes
    ----------
    only_first, only_second : int
        Rows the other has not, by the dataset's key.
    changed : dict of str to int
        Column to rows whose values differ; a cell that either side leaves empty is not compared.
    example : str
        The first of them, in words.

    """

    only_first: int
    only_second: int
    changed: dict[str, int]
    example: str

    @property
    def words(self) -> str:
        """Say it in a line; empty where there is none."""
        parts = [f"{self.only_first} rows by REST only"] if self.only_first else []
        parts += [f"{self.only_second} rows in the file only"] if self.only_second else []
        parts += [f"{column} differs in {rows} rows" for column, rows in self.changed.items()]
        return ", ".join(parts) + (f" (first: {self.example})" if self.example else "")


def difference(rest: pl.DataFrame, file: pl.DataFrame, dataset: Dataset) -> Difference:
    """Compare a day by REST with the same day from a file, by the dataset's key."""
    key = list(dataset.key)
    both = rest.join(file, on=key, suffix="_file").sort(key)
    changed: dict[str, int] = {}
    example = ""
    for column, kind in dataset.columns.items():
        if column in (*key, "available_at"):
            continue
        one, other = pl.col(column), pl.col(f"{column}_file")
        apart = (
            (one - other).abs() > _RELATIVE * pl.max_horizontal(one.abs(), other.abs())
            if kind == "f64"
            else one != other
        )
        rows = both.filter(apart)
        if rows.height:
            changed[column] = rows.height
            if not example:
                first = rows.row(0, named=True)
                stamp = pl.from_epoch(pl.Series([first[dataset.time]]), "ns")[0]
                example = (
                    f"{column} at {stamp} was {first[column]} by REST, {first[f'{column}_file']} in the file"
                )
    return Difference(
        rest.join(file, on=key, how="anti").height,
        file.join(rest, on=key, how="anti").height,
        changed,
        example,
    )
