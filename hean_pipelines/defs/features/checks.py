"""Checks of the feature table, as functions of tables and inputs.

Here belongs what must hold of features; wiring them to assets is the business of `assets`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from models.funding.features import FEATURE_NAMES, FundingContext
from models.funding.inputs import FundingInputs, intervals_h
from models.funding.table import FeatureTable


@dataclass(frozen=True)
class Outcome:
    """Whether a check passed and what it saw."""

    passed: bool
    seen: dict[str, object] = field(default_factory=dict)


def causal(table: FeatureTable, inputs: Mapping[str, FundingInputs], sample: int = 60) -> Outcome:
    """Recompute rows from inputs cut at each row's own instant: they must not differ by a bit.

    Parameters
    ----------
    table : FeatureTable
    inputs : mapping of str to FundingInputs
        By symbol.
    sample : int
        How many rows, evenly spaced.

    """
    positions = np.unique(np.linspace(0, len(table) - 1, min(sample, len(table))).astype(int))
    differing: list[str] = []
    for position in positions:
        own = inputs[str(table.symbol[position])]
        settlement, at = int(table.settlement_ns[position]), int(table.made_at_ns[position])
        index = int(np.searchsorted(own.settlement_ts, settlement))
        hours = float(intervals_h(own.settlement_ts)[index])
        row = FundingContext(own.as_of(at)).row(settlement, at, hours)
        stored = table.features[position]
        if row is None:
            differing.append(f"{own.symbol} {settlement}: no row")
        elif not np.array_equal(row.values, stored, equal_nan=True):
            wrong = [
                n for n, a, b in zip(FEATURE_NAMES, row.values, stored, strict=True) if a != b and a == a
            ]
            differing.append(f"{own.symbol} {settlement}: {', '.join(wrong)}")
    return Outcome(not differing, {"rows_recomputed": len(positions), "differing": differing[:5]})


def finite_where_required(table: FeatureTable) -> Outcome:
    """Check that structural columns are never missing; optional data may be."""
    required = ("rate_last", "structural_rate", "filtered_rate", "latent_sd", "implied_rate_now")
    missing = {
        name: int((~np.isfinite(table.features[:, FEATURE_NAMES.index(name)])).sum()) for name in required
    }
    return Outcome(len(table) > 0 and not any(missing.values()), {"rows": len(table), **missing})


def missing_shares(table: FeatureTable) -> dict[str, float]:
    """Share of rows in which each feature is missing, for those that ever are."""
    shares = np.isnan(table.features).mean(axis=0) if len(table) else np.zeros(len(FEATURE_NAMES))
    return {n: round(float(s), 4) for n, s in zip(FEATURE_NAMES, shares, strict=True) if s > 0.0}
