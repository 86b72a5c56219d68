"""The cascade predictor as the executor uses it: a row of features in, a probability out.

Here belongs the object a bundle of kind ``cascade_predictor`` holds. It is written by training and read by the executor; both
call `CascadePredictor.probabilities`, so the two cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.cascade.candidates import Candidate
from models.cascade.features import FEATURE_NAMES
from models.cascade.labels import LabelParams
from models.errors import BundleError

Floats = NDArray[np.float64]

KIND: Final = "cascade_predictor"
GOLDEN_TOLERANCE: Final = 1e-12


@dataclass(frozen=True)
class CascadePredictor:
    """A candidate and what its probability is of.

    Attributes
    ----------
    candidate : Candidate
    labels : LabelParams
        Horizon, and what counts as a cascade.

    """

    candidate: Candidate
    labels: LabelParams

    def probabilities(self, features: Floats) -> Floats:
        """Return P(a cascade begins within the horizon), shape (n,), of features of shape (n, width).

        Raises
        ------
        BundleError
            If the width is not the one the predictor was made for.

        """
        if features.ndim != 2 or features.shape[1] != len(FEATURE_NAMES):
            raise BundleError(
                f"cascade features should have {len(FEATURE_NAMES)} columns, were of shape {features.shape}",
                remedy="run the executor and the pipelines from the same release",
            )
        return self.candidate.predict(features)

    def to_files(self) -> dict[str, bytes]:
        """Return the predictor as bundle files, without the manifest."""
        return {**self.candidate.to_files(), "labels.json": json.dumps(asdict(self.labels)).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> CascadePredictor:
        """Read a predictor from bundle files.

        Raises
        ------
        BundleError
            If a file is missing, unreadable, or made for other features.

        """
        try:
            body = json.loads(files["labels.json"])
            labels = LabelParams(float(body["horizon_s"]), float(body["gap_s"]), int(body["least_orders"]))
        except (KeyError, ValueError, TypeError) as error:
            raise BundleError(f"labels.json is missing or unreadable: {error}", remedy="retrain") from error
        if not (labels.horizon_s > 0.0 and labels.gap_s > 0.0 and labels.least_orders > 0):
            raise BundleError("labels.json holds numbers out of range", remedy="retrain")
        return cls(Candidate.from_files(files), labels)


def golden_rows(predictor: CascadePredictor, features: Floats, count: int = 50) -> list[dict[str, Any]]:
    """Pick rows a loader must reproduce: at most `count`, evenly spaced; a missing feature is None."""
    picked = features[np.unique(np.linspace(0, len(features) - 1, min(count, len(features))).astype(int))]
    said = predictor.probabilities(picked)
    return [
        {
            "features": [None if np.isnan(v) else float(v) for v in row],
            "expected": {"probability": float(p)},
        }
        for row, p in zip(picked, said, strict=True)
    ]


def check_golden_rows(predictor: CascadePredictor, golden: list[dict[str, Any]]) -> None:
    """Verify that a loaded predictor says what it said when it was trained.

    Raises
    ------
    BundleError
        If there are no rows, they are unreadable, or one differs by more than `GOLDEN_TOLERANCE`.

    """
    if not golden:
        raise BundleError("bundle holds no golden rows", remedy="retrain")
    try:
        rows = np.array(
            [[np.nan if v is None else v for v in row["features"]] for row in golden], dtype=np.float64
        )
        expected = np.array([row["expected"]["probability"] for row in golden], dtype=np.float64)
    except (KeyError, ValueError, TypeError) as error:
        raise BundleError(f"golden rows are unreadable: {error}", remedy="retrain") from error
    actual = predictor.probabilities(rows)
    worst = int(np.argmax(np.abs(actual - expected)))
    if not np.allclose(actual, expected, rtol=0.0, atol=GOLDEN_TOLERANCE):
        raise BundleError(
            f"golden row {worst}: probability should be {expected[worst]:.3e}, was {actual[worst]:.3e}",
            remedy="use the library versions of the lock file, or retrain",
        )
