"""From walk-forward to a bundle: fit the chosen cascade candidate on everything, pack it, keep what promotion needs.

Here belongs what goes into the bundle of kind `cascade_predictor` and the table of out-of-sample probabilities. Logging to
MLflow is the business of `cascade`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hean_pipelines.versions import code_version
from models.bundle import build_bundle
from models.cascade.features import CASCADE_SPEC_HASH, FEATURE_NAMES
from models.cascade.labels import CascadeTable, LabelParams
from models.cascade.predictor import KIND, CascadePredictor, check_golden_rows, golden_rows
from models.cascade.scores import BETTER, Score
from models.cascade.training import TrainingParams, fit
from models.cascade.walk_forward import Predictions
from models.evidence.intervals import block_mean

if TYPE_CHECKING:
    import polars as pl

REGISTERED = "hean-cascade"
DAY_NS = 86_400_000_000_000


@dataclass(frozen=True)
class Packed:
    """A bundle ready to be registered, with what is said about it."""

    files: dict[str, bytes]
    predictor: CascadePredictor
    trained_through_ns: int
    expires_at_ns: int
    code_version: str
    data_version: str


def pack(
    table: CascadeTable,
    name: str,
    labels: LabelParams,
    params: TrainingParams,
    valid_days: float,
    evidence: dict[str, Any],
) -> Packed:
    """Fit `name` on the whole table and pack it.

    Parameters
    ----------
    table : CascadeTable
    name : str
        The chosen candidate.
    labels : LabelParams
    params : TrainingParams
    valid_days : float
        Days after the last label was known that the bundle may be used.
    evidence : dict
        Verdicts by study id.

    """
    through = int(table.known_ns.max())
    predictor = CascadePredictor(fit(name, table, params), labels)
    golden = golden_rows(predictor, np.ascontiguousarray(table.features))
    expires = through + round(valid_days * DAY_NS)
    code, data = code_version(), table_version(table)
    files = build_bundle(
        predictor.to_files(),
        name=REGISTERED,
        kind=KIND,
        feature_spec_hash=CASCADE_SPEC_HASH,
        trained_through_ns=through,
        expires_at_ns=expires,
        code_version=code,
        data_version=data,
        golden=golden,
        evidence=evidence,
    )
    reread = CascadePredictor.from_files(files)
    check_golden_rows(reread, golden)  # a bundle that its own maker cannot reload must not reach the registry
    return Packed(files, reread, through, expires, code, data)


def table_version(table: CascadeTable) -> str:
    """Return the SHA-256 of a table's rows, first 16 digits."""
    digest = hashlib.sha256()
    for column in (table.made_at_ns, table.onset_ns, np.ascontiguousarray(table.features)):
        digest.update(column.tobytes())
    return digest.hexdigest()[:16]


def checks_of(table: CascadeTable, score: Score, said: Predictions) -> dict[str, bool]:
    """Say what a challenger must pass: it beats the base rate, and on average says what happens.

    Parameters
    ----------
    table : CascadeTable
    score : Score
        Of the chosen candidate.
    said : Predictions
        Its own.

    """
    tested = table.take(said.rows)
    gap = block_mean(said.probability - tested.label, tested.made_at_ns, tested.horizon_ns)
    return {
        "beats_the_base_rate": score.verdict == BETTER,
        "says_what_happens_on_average": gap is not None and gap.low <= 0.0 <= gap.high,
    }


def tested_frame(table: CascadeTable, many: Mapping[str, Predictions], chosen: str) -> pl.DataFrame:
    """Return every tested sample with its features, its label and what the chosen candidate said of it."""
    import polars as pl

    said = many[chosen]
    tested = table.take(said.rows)
    columns: dict[str, Any] = {
        "made_at_ns": tested.made_at_ns,
        "known_ns": tested.known_ns,
        "onset_ns": tested.onset_ns,
        "probability": said.probability,
    }
    columns |= {name: tested.features[:, i] for i, name in enumerate(FEATURE_NAMES)}
    return pl.DataFrame(columns)


def metrics_of(score: Score) -> dict[str, float]:
    """Return a candidate's figures as MLflow metrics; undefined ones are left out."""
    return {
        name: float(value)
        for name, value in vars(score).items()
        if name not in ("model", "verdict") and value == value
    }


def score_rows(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """Return scores as JSON rows, None for what is undefined."""
    return [{k: None if v != v else v for k, v in vars(s).items()} for s in scores]
