"""The alias moves on evidence, and only on forecasts the champion had not been trained on."""

from __future__ import annotations

import numpy as np
import pytest

from models.funding.candidates import Candidate
from models.funding.distribution import NORMAL_QUANTILES
from models.funding.features import INDEX
from models.funding.predictor import FundingPredictor
from models.funding.promotion import (
    LEAST_SHARED,
    against_champion,
    champion_predictions,
    first_champion,
    same_forecasts,
)
from models.funding.table import FeatureTable
from models.funding.walk_forward import Predictions

SHAPES = {90: NORMAL_QUANTILES}


def _as_predictions(table: FeatureTable, predicted: np.ndarray) -> Predictions:
    rows = np.arange(len(table))
    return Predictions("x", rows, predicted, predicted, predicted, predicted, np.zeros(len(rows)))


def test_the_champion_is_judged_only_on_what_it_never_saw(table: FeatureTable) -> None:
    champion = FundingPredictor(Candidate("structural"), SHAPES)
    through = int(np.median(table.settlement_ns))
    seen = champion_predictions(table, champion, through)
    assert len(seen.rows)
    assert table.made_at_ns[seen.rows].min() > through
    assert np.array_equal(seen.predicted, table.features[seen.rows, INDEX["structural_rate"]])


def test_same_forecasts(table: FeatureTable) -> None:
    first, second = (FundingPredictor(Candidate(n), SHAPES) for n in ("structural", "last_rate"))
    assert same_forecasts(table, first, FundingPredictor(Candidate("structural"), {90: NORMAL_QUANTILES * 2}))
    assert not same_forecasts(table, first, second)
    assert not same_forecasts(table.take(np.arange(0)), first, first)


def test_the_first_champion_needs_its_checks() -> None:
    assert first_champion(True, []).promote
    refused = first_champion(False, ["interval_is_honest"])
    assert not refused.promote
    assert "interval_is_honest" in refused.reason


@pytest.mark.parametrize(
    ("challenger", "champion", "expired", "promoted"),
    [
        (0.2, 0.6, False, True),
        (0.6, 0.2, False, False),
        (0.6, 0.2, True, False),
        (0.4, 0.4, False, False),
        (0.4, 0.4, True, True),
    ],
    ids=["better", "worse", "worse, expired", "alike", "alike, expired"],
)
def test_decision(
    table: FeatureTable, challenger: float, champion: float, expired: bool, promoted: bool
) -> None:
    rng = np.random.default_rng(1)
    sd = table.realised.std()
    noise = rng.normal(0.0, sd, (2, len(table)))
    decision = against_champion(
        table,
        _as_predictions(table, table.realised + challenger * noise[0]),
        _as_predictions(table, table.realised + champion * noise[1]),
        90,
        level=0.05,
        same=False,
        expired=expired,
    )
    assert decision.promote == promoted
    assert decision.shared >= LEAST_SHARED
    assert decision.p_value is not None


@pytest.mark.parametrize("expired", [False, True])
def test_too_few_shared_settlements_leave_the_champion_unless_it_expired(
    table: FeatureTable, expired: bool
) -> None:
    few = table.take(np.arange(3 * LEAST_SHARED - 30))
    rng = np.random.default_rng(1)
    first, second = (
        _as_predictions(few, few.realised + k * rng.normal(0, 1e-4, len(few))) for k in (0.1, 1.0)
    )
    decision = against_champion(few, first, second, 90, level=0.05, same=False, expired=expired)
    assert decision.promote == expired
    assert f"need {LEAST_SHARED}" in decision.reason


def test_the_same_forecasts_renew_the_champion(table: FeatureTable) -> None:
    same = _as_predictions(table, table.realised)
    assert against_champion(table, same, same, 90, level=0.05, same=True, expired=False).promote
