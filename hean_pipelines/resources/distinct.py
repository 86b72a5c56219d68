"""Whether rows differ: exact, and fast where they do.

Equal values have equal hashes, so as many hashes as rows prove that no row is there twice; only when two hashes are equal is it
counted exactly. What does not belong here: what a row's key is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import polars as pl

Hashes = npt.NDArray[np.uint64]


def row_hashes(frame: pl.DataFrame, columns: Sequence[str]) -> Hashes:
    """Return a 64-bit hash of each row's values in `columns`, comparable within this process."""
    if len(columns) == 1:
        return frame.get_column(columns[0]).hash().to_numpy()
    return frame.select(columns).hash_rows().to_numpy()


def all_differ(hashes: Hashes) -> bool:
    """Return whether no two hashes are equal; True proves that the rows differ, False does not prove that two are equal."""
    ordered = np.sort(hashes)
    return not bool((ordered[1:] == ordered[:-1]).any())


def distinct_rows(frame: pl.DataFrame, columns: Sequence[str]) -> int:
    """Return how many different rows there are in `columns`."""
    if all_differ(row_hashes(frame, columns)):
        return frame.height
    return int(frame.n_unique(subset=list(columns)))
