"""From walk-forward to a bundle: fit the chosen candidate on everything and pack it.

Here belongs what goes into the bundle of kind `funding_predictor`. Logging it to MLflow is the business of `predictor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hean_pipelines.versions import code_version, data_version
from models.bundle import build_bundle
from models.funding.features import FEATURE_NAMES, FEATURE_SPEC_HASH
from models.funding.inputs import HOUR_NS
from models.funding.predictor import FundingPredictor, check_golden_rows, golden_rows
from models.funding.training import fit
from models.funding.walk_forward import DAY_NS, WalkForwardParams, final_shapes

if TYPE_CHECKING:
    from models.funding.table import FeatureTable
    from models.funding.walk_forward import Predictions

REGISTERED = "hean-funding"


@dataclass(frozen=True)
class Packed:
    """A bundle ready to be registered, with what is said about it."""

    files: dict[str, bytes]
    predictor: FundingPredictor
    trained_through_ns: int
    expires_at_ns: int
    code_version: str
    data_version: str


def pack(
    table: FeatureTable,
    name: str,
    predictions: Mapping[str, Predictions],
    params: WalkForwardParams,
    valid_days: float,
    evidence: dict[str, Any],
) -> Packed:
    """Fit `name` on the newest window of the table and pack it.

    Parameters
    ----------
    table : FeatureTable
    name : str
        The chosen candidate.
    predictions : mapping of str to Predictions
        From the walk-forward; the error distribution comes from them.
    params : WalkForwardParams
    valid_days : float
        Days after the last label that the bundle may be used.
    evidence : dict
        Verdicts by study id.

    Returns
    -------
    Packed

    """
    through = int(table.settlement_ns.max())
    recent = table.take(table.made_at_ns >= through - params.max_train_days * DAY_NS)
    predictor = FundingPredictor(fit(name, recent, params.training), final_shapes(table, predictions[name]))
    golden = golden_rows(predictor, recent.features)
    expires = through + round(valid_days * 24 * HOUR_NS)
    code, data = code_version(), data_version(table)
    files = build_bundle(
        predictor.to_files(),
        name=REGISTERED,
        kind="funding_predictor",
        feature_spec_hash=FEATURE_SPEC_HASH,
        trained_through_ns=through,
        expires_at_ns=expires,
        code_version=code,
        data_version=data,
        golden=golden,
        evidence=evidence,
    )
    reread = FundingPredictor.from_files(files)
    check_golden_rows(reread, golden)  # a bundle that its own maker cannot reload must not reach the registry
    return Packed(files, reread, through, expires, code, data)


def input_example(table: FeatureTable) -> dict[str, float]:
    """Return the newest row without a missing feature, or the newest with zeros for what is missing."""
    complete = np.flatnonzero(np.isfinite(table.features).all(axis=1))
    row = table.features[complete[-1] if len(complete) else -1]
    return {name: float(np.nan_to_num(value)) for name, value in zip(FEATURE_NAMES, row, strict=True)}
