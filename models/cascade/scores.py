"""How good probabilities are: Brier score, log loss, precision and recall, calibration, against the base rate.

Samples overlap and cascades cluster, so every interval comes from contiguous blocks of time (`models.evidence.intervals`). The
base rate compared with is the one known before each fold, not that of the tested stretch. Here belong figures and their
verdict; who said the probabilities is the business of `walk_forward`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.cascade.candidates import BASE_RATE, CANDIDATES
from models.cascade.labels import CascadeTable
from models.cascade.walk_forward import Predictions
from models.evidence.intervals import BlockMean, block_edges, block_jackknife, block_mean
from models.evidence.verdict import NOT_ENOUGH_DATA

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BETTER: Final = "better than the base rate"
NO_BETTER: Final = "no better than the base rate"
_LEAST: Final = 1e-15


@dataclass(frozen=True)
class Score:
    """Figures of one candidate out of sample; NaN where undefined.

    Attributes
    ----------
    model : str
    samples, cascades : int
        Rows tested, and different cascades among their labels.
    base_rate : float
        Share of the tested samples before a cascade: the average precision of a model that knows nothing.
    brier, log_loss : float
        Means; log loss in nats.
    average_precision, lift_low, lift_high : float
        Area under the curve of precision on recall, and the 95 % interval of how far it exceeds `base_rate`.
    gain, gain_low, gain_high : float
        Log loss saved against the base rate known beforehand, nats a sample, with its 95 % interval.
    p_no_gain : float
        One-sided p-value of "no log loss is saved".
    brier_skill : float
        One less Brier score over that of the base rate.
    verdict : str
        `BETTER`, `NO_BETTER` or `NOT_ENOUGH_DATA`.

    """

    model: str
    samples: int
    cascades: int
    base_rate: float
    brier: float
    log_loss: float
    average_precision: float
    lift_low: float
    lift_high: float
    gain: float
    gain_low: float
    gain_high: float
    p_no_gain: float
    brier_skill: float
    verdict: str


@dataclass(frozen=True)
class Bin:
    """Samples of which a similar probability was said: its mean, the share before a cascade, and how many they are."""

    said: float
    seen: float
    n: int


def log_losses(label: Floats, probability: Floats) -> Floats:
    """Log loss of each sample, nats."""
    p = np.clip(probability, _LEAST, 1.0 - _LEAST)
    return np.asarray(-(label * np.log(p) + (1.0 - label) * np.log1p(-p)))


def brier_score(label: Floats, probability: Floats) -> float:
    """Mean squared distance of probability and label (Brier 1950)."""
    return float(np.mean((probability - label) ** 2))


def precision_recall(label: Floats, probability: Floats) -> tuple[Floats, Floats]:
    """Precision and recall at every threshold, from the highest down; equal probabilities are one threshold."""
    order = np.argsort(-probability, kind="stable")
    hits = np.cumsum(label[order])
    last = np.flatnonzero(np.r_[np.diff(probability[order]) != 0.0, True])
    return hits[last] / (last + 1.0), hits[last] / hits[-1]


def average_precision(label: Floats, probability: Floats) -> float:
    """Area under precision on recall as a step function; NaN without a positive or a negative sample."""
    if not len(label) or not 0.0 < label.mean() < 1.0:
        return math.nan
    precision, recall = precision_recall(label, probability)
    return float(np.sum(np.diff(np.r_[0.0, recall]) * precision))


def calibration_bins(label: Floats, probability: Floats, bins: int = 10) -> list[Bin]:
    """Cut samples by probability into bins of about equal counts; equal probabilities stay together."""
    if not len(label):
        return []
    edges = np.unique(np.quantile(probability, np.linspace(0.0, 1.0, bins + 1)))
    place = np.clip(np.searchsorted(edges, probability, side="right") - 1, 0, max(len(edges) - 2, 0))
    return [
        Bin(float(probability[own].mean()), float(label[own].mean()), int(own.sum()))
        for own in (place == k for k in range(max(len(edges) - 1, 1)))
        if own.any()
    ]


def score(table: CascadeTable, said: Predictions, base: Predictions, level: float = 0.05) -> Score:
    """Judge one candidate against the base rate on the same rows.

    Parameters
    ----------
    table : CascadeTable
    said, base : Predictions
        Of the candidate and of the base rate; the same rows.
    level : float
        Of the one-sided test.

    """
    tested = table.take(said.rows)
    label = tested.label
    if not len(label):
        return _unknown(said.model)
    loss = log_losses(label, said.probability)
    found = block_mean(log_losses(label, base.probability) - loss, tested.made_at_ns, tested.horizon_ns)
    precision = average_precision(label, said.probability)
    lift = _lift(tested, said.probability, precision)
    p = found.p_not_above(0.0) if found is not None else math.nan
    own, known = brier_score(label, said.probability), brier_score(label, base.probability)
    return Score(
        said.model,
        len(label),
        tested.cascades,
        float(label.mean()),
        own,
        float(loss.mean()),
        precision,
        *lift,
        *((found.estimate, found.low, found.high) if found is not None else (math.nan,) * 3),
        p,
        1.0 - own / known if known > 0.0 else math.nan,
        _verdict(found, lift[0], p, level),
    )


def score_all(table: CascadeTable, many: Mapping[str, Predictions], level: float = 0.05) -> list[Score]:
    """Judge every candidate."""
    return [score(table, said, many[BASE_RATE], level) for said in many.values()]


def better(table: CascadeTable, first: Predictions, second: Predictions) -> BlockMean | None:
    """Log loss the first saves against the second on the rows both forecast; None where there are too few.

    Parameters
    ----------
    table : CascadeTable
    first, second : Predictions

    """
    rows, own, other = np.intersect1d(first.rows, second.rows, return_indices=True)
    tested = table.take(rows)
    saved = log_losses(tested.label, second.probability[other]) - log_losses(
        tested.label, first.probability[own]
    )
    return block_mean(saved, tested.made_at_ns, tested.horizon_ns)


def choose(table: CascadeTable, many: Mapping[str, Predictions], level: float = 0.05) -> str:
    """Return the candidate to put forward: the simplest no later one beats significantly."""
    best = BASE_RATE
    for name in CANDIDATES:
        if name in many and name != best:
            found = better(table, many[name], many[best])
            if found is not None and found.p_not_above(0.0) < level:
                best = name
    return best


def _unknown(model: str) -> Score:
    n = math.nan
    return Score(model, 0, 0, n, n, n, n, n, n, n, n, n, n, n, NOT_ENOUGH_DATA)


def _lift(tested: CascadeTable, probability: Floats, precision: float) -> tuple[float, float]:
    """95 % interval of average precision less base rate, leaving out a block of time at a time."""
    label = tested.label
    edges = block_edges(tested.made_at_ns, tested.horizon_ns)
    if edges is None or math.isnan(precision):
        return math.nan, math.nan
    kept = [np.r_[0 : edges[i], edges[i + 1] : len(label)] for i in range(len(edges) - 1)]
    without = [average_precision(label[k], probability[k]) - float(label[k].mean()) for k in kept]
    if not np.isfinite(without).all():
        return math.nan, math.nan
    whole = precision - float(label.mean())
    half, _ = block_jackknife(whole, without)
    return whole - half, whole + half


def _verdict(found: BlockMean | None, lift_low: float, p: float, level: float) -> str:
    if found is None or math.isnan(lift_low):
        return NOT_ENOUGH_DATA
    return BETTER if p < level and lift_low > 0.0 else NO_BETTER
