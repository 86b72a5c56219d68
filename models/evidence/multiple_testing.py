"""Many tests at once: which findings survive.

Here belongs the procedure of Benjamini and Hochberg (1995, JRSS-B 57): among the findings it keeps, the expected share of
false ones is at most the level. Making the p-values does not belong here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError

Floats = NDArray[np.float64]


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Adjust p-values so that those at or below a level are the findings at that false discovery rate.

    Parameters
    ----------
    p_values : ndarray of float64, shape (k,)
        In [0, 1]; leave out what could not be tested.

    Returns
    -------
    ndarray of float64, shape (k,)
        In the order given.

    Raises
    ------
    DataError
        If one is not in [0, 1].

    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0.0) & (p <= 1.0)).all():
        raise DataError("p-values should be a row of numbers in [0, 1]", remedy="leave out missing ones")
    order = np.argsort(p, kind="stable")
    raised = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum.accumulate(raised[::-1])[::-1]
    return np.minimum(adjusted, 1.0)
