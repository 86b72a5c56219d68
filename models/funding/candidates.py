"""The candidates for the funding forecast: baselines, structural forms, and what is learned on top of them.

Here belongs how a candidate turns features into a rate, and nothing of fitting (`models.funding.training`) or judging
(`models.funding.walk_forward`). Only NumPy is imported until a LightGBM candidate is used, because the executor loads this.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BundleError
from models.funding.features import FEATURE_NAMES, INDEX

Floats = NDArray[np.float64]

BPS = 1e4
"""Learned candidates work in basis points: losses and regularisation are then of order one."""

BASELINES: dict[str, str] = {
    "last_rate": "rate_last",
    "indicative": "implied_rate_now",
    "ewma": "rate_ewma",
    "structural": "structural_rate",
    "structural_offset": "filtered_rate",
}
"""Candidates that are a feature themselves, by name: they need no fitting."""

LEARNED: tuple[str, ...] = ("ridge", "lightgbm", "lightgbm_residual")

CANDIDATES: tuple[str, ...] = (*BASELINES, *LEARNED)
"""Simplest first: the order in which they are tried against the best so far."""

RESIDUAL_BASE = "filtered_rate"


@dataclass(frozen=True)
class Ridge:
    """Linear model on standardised features; a missing feature stands at its mean.

    Attributes
    ----------
    mean, scale, coefficients : ndarray of float64, shape (k,)
    intercept : float
        Basis points.

    """

    mean: Floats
    scale: Floats
    coefficients: Floats
    intercept: float

    def predict(self, features: Floats) -> Floats:
        """Return the rate in basis points, shape (n,)."""
        # Row-major, because the order of a sum follows the layout and stored tables arrive column-major.
        standard = np.ascontiguousarray(np.nan_to_num((features - self.mean) / self.scale))
        # einsum, not a BLAS product: its result must not depend on how many rows are asked for at once.
        return np.asarray(np.einsum("ij,j->i", standard, self.coefficients) + self.intercept)


@dataclass(frozen=True)
class Candidate:
    """One way to forecast, ready to use.

    Attributes
    ----------
    name : str
        One of `CANDIDATES`.
    ridge : Ridge or None
    booster : lightgbm.Booster or None

    """

    name: str
    ridge: Ridge | None = None
    booster: Any = None

    def predict(self, features: Floats, lower: Floats, upper: Floats) -> Floats:
        """Forecast the rates of many rows.

        Parameters
        ----------
        features : ndarray of float64, shape (n, len(FEATURE_NAMES))
        lower, upper : ndarray of float64, shape (n,)
            Caps; infinite where unknown.

        Returns
        -------
        ndarray of float64, shape (n,)
            Rates as fractions, within the caps.

        """
        if self.name in BASELINES:
            rate = features[:, INDEX[BASELINES[self.name]]]
        elif self.name == "ridge" and self.ridge is not None:
            rate = self.ridge.predict(features) / BPS
        elif self.booster is not None:
            raw = np.asarray(self.booster.predict(features, num_threads=1), dtype=np.float64) / BPS
            rate = raw + features[:, INDEX[RESIDUAL_BASE]] if self.name == "lightgbm_residual" else raw
        else:
            raise BundleError(f"candidate {self.name!r} has no fitted model", remedy="retrain it")
        return np.clip(rate, lower, upper)

    def to_files(self) -> dict[str, bytes]:
        """Return the candidate as bundle files."""
        body: dict[str, Any] = {"name": self.name, "features": list(FEATURE_NAMES)}
        files: dict[str, bytes] = {}
        if self.ridge is not None:
            body["ridge"] = {
                "mean": self.ridge.mean.tolist(),
                "scale": self.ridge.scale.tolist(),
                "coefficients": self.ridge.coefficients.tolist(),
                "intercept": self.ridge.intercept,
            }
        if self.booster is not None:
            files["model.txt"] = self.booster.model_to_string().encode()
            body["model_sha256"] = hashlib.sha256(files["model.txt"]).hexdigest()
        files["candidate.json"] = json.dumps(body, indent=1).encode()
        return files

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Candidate:
        """Read a candidate from bundle files.

        Raises
        ------
        BundleError
            If a file is missing, unreadable, or made for other features.

        """
        try:
            body = json.loads(files["candidate.json"])
            name, names = str(body["name"]), tuple(body["features"])
        except (KeyError, ValueError, TypeError) as error:
            raise BundleError(
                f"candidate.json is missing or unreadable: {error}", remedy="retrain"
            ) from error
        if names != FEATURE_NAMES or name not in CANDIDATES:
            raise BundleError(
                f"candidate {name!r} was made for other features than this release computes",
                remedy="retrain with this release, or run the release that trained it",
            )
        ridge = _read_ridge(body["ridge"]) if "ridge" in body else None
        booster = (
            _read_booster(files["model.txt"], body.get("model_sha256")) if "model.txt" in files else None
        )
        return cls(name, ridge, booster)


def _read_ridge(part: Any) -> Ridge:
    try:
        columns = [np.array(part[key], dtype=np.float64) for key in ("mean", "scale", "coefficients")]
        intercept = float(part["intercept"])
    except (KeyError, ValueError, TypeError) as error:
        raise BundleError(f"the ridge of candidate.json is unreadable: {error}", remedy="retrain") from error
    if any(column.shape != (len(FEATURE_NAMES),) or not np.isfinite(column).all() for column in columns):
        raise BundleError(
            f"the ridge of candidate.json should hold {len(FEATURE_NAMES)} finite numbers a column, had others",
            remedy="retrain",
        )
    return Ridge(columns[0], columns[1], columns[2], intercept)


def _read_booster(data: bytes, expected_sha256: object) -> Any:
    # Before LightGBM sees it: on a damaged tree it ends the whole process instead of raising.
    actual = hashlib.sha256(data).hexdigest()
    if actual != expected_sha256:
        raise BundleError(
            f"model.txt: SHA-256 should be {str(expected_sha256)[:12]}…, was {actual[:12]}…",
            remedy="delete the cached bundle and fetch it again, or retrain",
        )
    import lightgbm

    try:
        return lightgbm.Booster(model_str=data.decode())
    except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as error:
        raise BundleError(f"model.txt is not a LightGBM model: {error}", remedy="retrain") from error
