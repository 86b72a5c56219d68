"""The candidates for the cascade probability: base rate, logistic regression, forest, boosted trees; and their calibration.

Here belongs how a candidate turns features into a probability, and nothing of fitting (`training`) or judging
(`walk_forward`, `scores`). LightGBM is imported only when its candidate is read: the executor loads this.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.cascade.features import FEATURE_NAMES
from models.cascade.forest import Forest
from models.errors import BundleError

Floats = NDArray[np.float64]

BASE_RATE: Final = "base_rate"
LOGISTIC: Final = "logistic"
FOREST: Final = "forest"
LIGHTGBM: Final = "lightgbm"
CANDIDATES: Final[tuple[str, ...]] = (BASE_RATE, LOGISTIC, FOREST, LIGHTGBM)
"""Simplest first: the order in which they are tried against the best so far."""

_EDGE: Final = 1e-6


def logit(probability: Floats) -> Floats:
    """Log odds of probabilities, cut to a millionth from either end: a forest may say exactly none."""
    cut = np.clip(probability, _EDGE, 1.0 - _EDGE)
    return np.asarray(np.log(cut / (1.0 - cut)))


def sigmoid(x: Floats) -> Floats:
    """Probability of log odds."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


@dataclass(frozen=True)
class Logistic:
    """Logistic regression on standardised features; a missing feature stands at its mean.

    Attributes
    ----------
    mean, scale, coefficients : ndarray of float64, shape (width,)
    intercept : float

    """

    mean: Floats
    scale: Floats
    coefficients: Floats
    intercept: float

    def predict(self, features: Floats) -> Floats:
        """Return probabilities, shape (n,)."""
        standard = np.ascontiguousarray(np.nan_to_num((features - self.mean) / self.scale))
        # einsum, not a BLAS product: its result must not depend on how many rows are asked for at once.
        return sigmoid(np.einsum("ij,j->i", standard, self.coefficients) + self.intercept)


@dataclass(frozen=True)
class Platt:
    """Platt's calibration: log odds times a slope, plus an intercept (Platt 1999)."""

    slope: float = 1.0
    intercept: float = 0.0

    def apply(self, probability: Floats) -> Floats:
        """Return calibrated probabilities."""
        return sigmoid(self.slope * logit(probability) + self.intercept)


@dataclass(frozen=True)
class Candidate:
    """One way to forecast, fitted and calibrated.

    Attributes
    ----------
    name : str
        One of `CANDIDATES`.
    base_rate : float
        Share of the training samples before a cascade.
    calibration : Platt
        Not used by the base rate.
    model : Logistic, Forest, lightgbm.Booster or None

    """

    name: str
    base_rate: float
    calibration: Platt = Platt()
    model: Any = None

    def raw(self, features: Floats) -> Floats:
        """Return what the model says before calibration, shape (n,)."""
        if self.name == BASE_RATE:
            return np.full(len(features), self.base_rate)
        if self.name == LIGHTGBM:
            return np.asarray(self.model.predict(features, num_threads=1), dtype=np.float64)
        return np.asarray(self.model.predict(features), dtype=np.float64)

    def predict(self, features: Floats) -> Floats:
        """Return calibrated probabilities, shape (n,), of features of shape (n, width)."""
        said = self.raw(features)
        return said if self.name == BASE_RATE else self.calibration.apply(said)

    def to_files(self) -> dict[str, bytes]:
        """Return the candidate as bundle files."""
        body: dict[str, Any] = {
            "name": self.name,
            "features": list(FEATURE_NAMES),
            "base_rate": self.base_rate,
            "calibration": {"slope": self.calibration.slope, "intercept": self.calibration.intercept},
        }
        files: dict[str, bytes] = {}
        if self.name == LOGISTIC:
            parts = {key: getattr(self.model, key).tolist() for key in _COLUMNS}
            body["logistic"] = {**parts, "intercept": self.model.intercept}
        elif self.name == FOREST:
            files["forest.json"] = self.model.to_bytes()
        elif self.name == LIGHTGBM:
            files["model.txt"] = self.model.model_to_string().encode()
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
            base = float(body["base_rate"])
            platt = Platt(float(body["calibration"]["slope"]), float(body["calibration"]["intercept"]))
        except (KeyError, ValueError, TypeError) as error:
            raise BundleError(
                f"candidate.json is missing or unreadable: {error}", remedy="retrain"
            ) from error
        if names != FEATURE_NAMES or name not in CANDIDATES:
            raise BundleError(
                f"candidate {name!r} was made for other features than this release computes",
                remedy="retrain with this release, or run the release that trained it",
            )
        if not (0.0 <= base <= 1.0 and np.isfinite([platt.slope, platt.intercept]).all()):
            raise BundleError("candidate.json holds numbers out of range", remedy="retrain")
        return cls(name, base, platt, _read_model(name, body, files))


_COLUMNS = ("mean", "scale", "coefficients")


def _read_model(name: str, body: Mapping[str, Any], files: Mapping[str, bytes]) -> Any:
    needed = {FOREST: "forest.json", LIGHTGBM: "model.txt"}.get(name)
    if needed is not None and needed not in files:
        raise BundleError(f"{needed} was expected beside candidate.json, is missing", remedy="retrain")
    if name == LOGISTIC:
        return _read_logistic(body.get("logistic"))
    if name == FOREST:
        return Forest.from_bytes(files["forest.json"], len(FEATURE_NAMES))
    return _read_booster(files["model.txt"], body.get("model_sha256")) if name == LIGHTGBM else None


def _read_logistic(part: Any) -> Logistic:
    try:
        columns = [np.array(part[key], dtype=np.float64) for key in _COLUMNS]
        intercept = float(part["intercept"])
    except (KeyError, ValueError, TypeError) as error:
        raise BundleError(
            f"the regression of candidate.json is unreadable: {error}", remedy="retrain"
        ) from error
    if any(column.shape != (len(FEATURE_NAMES),) or not np.isfinite(column).all() for column in columns):
        raise BundleError(
            f"the regression of candidate.json should hold {len(FEATURE_NAMES)} finite numbers a column, had others",
            remedy="retrain",
        )
    return Logistic(columns[0], columns[1], columns[2], intercept)


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
