"""The funding predictor as the executor uses it: a feature row in, a forecast with its distribution out.

Here belongs the object a bundle of kind ``funding_predictor`` holds. It is written by training and read by the executor;
both call `FundingPredictor.forecast`, so the two cannot differ.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BundleError
from models.funding.candidates import Candidate
from models.funding.distribution import LEVELS, Distribution, distribution
from models.funding.features import FEATURE_NAMES, INDEX, FeatureRow

Floats = NDArray[np.float64]

GOLDEN_TOLERANCE = 1e-12


@dataclass(frozen=True)
class FundingForecast:
    """The forecast of one settlement.

    Attributes
    ----------
    symbol : str
    settlement_ns, made_at_ns : int
    horizon_min : int
    predicted : float
        Point forecast, fraction.
    q05, q50, q95 : float
        Quantiles, fractions.
    current : float
        The last settled rate when the forecast was made.
    spread : Distribution

    """

    symbol: str
    settlement_ns: int
    made_at_ns: int
    horizon_min: int
    predicted: float
    q05: float
    q50: float
    q95: float
    current: float
    spread: Distribution

    def probability_above(self, rate: float) -> float:
        """Probability that the settled rate exceeds `rate`."""
        return self.spread.probability_above(rate)

    def confidence(self) -> float:
        """Probability that the rate moves from the current one the way the forecast says."""
        above = self.probability_above(self.current)
        return above if self.predicted >= self.current else 1.0 - above


@dataclass(frozen=True)
class FundingPredictor:
    """A candidate with the distribution of its errors by horizon.

    Attributes
    ----------
    candidate : Candidate
    shapes : dict of int to ndarray, shape (99,)
        Quantiles of standardised errors at `LEVELS`, by horizon in minutes.

    """

    candidate: Candidate
    shapes: dict[int, Floats]

    def forecast(self, row: FeatureRow) -> FundingForecast:
        """Forecast one settlement.

        Raises
        ------
        BundleError
            If the row's width is not the one the predictor was made for.

        """
        if len(row.values) != len(FEATURE_NAMES):
            raise BundleError(
                f"a feature row should have {len(FEATURE_NAMES)} values, had {len(row.values)}",
                remedy="run the executor and the pipelines from the same release",
            )
        predicted = float(
            self.candidate.predict(row.values[None, :], np.array([row.cap_lower]), np.array([row.cap_upper]))[
                0
            ]
        )
        spread = distribution(
            predicted, row["latent_sd"], self._shape(row.horizon_min), row.cap_lower, row.cap_upper
        )
        return FundingForecast(
            row.symbol,
            row.settlement_ns,
            row.made_at_ns,
            row.horizon_min,
            predicted,
            spread.at(0.05),
            spread.at(0.5),
            spread.at(0.95),
            row["rate_last"],
            spread,
        )

    def _shape(self, horizon_min: int) -> Floats:
        nearest = min(self.shapes, key=lambda known: abs(known - horizon_min))
        return self.shapes[nearest]

    def to_files(self) -> dict[str, bytes]:
        """Return the predictor as bundle files, without the manifest."""
        shapes = {str(h): shape.tolist() for h, shape in self.shapes.items()}
        body = {"levels": LEVELS.tolist(), "shapes": shapes}
        return {**self.candidate.to_files(), "distribution.json": json.dumps(body).encode()}

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> FundingPredictor:
        """Read a predictor from bundle files.

        Raises
        ------
        BundleError
            If a file is missing, unreadable, or made for other features.

        """
        try:
            shapes = json.loads(files["distribution.json"])["shapes"]
            by_horizon = {int(h): np.array(shape, dtype=np.float64) for h, shape in shapes.items()}
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise BundleError(
                f"distribution.json is missing or unreadable: {error}", remedy="retrain"
            ) from error
        if not by_horizon or not all(_usable(shape) for shape in by_horizon.values()):
            raise BundleError("distribution.json holds no usable quantiles", remedy="retrain")
        return cls(Candidate.from_files(files), by_horizon)


def _usable(shape: Floats) -> bool:
    return shape.shape == LEVELS.shape and bool(np.isfinite(shape).all() and (np.diff(shape) >= 0.0).all())


def golden_rows(predictor: FundingPredictor, features: Floats, count: int = 50) -> list[dict[str, Any]]:
    """Pick rows a loader must reproduce.

    Parameters
    ----------
    predictor : FundingPredictor
    features : ndarray of float64, shape (n, len(FEATURE_NAMES))
    count : int
        At most this many, evenly spaced.

    Returns
    -------
    list of dict
        ``{"features": [...], "expected": {"predicted": ...}}``; a missing feature is None.

    """
    picked = features[np.unique(np.linspace(0, len(features) - 1, min(count, len(features))).astype(int))]
    infinite = np.full(len(picked), np.inf)
    predicted = predictor.candidate.predict(picked, -infinite, infinite)
    return [
        {
            "features": [None if np.isnan(v) else float(v) for v in row],
            "expected": {"predicted": float(rate)},
        }
        for row, rate in zip(picked, predicted, strict=True)
    ]


def check_golden_rows(predictor: FundingPredictor, golden: list[dict[str, Any]]) -> None:
    """Verify that a loaded predictor gives what it gave when it was trained.

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
        expected = np.array([row["expected"]["predicted"] for row in golden], dtype=np.float64)
    except (KeyError, ValueError, TypeError) as error:
        raise BundleError(f"golden rows are unreadable: {error}", remedy="retrain") from error
    if rows.ndim != 2 or rows.shape[1] != len(INDEX):
        raise BundleError("golden rows are of another width than the features", remedy="retrain")
    infinite = np.full(len(rows), np.inf)
    actual = predictor.candidate.predict(rows, -infinite, infinite)
    worst = int(np.argmax(np.abs(actual - expected)))
    if not np.allclose(actual, expected, rtol=0.0, atol=GOLDEN_TOLERANCE):
        raise BundleError(
            f"golden row {worst}: prediction should be {expected[worst]:.3e}, was {actual[worst]:.3e}",
            remedy="use the library versions of the lock file, or retrain",
        )
