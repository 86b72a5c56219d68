"""M2 and M4 in the executor: bundles loaded, swapped, refused; probabilities and parameters out of them."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

from hean_live.app.cascade_forecaster import load_cascade
from hean_live.app.model_store import CASCADE_KIND, REGIME_HMM_KIND, ModelStore
from hean_live.app.regime_model import RegimeFollower, install, load_regimes, params_of
from hean_live.bundle.cache import BundleCache, Pointer
from hean_live.bundle.fetch import FETCHED
from hean_live.bundle.watcher import FetchResult
from hean_live.shadow.bank import CASCADE_S, SymbolBank
from hean_live.shadow.contracts import ShadowContract
from models.bundle import build_bundle
from models.cascade.features import CASCADE_SPEC_HASH
from models.cascade.labels import LabelParams
from models.cascade.predictor import KIND as CASCADE
from models.cascade.predictor import CascadePredictor, golden_rows
from models.cascade.training import TrainingParams, fit
from models.errors import BundleError
from models.market.feature_params import FeatureParams, params_record
from models.market.record import new_symbols
from models.market.step import event_of, tick_of
from models.market.symbol_params import params_of_symbol
from models.regimes import bundle as regime_bundle
from models.regimes.hmm import GaussianHmm, forward
from models.simulation.order_flow.generator import generate_order_flow
from tests.cascade.markets import light, table_of

TWO = GaussianHmm(
    np.array([0.9, 0.1]), np.array([[0.95, 0.05], [0.2, 0.8]]), np.array([0.0, 0.0]), np.array([1.0, 16.0])
)
SYMBOLS = ("AAAUSDT", "BBBUSDT")
FOREVER = 2**62


@cache
def predictor() -> CascadePredictor:
    return CascadePredictor(fit("forest", table_of(2.0, 11, 72.0), TrainingParams(trees=10)), LabelParams())


def cascade_bundle(**changes):
    made = predictor()
    fields = {
        "name": "hean-cascade",
        "kind": CASCADE,
        "feature_spec_hash": CASCADE_SPEC_HASH,
        "trained_through_ns": 1,
        "expires_at_ns": FOREVER,
        "code_version": "",
        "data_version": "",
        "golden": golden_rows(made, table_of(2.0, 11, 72.0).features),
        "evidence": {"M2": {"passed": True, "market": "synthetic"}},
    }
    return build_bundle(made.to_files(), **{**fields, **changes})


def regimes_bundle(model=TWO, **changes):
    models = regime_bundle.RegimeModels({"AAAUSDT": model})
    fields = {
        "name": "hean-regime-hmm",
        "kind": regime_bundle.KIND,
        "feature_spec_hash": regime_bundle.HMM_SPEC_HASH,
        "trained_through_ns": 1,
        "expires_at_ns": FOREVER,
        "code_version": "",
        "data_version": "",
        "golden": regime_bundle.golden_rows(models, {"AAAUSDT": np.linspace(-3, 5, 40)}),
    }
    return build_bundle(models.to_files(), **{**fields, **changes})


def run(state, place: int, events, stop_at=None) -> list[float]:
    """Feed a tape; returns the mid at the close of each bar."""
    closes, bars = [], 0
    for row in range(len(events)):
        while tick_of(state, place, int(events["local_ts"][row])):
            own = state["market"]["internal"]
            if own["bars"][place] != bars:
                bars = int(own["bars"][place])
                closes.append(float(state["market"]["mid"][place]))
                if bars == stop_at:
                    return closes
        event_of(state, place, events, row)
    return closes


def tape():
    return generate_order_flow(light(2.0), 5, 1800.0).events


def test_the_probability_is_the_predictors_for_the_record_and_only_while_it_is_good():
    state = new_symbols([0.5, 0.5], [params_record()] * 2)
    forecaster = load_cascade("3", cascade_bundle())
    assert forecaster.horizon_s == 300.0
    assert forecaster.trained_on == "synthetic"
    assert math.isnan(forecaster.probability(state, 1))  # no tick yet
    run(state, 1, tape())
    before = state.tobytes()
    said = forecaster.probability(state, 1)
    assert 0.0 < said < 1.0
    assert state.tobytes() == before
    assert said == forecaster.probability(state, 1)
    now_ns = int(state["market"]["tick_at_ns"][1])
    assert forecaster.refusal(now_ns) == ""
    expired = load_cascade("4", cascade_bundle(expires_at_ns=now_ns))
    assert math.isnan(expired.probability(state, 1))
    assert "expired" in expired.refusal(now_ns)
    foreign = load_cascade("5", cascade_bundle(feature_spec_hash="other"))
    assert math.isnan(foreign.probability(state, 1))
    assert "feature spec" in foreign.refusal(0)
    assert math.isnan(foreign.horizon_s)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"kind": "regime_matrix"}, "kind"), ({"golden": []}, "golden")],
)
def test_other_bundles_are_refused(change, words):
    with pytest.raises(BundleError, match=words):
        load_cascade("1", cascade_bundle(**change))
    with pytest.raises(BundleError, match=words):
        load_regimes("1", regimes_bundle(**change))


def test_damaged_regime_models_are_refused():
    for model in (
        TWO._replace(start=np.array([0.9, 0.3])),
        TWO._replace(variances=np.array([16.0, 1.0])),
        TWO._replace(transition=np.eye(3)),
        TWO._replace(means=np.array([0.0, np.nan])),
    ):
        files = regime_bundle.RegimeModels({"AAAUSDT": model}).to_files()
        with pytest.raises(BundleError, match="AAAUSDT"):
            regime_bundle.RegimeModels.from_files(files)
    for data in (b"{", b"[]", b'{"bar_s": 300, "symbols": {}}'):
        with pytest.raises(BundleError, match=r"hmm\.json"):
            regime_bundle.RegimeModels.from_files({"hmm.json": data})
    altered = regimes_bundle()
    golden = load_regimes("1", altered).manifest.golden
    golden[0]["expected"]["probabilities"][0] += 1e-6
    with pytest.raises(BundleError, match="golden row of AAAUSDT"):
        regime_bundle.check_golden_rows(load_regimes("1", altered).models, golden)


def test_the_market_record_filters_with_the_loaded_model():
    loaded = load_regimes("2", regimes_bundle())
    state = new_symbols([0.5, 0.5], params_of(loaded, SYMBOLS, 0))
    events = tape()
    closes = run(state, 0, events)
    run(state, 1, events)
    returns = np.diff(np.log(closes)) * 1e4
    assert len(returns) > 20
    wanted = forward(returns, *TWO)[0][-1, 1]
    assert state["market"]["hmm_turbulent"][0] == pytest.approx(wanted, rel=1e-9)
    assert np.isnan(state["market"]["hmm_turbulent"][1])  # no model of this symbol
    assert params_of(loaded, SYMBOLS, FOREVER)[0]["hmm_states"] == 0  # expired
    assert params_of(None, SYMBOLS, 0)[0]["hmm_states"] == 0
    with pytest.raises(BundleError, match="should last 60 s"):
        params_of(loaded, SYMBOLS, 0, FeatureParams(bar_ns=300_000_000_000))


@pytest.mark.parametrize("testnet", [False, True])
def test_each_symbol_has_its_own_bucket_of_vpin_and_keeps_it_under_another_model(testnet):
    names, loaded = ("BTCUSDT", "SOLUSDT", "AAAUSDT"), load_regimes("2", regimes_bundle())
    rows = params_of(loaded, names, 0, testnet=testnet)
    buckets = [params_of_symbol(name, testnet).vpin_bucket_usd for name in names]
    assert [row["vpin_bucket_usd"] for row in rows] == buckets
    assert len(set(buckets)) == 3
    state = new_symbols([0.5] * 3, rows)
    install(loaded, names, state, 0)
    assert state["params"]["vpin_bucket_usd"].tolist() == buckets


def test_another_model_is_put_into_running_records_and_filters_from_its_first_bar():
    one = TWO._replace(variances=np.array([4.0, 9.0]))
    state = new_symbols([0.5], params_of(load_regimes("1", regimes_bundle()), SYMBOLS[:1], 0))
    events = tape()
    closes = run(state, 0, events, stop_at=8)
    others = {name: state["params"][name].copy() for name in state["params"].dtype.names if "hmm" not in name}
    install(load_regimes("2", regimes_bundle(one)), SYMBOLS[:1], state, 0)
    assert np.isnan(state["market"]["hmm_turbulent"][0])
    assert all(np.array_equal(state["params"][name], kept) for name, kept in others.items())
    rest = run(state, 0, events[events["local_ts"] >= state["market"]["now_ns"][0]])
    returns = np.diff(np.log(closes[-1:] + rest[1:] if rest[0] == closes[-1] else closes[-1:] + rest)) * 1e4
    assert state["market"]["hmm_turbulent"][0] == pytest.approx(forward(returns, *one)[0][-1, 1], rel=1e-9)


def test_the_store_fetches_swaps_and_keeps_the_last_good_one(tmp_path):
    noted = []
    store = ModelStore(
        tmp_path,
        "hean-funding",
        "hean-regime-matrix",
        lambda kind, body: noted.append((kind, body)),
        cascade_name="hean-cascade",
        regime_name="hean-regime-hmm",
    )
    cache_of = {name: BundleCache(tmp_path / name) for name in ("hean-cascade", "hean-regime-hmm")}
    cache_of["hean-cascade"].store("1", cascade_bundle())
    cache_of["hean-cascade"].point_to(Pointer("1", "run"))
    store.load_cached()
    assert store.cascade is not None
    assert store.cascade.version == "1"
    assert store.regimes is None
    cache_of["hean-regime-hmm"].store("4", regimes_bundle())
    assert store.take(REGIME_HMM_KIND, FetchResult(FETCHED, "4", "run4"))
    assert store.regimes is not None
    assert store.regimes.model_of("AAAUSDT", 0) is not None
    cache_of["hean-cascade"].store("2", cascade_bundle(golden=[]))
    assert not store.take(CASCADE_KIND, FetchResult(FETCHED, "2", "run2"))
    assert store.cascade.version == "1"
    assert store.wanted_version(CASCADE_KIND) == "2"
    assert noted[-1][1]["code"] == "BUNDLE_REFUSED"


def test_a_store_without_their_names_does_not_look_for_them(tmp_path):
    store = ModelStore(tmp_path, "hean-funding", "hean-regime-matrix", lambda kind, body: None)
    store.load_cached()
    assert store.cascade is None
    with pytest.raises(KeyError):
        store.wanted_version(CASCADE_KIND)


def test_running_records_follow_the_models_in_use():
    state = new_symbols([0.5, 0.5], [params_record()] * 2)
    follower = RegimeFollower(SYMBOLS, state)
    assert not follower.follow(None, 0)
    first = load_regimes("1", regimes_bundle(expires_at_ns=100))
    assert follower.follow(first, 0)
    assert state["params"]["hmm_states"].tolist() == [2, 0]
    state["market"]["internal"]["hmm"][0] = 0.5
    assert not follower.follow(first, 99)
    assert (state["market"]["internal"]["hmm"][0] == 0.5).all()
    # Expired: no model, said once.
    assert follower.follow(first, 100)
    assert state["params"]["hmm_states"].tolist() == [0, 0]
    assert not follower.follow(first, 101)
    second = load_regimes("2", regimes_bundle(TWO._replace(variances=np.array([4.0, 9.0]))))
    assert follower.follow(second, 101)
    assert state["params"]["hmm_variances"][0, :2].tolist() == [4.0, 9.0]
    foreign = load_regimes("3", regimes_bundle(feature_spec_hash="other"))
    assert follower.follow(foreign, 102)
    assert state["params"]["hmm_states"].tolist() == [0, 0]


def test_the_bank_keeps_a_forecast_a_horizon_and_filters_with_the_model_in_use():
    bank = SymbolBank("AAAUSDT", ShadowContract(0.5, 0.001, 0.0002, 0.00055), 1e4, ("impact_reversion",))
    forecaster, events = load_cascade("3", cascade_bundle()), tape()
    bank.follow_regimes(load_regimes("1", regimes_bundle()))
    said, seen = [], {}
    for start in range(0, len(events), 200):
        bank.take(events[start : start + 200])
        probability = bank.cascade_probability(forecaster)
        for one in bank.said():
            said.append(one)
            seen[one.at_ns] = (probability, forecaster.features_hash)
    horizons = [one.at_ns // 300_000_000_000 for one in said]
    assert horizons == list(range(horizons[0], horizons[0] + len(said)))
    assert len(said) >= 6
    late = [one.at_ns % 300_000_000_000 for one in said[1:]]
    assert max(late) < 2 * CASCADE_S * 1_000_000_000
    for one in said:
        assert (one.symbol, one.version, one.horizon_s) == ("AAAUSDT", "3", 300.0)
        assert one.spec_hash == CASCADE_SPEC_HASH
        assert (one.probability, one.features_hash) == seen[one.at_ns]
    assert len({one.features_hash for one in said}) == len(said)
    state = bank._run.symbols
    assert np.isfinite(state["market"]["hmm_turbulent"][0])
    bank.follow_regimes(load_regimes("2", regimes_bundle(TWO._replace(variances=np.array([4.0, 9.0])))))
    assert state["params"]["hmm_variances"][0, :2].tolist() == [4.0, 9.0]
    assert np.isnan(state["market"]["hmm_turbulent"][0])
