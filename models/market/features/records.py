"""How state records are made: one place, so that all of them are aligned and readable by attribute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Field = tuple[str, Any] | tuple[str, Any, tuple[int, ...]]
"""Name, type, and shape of a nested array."""


def record_dtype(fields: Sequence[Field]) -> np.dtype[np.record]:
    """Return an aligned dtype whose elements are records; every field starts as zero."""
    return np.dtype((np.record, np.dtype(list(fields), align=True)))  # type: ignore[return-value]


def new_record(dtype: np.dtype[np.record]) -> np.record:
    """Return a record of zeros."""
    return np.zeros(1, dtype=dtype)[0]  # type: ignore[no-any-return]
