"""Small arithmetic of time ranges and columns that every source needs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_S

Columns = TypeVar("Columns", bound=NamedTuple)


def join_pages(pages: Sequence[Columns], start_ns: int, end_ns: int) -> Columns:
    """Join pages of columns whose first column is the time: ascending, one row per instant, in [start, end).

    Parameters
    ----------
    pages : sequence of NamedTuple of arrays
        At least one page, newest first; where two pages hold the same instant, the first one's row stays.
    start_ns, end_ns : int
        Half-open range, ns UTC.

    """
    kind = type(pages[0])
    columns = [np.concatenate(parts) for parts in zip(*pages, strict=True)]
    stamps, first = np.unique(columns[0], return_index=True)
    keep = first[(stamps >= start_ns) & (stamps < end_ns)]
    return kind._make(column[keep] for column in columns)
