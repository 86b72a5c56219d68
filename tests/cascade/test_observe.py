"""Features: read from the record alone, the same however a tape is cut, and never from what comes later."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cascade.features import CASCADE_SPEC_HASH, FEATURE_NAMES, FEATURES, VERSION
from models.cascade.observe import WIDTH, CascadeFollower, row_of
from models.errors import DataError
from models.market.feature_params import params_record
from models.market.feature_spec import FEATURE_NAMES as MARKET_NAMES
from models.market.feature_spec import FEATURE_SPEC_HASH, Feature, spec_hash
from models.market.record import new_symbols
from models.market.step import event_of, tick_of
from models.market.symbol_params import SYMBOL_PARAMS_HASH
from models.market.tape import TRADE
from models.simulation.order_flow.generator import generate_order_flow
from tests.cascade.markets import light

EVERY_NS = 10_000_000_000


@cache
def events() -> np.ndarray:
    return generate_order_flow(light(2.0), 5, 5400.0).events


def rows_of(*chunks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    follower = CascadeFollower(0.5, EVERY_NS)
    for chunk in chunks:
        follower.take(chunk)
    tape = follower.tape()
    return tape.times, tape.features


@settings(deadline=None, max_examples=12)
@given(st.floats(0.05, 0.95), st.sampled_from(["price", "size", "side"]))
def test_no_feature_looks_ahead(share: float, field: str) -> None:
    tape = events()
    times, features = rows_of(tape)
    cut = int(share * len(tape))
    changed = tape.copy()
    late = np.arange(len(tape)) >= cut
    trades = late & (tape["kind"] == TRADE)
    changed[field][trades] = {"price": 59_000.0, "size": 7.0, "side": -1}[field]
    changed_times, changed_features = rows_of(changed)
    before = times <= tape["local_ts"][cut]
    assert np.array_equal(times, changed_times)
    assert np.array_equal(features[before], changed_features[before], equal_nan=True)
    cut_times, cut_features = rows_of(tape[:cut])
    known = len(cut_times)
    assert np.array_equal(cut_features, features[:known], equal_nan=True)


def test_where_a_tape_is_cut_changes_nothing() -> None:
    tape = events()
    whole = rows_of(tape)
    parts = rows_of(*np.array_split(tape, 7))
    assert np.array_equal(whole[0], parts[0])
    assert np.array_equal(whole[1], parts[1], equal_nan=True)
    assert (whole[0] % EVERY_NS == 0).all()


def test_the_executors_call_says_what_training_saw() -> None:
    tape = events()
    times, features = rows_of(tape)
    symbols = new_symbols([0.5, 0.5], [params_record()] * 2)
    out, seen = np.empty(WIDTH), []
    closes = []
    for row in range(len(tape)):
        now_ns = int(tape["local_ts"][row])
        while tick_of(symbols, 1, now_ns):
            at_ns = int(symbols["market"]["tick_at_ns"][1])
            if at_ns % 12_000_000_000 == 0:
                closes.append((at_ns, float(symbols["market"]["mid"][1])))
            if at_ns % EVERY_NS == 0:
                row_of(symbols, 1, out)
                seen.append(out.copy())
        event_of(symbols, 1, tape, row)
    assert np.array_equal(np.array(seen), features, equal_nan=True)
    # Bars close every fifth of the periods of 12 s, from whichever the tape began with.
    named = dict(zip(FEATURE_NAMES, features[-1], strict=True))
    before = np.array([mid for at, mid in closes if at <= times[-1]])
    by_hand = [
        np.sqrt(np.mean((np.diff(np.log(before[: len(before) - k][::-5][:16])) * 1e4) ** 2)) for k in range(5)
    ]
    assert np.isclose(by_hand, named["volatility_15m_bps"], rtol=1e-12).sum() == 1
    assert named["momentum_size_bps"] == abs(named["momentum_15m_bps"])
    assert named["cluster_distance"] == pytest.approx(
        np.nanmin(np.abs([named["cluster_below_distance"], named["cluster_above_distance"]]))
    )
    assert not np.isinf(features).any()


def test_the_spec_changes_with_the_market_records() -> None:
    assert len(FEATURE_NAMES) == WIDTH == len(set(FEATURE_NAMES))
    assert CASCADE_SPEC_HASH != FEATURE_SPEC_HASH
    # What a feature means hangs on the parameters it was computed with, too.
    market = Feature("market", "", "", FEATURE_SPEC_HASH)
    parameters = Feature("parameters", "", "", SYMBOL_PARAMS_HASH)
    assert spec_hash((*FEATURES, market, parameters), VERSION) == CASCADE_SPEC_HASH
    assert spec_hash((*FEATURES, market), VERSION) != CASCADE_SPEC_HASH
    assert {"vpin", "depth_imbalance", "funding_rate"} <= set(MARKET_NAMES) & set(FEATURE_NAMES)


def test_samples_off_the_grid_of_ticks_are_refused() -> None:
    with pytest.raises(DataError, match="multiples of 250000000 ns"):
        CascadeFollower(0.5, 100_000_000)
