"""The declared vector, its hash, and the parameters' check."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import ConfigError, DataError
from models.market.feature_params import PARAMS, FeatureParams, check_params, params_hash, params_record
from models.market.feature_spec import FEATURE_NAMES, FEATURE_SPEC_HASH, FEATURES, VERSION, spec_hash
from models.market.record import MARKET, feature_view, new_market, new_markets
from models.regimes.hmm import GaussianHmm

UNITS = {
    *("quote", "base", "usd", "usd/s", "bps", "fraction", "z", "code", "flag", "s", "h", "1", "1/usd"),
    "quote/usd",
}


def test_names_are_unique_and_lead_the_record_in_order() -> None:
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)
    assert MARKET.names is not None
    assert MARKET.names[: len(FEATURE_NAMES)] == FEATURE_NAMES
    for i, name in enumerate(FEATURE_NAMES):
        assert MARKET.fields is not None
        assert MARKET.fields[name][:2] == (np.dtype(np.float64), 8 * i)


def test_every_feature_has_a_unit_a_row_and_a_meaning() -> None:
    assert {feature.unit for feature in FEATURES} <= UNITS
    assert all(feature.row[0] == "F" and feature.meaning for feature in FEATURES)
    rows = {feature.row for feature in FEATURES}
    assert {f"F{i}" for i in range(3, 17)} <= rows
    for feature in FEATURES:
        if feature.name.endswith("_bps"):
            assert feature.unit == "bps"


def test_the_hash_follows_every_change() -> None:
    assert spec_hash(FEATURES, VERSION) == FEATURE_SPEC_HASH
    assert spec_hash(FEATURES, VERSION + 1) != FEATURE_SPEC_HASH
    assert spec_hash(FEATURES[1:] + FEATURES[:1], VERSION) != FEATURE_SPEC_HASH
    renamed = (FEATURES[0]._replace(unit="usd"), *FEATURES[1:])
    assert spec_hash(renamed, VERSION) != FEATURE_SPEC_HASH


def test_the_view_is_the_record() -> None:
    markets = new_markets(3)
    view = feature_view(markets)
    assert view.shape == (3, len(FEATURE_NAMES))
    assert np.isnan(view).all()
    markets[1]["vpin"] = 0.25
    assert view[1, FEATURE_NAMES.index("vpin")] == 0.25
    assert np.isnan(new_market().vpin)
    with pytest.raises(DataError, match="at least one symbol"):
        new_markets(0)


def test_parameters_reach_compiled_code_unchanged() -> None:
    chosen = FeatureParams(theta=3e-4, vpin_bucket_usd=5000.0)
    record = params_record(chosen)
    assert record.dtype == PARAMS
    for name, number in chosen._asdict().items():
        assert record[name] == number
    assert record.hmm_states == 0
    assert params_hash(chosen) != params_hash(FeatureParams())


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"vpin_buckets": 0}, "vpin_buckets: expected more than 0"),
        ({"vpin_buckets": 257}, "expected at most 256"),
        ({"theta": -1e-4}, "theta: expected at least 0"),
        ({"kappa": float("nan")}, "kappa"),
        ({"kyle_window": 2}, "expected at least 3"),
        ({"bar_ns": 7_000_000_000}, "bar_ns / 5: expected a multiple of tick_ns"),
        ({"cvd_period_ns": 300_000_000}, "cvd_period_ns: expected a multiple"),
    ],
)
def test_unusable_parameters_are_refused(changed: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_params(FeatureParams()._replace(**changed))


def test_a_model_of_the_regimes_is_carried() -> None:
    two = GaussianHmm(
        np.array([0.6, 0.4]), np.array([[0.9, 0.1], [0.2, 0.8]]), np.zeros(2), np.array([1.0, 9.0])
    )
    record = params_record(FeatureParams(), two)
    assert record.hmm_states == 2
    assert record.hmm_transition[:2, :2].tolist() == two.transition.tolist()
    five = GaussianHmm(np.full(5, 0.2), np.full((5, 5), 0.2), np.zeros(5), np.ones(5))
    with pytest.raises(ConfigError, match="at most 4 states"):
        params_record(FeatureParams(), five)
