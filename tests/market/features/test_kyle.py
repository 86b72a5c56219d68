"""Kyle's lambda against the published regression and NumPy's least squares."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from models.market.features.kyle import KYLE, kyle_lambda, lambda_through_origin, update
from models.market.features.records import new_record
from tests.support import shared_path


def test_published_regression() -> None:
    case = json.loads(shared_path("reference_vectors/microstructure.json").read_text())["kyle"]
    state = new_record(KYLE)
    for change, flow in zip(case["dp"], case["signed_notional"], strict=True):
        update(state, change, flow, 1, 8)
    assert kyle_lambda(state, 8, 8) == pytest.approx(297 / 624_700, rel=1e-12)
    assert kyle_lambda(state, 8, 8) == pytest.approx(case["lambda_with_intercept"], rel=1e-12)
    assert lambda_through_origin(state, 8, 8) == pytest.approx(83 / 171_800, rel=1e-12)


def test_rolling_window_against_numpy() -> None:
    generator = np.random.default_rng(2)
    flow = generator.normal(0.0, 1e5, 1000)
    change = 2e-6 * flow + generator.normal(0.0, 0.1, 1000)
    state = new_record(KYLE)
    for i in range(1000):
        update(state, change[i], flow[i], 3, 64)
        if i >= 63 and i % 37 == 0:
            slope = np.polyfit(flow[i - 63 : i + 1], change[i - 63 : i + 1], 1)[0]
            assert kyle_lambda(state, 64, 1) == pytest.approx(slope, rel=1e-8)


def test_undefined_before_the_least_trades_and_on_constant_flow() -> None:
    state = new_record(KYLE)
    for i in range(10):
        update(state, 0.1 * i, 1000.0 * (-1) ** i, 19, 32)
    assert math.isnan(kyle_lambda(state, 32, 200))
    update(state, 0.1, 1000.0, 10, 32)
    assert not math.isnan(kyle_lambda(state, 32, 200))
    constant = new_record(KYLE)
    for i in range(40):
        update(constant, 0.1 * i, 1000.0, 10, 32)
    assert math.isnan(kyle_lambda(constant, 32, 200))
    assert math.isnan(lambda_through_origin(new_record(KYLE), 32, 0))
