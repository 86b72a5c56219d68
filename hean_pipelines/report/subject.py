"""What the page is about: which model is shown, at which horizon, for which symbols, and which colour each model has.

Also the one way to take a model's forecasts out of the out-of-sample file. What does not belong here: judging them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.funding.candidates import BASELINES, CANDIDATES
from models.funding.table import HORIZONS_MIN

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.report.inputs import Inputs

Floats = NDArray[np.float64]
Stamps = NDArray[np.int64]

POOLED = "ALL"
"""As in `models.funding.evaluation`, whose import costs seconds (SciPy, scikit-learn); a test holds them equal."""

DECISION_HORIZON_MIN = HORIZONS_MIN[0]
TIE = 1e-12
"""Rates this close are equal: the scores allow the same."""

MODEL_WORDS = {
    "last_rate": "the rate settled last, unchanged",
    "indicative": "the venue's formula on the premium averaged so far",
    "ewma": "exponentially weighted mean of settled rates",
    "structural": "the venue's formula on the premium so far, completed with what is expected until the settlement",
    "structural_offset": "structural, with the premium's offset filtered from past settlements",
    "ridge": "linear model on all features, L2 penalty",
    "lightgbm": "gradient-boosted trees on all features",
    "lightgbm_residual": "structural_offset, corrected by gradient-boosted trees",
}


@dataclass(frozen=True)
class Subject:
    """What is shown.

    Attributes
    ----------
    model : str
        The champion, or a stand-in where none is registered; empty where nothing was forecast.
    is_champion : bool
    why : str
        How the model was chosen, in words.
    horizon_min : int
        The horizon at which the strategy decides, or the longest there is.
    symbols, models : tuple of str
        Symbols without the pool; models from simple to complex.

    """

    model: str
    is_champion: bool
    why: str
    horizon_min: int
    symbols: tuple[str, ...]
    models: tuple[str, ...]

    def colour(self, model: str) -> str:
        """Return the colour class of a model, the same everywhere on the page."""
        if model in CANDIDATES:
            return f"m{CANDIDATES.index(model)}"
        return f"m{len(CANDIDATES) + sorted(set(self.models) - set(CANDIDATES)).index(model) % 2}"

    def title(self) -> str:
        """Return the model's name with its standing."""
        return f"{self.model} (champion)" if self.is_champion else f"{self.model} (not a registered champion)"


def choose_subject(inputs: Inputs) -> Subject:
    """Decide what the page shows, from the champion and what was forecast."""
    scores, forecasts = inputs.frame("scores"), inputs.frame("forecasts")
    frames = [frame for frame in (scores, forecasts) if frame is not None]
    found = {str(m) for frame in frames for m in frame["model"].unique()}
    symbols = {str(s) for frame in frames for s in frame["symbol"].unique()} - {POOLED}
    horizons = {int(h) for frame in frames for h in frame["horizon_min"].unique()}
    horizon = (
        DECISION_HORIZON_MIN
        if DECISION_HORIZON_MIN in horizons
        else max(horizons, default=DECISION_HORIZON_MIN)
    )
    models = tuple(sorted(found, key=_rank))
    champion = inputs.documents.get("champion", {}).get("name")
    if champion and str(champion) in found:
        return Subject(str(champion), True, "registered as champion", horizon, tuple(sorted(symbols)), models)
    model = _best(scores, horizon) or (models[0] if models else "")
    said = (
        f"the registered champion {champion} has no forecasts here"
        if champion
        else "no champion is registered"
    )
    why = f"{said}: shown is {model}, the highest pooled R² {horizon} min ahead" if model else said
    return Subject(model, False, why, horizon, tuple(sorted(symbols)), models)


def _rank(model: str) -> tuple[int, str]:
    return (CANDIDATES.index(model) if model in CANDIDATES else len(CANDIDATES), model)


def _best(scores: pl.DataFrame | None, horizon_min: int) -> str:
    if scores is None:
        return ""
    rows = [
        row
        for row in scores.iter_rows(named=True)
        if row["horizon_min"] == horizon_min
        and row["symbol"] == POOLED
        and row["r2"] is not None
        and np.isfinite(row["r2"])
    ]
    return str(max(rows, key=lambda row: row["r2"])["model"]) if rows else ""


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of one model for one symbol at one horizon, by settlement; rates as fractions."""

    settlement_ns: Stamps
    predicted: Floats
    q05: Floats
    q50: Floats
    q95: Floats
    realised: Floats

    def __len__(self) -> int:
        return len(self.settlement_ns)


def forecasts_of(frame: pl.DataFrame, model: str, symbol: str, horizon_min: int) -> Forecasts:
    """Take the settled forecasts of one model out of the file; `symbol` ``ALL`` takes every symbol."""
    import polars as pl

    mask = (pl.col("model") == model) & (pl.col("horizon_min") == horizon_min)
    if symbol != POOLED:
        mask &= pl.col("symbol") == symbol
    rates = ["predicted", "q05", "q50", "q95", "realised"]
    rows = frame.filter(mask).with_columns(pl.col(rates).cast(pl.Float64).fill_null(float("nan")))
    rows = rows.filter(pl.col("predicted").is_finite() & pl.col("realised").is_finite()).sort("settlement_ts")
    return Forecasts(rows["settlement_ts"].to_numpy(), *(rows[name].to_numpy() for name in rates))


def baselines(models: tuple[str, ...]) -> list[str]:
    """Return those of `models` that need no fitting."""
    return [model for model in models if model in BASELINES]
