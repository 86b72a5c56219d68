"""A random forest as arrays, evaluated by a small kernel: what the executor runs where no scikit-learn is installed.

The same numbers as scikit-learn's `predict_proba`, bit for bit, missing values included: features are compared as single
precision, a missing one goes where the tree says, the trees' shares are added in order and divided once. Fitting and taking the
arrays out of a fitted forest is the business of `training`.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.errors import BundleError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAF = -1


@dataclass(frozen=True)
class Forest:
    """Trees one after another; arrays of one element a node but `roots`.

    Attributes
    ----------
    roots : ndarray of int64, shape (trees,)
        Node each tree begins with.
    left, right : ndarray of int64
        Children as nodes of the whole; -1 in a leaf.
    feature : ndarray of int64
    threshold : ndarray of float64
        A value up to it goes left.
    missing_left : ndarray of int64
        1 where a missing value goes left.
    share : ndarray of float64
        Share of the positive class in the node.

    """

    roots: Ints
    left: Ints
    right: Ints
    feature: Ints
    threshold: Floats
    missing_left: Ints
    share: Floats

    def predict(self, features: Floats) -> Floats:
        """Return the probability of the positive class, shape (n,), for features of shape (n, width)."""
        rows = np.ascontiguousarray(features, dtype=np.float64)
        out = np.empty(len(rows))
        evaluate(
            rows,
            self.roots,
            self.left,
            self.right,
            self.feature,
            self.threshold,
            self.missing_left,
            self.share,
            out,
        )
        return out

    def to_bytes(self) -> bytes:
        """Return the forest as JSON; numbers come back exactly."""
        body = {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}
        return json.dumps(body).encode()

    @classmethod
    def from_bytes(cls, data: bytes, width: int) -> Forest:
        """Read a forest for features of a width.

        Raises
        ------
        BundleError
            If it is unreadable, or a node points outside: compiled code would not notice.

        """
        try:
            body = json.loads(data)
            columns: dict[str, NDArray[Any]] = {
                name: np.array(body[name], dtype=kind) for name, kind in _COLUMNS.items()
            }
        except (KeyError, ValueError, TypeError, OverflowError) as error:
            raise BundleError(f"forest.json is unreadable: {error}", remedy="retrain") from error
        forest = cls(**columns)
        if not forest._is_sound(width):
            raise BundleError(
                f"forest.json should hold trees over {width} features, held something else", remedy="retrain"
            )
        return forest

    def _is_sound(self, width: int) -> bool:
        n = len(self.share)
        columns: list[NDArray[Any]] = [self.left, self.right, self.feature, self.threshold, self.missing_left]
        if not n or self.roots.ndim != 1 or not len(self.roots):
            return False
        if any(column.shape != (n,) for column in columns) or self.share.ndim != 1:
            return False
        inner = self.left != _LEAF
        at = np.arange(n)
        # Children come after their parent: no walk can go round in a circle.
        children = all(((side > at) & (side < n))[inner].all() for side in (self.left, self.right))
        known = (self.feature[inner] >= 0).all() and (self.feature[inner] < width).all()
        rooted = (self.roots >= 0).all() and (self.roots < n).all()
        shares = np.isfinite(self.share).all() and (self.share >= 0.0).all() and (self.share <= 1.0).all()
        return bool(children and known and rooted and shares and np.isfinite(self.threshold[inner]).all())


_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("roots", "left", "right", "feature", "missing_left"), np.int64),
    **dict.fromkeys(("threshold", "share"), np.float64),
}


@njit(cache=True)
def evaluate(
    rows: Floats,
    roots: Ints,
    left: Ints,
    right: Ints,
    feature: Ints,
    threshold: Floats,
    missing_left: Ints,
    share: Floats,
    out: Floats,
) -> None:
    """Write the mean share of the leaves each row ends in; see `Forest` for the arrays."""
    for i in range(len(rows)):
        total = 0.0
        for root in roots:
            node = root
            while left[node] != _LEAF:
                value = np.float32(rows[i, feature[node]])
                is_missing = math.isnan(value)
                goes_left = (is_missing and missing_left[node] == 1) or (
                    not is_missing and np.float64(value) <= threshold[node]
                )
                node = left[node] if goes_left else right[node]
            total += share[node]
        out[i] = total / len(roots)
