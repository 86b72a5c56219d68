"""What a dataset of the lake is: its columns, key, time and spacing; and short ways to declare one.

Types are `i64` (all times are ns UTC), `f64` and `str`. `available_at` is the moment a row could first be known; joins are as-of
on it. The datasets themselves are declared in `lake_schemas.py` and `venue_schemas.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

ColumnType = Literal["i64", "f64", "str"]
INTERVAL_S = {"5min": 300, "15min": 900, "30min": 1800, "1h": 3600, "4h": 14_400, "1d": 86_400}
ALL_SYMBOLS = "_ALL"
"""The path's symbol where a dataset is not split by symbol (our own activity)."""


@dataclass(frozen=True)
class Dataset:
    """One dataset of the lake.

    Attributes
    ----------
    name, description : str
        Name of the folder and of the asset; the description is shown in Dagster.
    columns : dict of str to ColumnType
        In file order, `available_at` last.
    key : tuple of str
        Columns that together name a row once.
    time : str
        The column whose day is the partition; rows are sorted by it.
    cadence_s : int or None
        Most seconds between two rows of a symbol when nothing is missing; None for irregular data.
    available_after_s : int
        `available_at` minus `time`.
    keeps_order : bool
        Rows of one instant stay in the order they came in: for trades and book events it is information.

    """

    name: str
    description: str
    columns: dict[str, ColumnType]
    key: tuple[str, ...] = ("symbol", "ts")
    time: str = "ts"
    cadence_s: int | None = None
    available_after_s: int = 0
    keeps_order: bool = False

    @property
    def venue(self) -> str:
        """Whose data these are, as the path says it; our own activity lies with the venue it happened on."""
        owner = self.name.removeprefix("raw_").partition("__")[0]
        return "bybit" if owner == "hean" else owner

    def spaced(self, seconds: int, available_after_s: int = 0) -> Dataset:
        """Return the same dataset with another spacing, for those whose interval is a setting."""
        return replace(self, cadence_s=seconds, available_after_s=available_after_s)


def market(
    name: str, description: str, values: str, cadence_s: int | None, available_after_s: int
) -> Dataset:
    """Return a dataset of numbers over time."""
    columns: dict[str, ColumnType] = {"ts": "i64", "symbol": "str"}
    columns |= dict.fromkeys(values.split(), "f64")
    columns["available_at"] = "i64"
    return Dataset(name, description, columns, cadence_s=cadence_s, available_after_s=available_after_s)


def snapshot(name: str, description: str, columns: dict[str, ColumnType]) -> Dataset:
    """Return a dataset of what a venue said at the moment it was asked; it has no past."""
    head: dict[str, ColumnType] = {"seen_at": "i64", "symbol": "str"}
    return Dataset(
        name, description, head | columns | {"available_at": "i64"}, ("symbol", "seen_at"), "seen_at"
    )


def own(name: str, description: str, columns: str, key: str, time: str) -> Dataset:
    """Return a dataset of our own activity; columns are written as ``kind:name``."""
    kinds: dict[str, ColumnType] = {"i": "i64", "f": "f64", "s": "str"}
    typed = {part[2:]: kinds[part[0]] for part in columns.split()}
    return Dataset(
        f"raw_hean__{name}", description, typed | {"available_at": "i64"}, tuple(key.split()), time
    )
