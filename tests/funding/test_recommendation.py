"""ENTER, HOLD and EXIT follow from the distribution and the costs."""

from __future__ import annotations

import numpy as np
import pytest

from models.funding.distribution import NORMAL_QUANTILES, distribution
from models.funding.predictor import FundingForecast
from models.funding.recommendation import recommend


def _forecast(predicted: float, scale: float, shape: np.ndarray = NORMAL_QUANTILES) -> FundingForecast:
    spread = distribution(predicted, scale, shape, -0.01, 0.01)
    return FundingForecast(
        "AAAUSDT", 2, 1, 90, predicted, spread.at(0.05), spread.at(0.5), spread.at(0.95), 0.0, spread
    )


@pytest.mark.parametrize(("predicted", "side"), [(0.002, -1), (-0.002, 1)])
def test_funding_well_above_costs_says_enter(predicted: float, side: int) -> None:
    advice = recommend(_forecast(predicted, 2e-4), round_trip_cost=0.0012)
    assert (advice.action, advice.side) == ("ENTER", side)
    assert advice.expected_net == pytest.approx(0.0008, rel=1e-6)
    assert advice.probability > 0.98


@pytest.mark.parametrize("predicted", [0.0005, -0.0005])
def test_funding_below_costs_says_hold(predicted: float) -> None:
    advice = recommend(_forecast(predicted, 2e-4), round_trip_cost=0.0012)
    assert advice.action == "HOLD"
    assert advice.expected_net == pytest.approx(-0.0007, rel=1e-6)
    assert advice.probability < 0.02


def test_a_gain_that_is_not_sure_enough_says_hold() -> None:
    forecast = _forecast(0.0013, 1e-3)
    assert recommend(forecast, 0.0012, min_probability=0.6).action == "HOLD"
    assert recommend(forecast, 0.0012, min_probability=0.5).action == "ENTER"


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_side_more_likely_to_pay_says_exit(sign: float) -> None:
    # Past errors lean against the forecast: most quantiles lie on the paying side.
    advice = recommend(_forecast(sign * 1e-5, 1e-4, NORMAL_QUANTILES - sign * 1.0), 0.0012)
    assert advice.action == "EXIT"
