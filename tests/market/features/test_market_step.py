"""The whole market record over a tape: causality, batch against live, chunks, gaps, and features recomputed plainly."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from models.market.book import new_books
from models.market.feature_params import SECOND_NS, FeatureParams, params_record
from models.market.feature_spec import FEATURE_NAMES
from models.market.features.hurst import hurst_exponent
from models.market.features.records import new_record
from models.market.features.vpin import VPIN, update, value
from models.market.record import MARKET, feature_view, new_markets, new_symbols
from models.market.step import event_of, features_of, on_event, on_tick, run, tick_due, tick_of
from models.market.tape import DEPTH, END_OF_MESSAGE, GAP, INDEX, OPEN_INTEREST, TRADE
from models.regimes.hmm import GaussianHmm, forward
from tests.market.features.make_tape import TICK_SIZE, make_tape

# Everything short, so that every feature is defined within a few minutes.
SHORT = FeatureParams(
    vpin_bucket_usd=20_000.0,
    vpin_least_history=20,
    kyle_least_trades=50,
    z_window_ns=120 * SECOND_NS,
    z_least_count=40,
    volume_least_s=10.0,
    depth_least_s=10.0,
    whale_least_trades=20,
    cvd_periods=30,
    bar_ns=5 * SECOND_NS // 4,
    regime_bars=16,
)
HMM = GaussianHmm(
    np.array([0.5, 0.5]), np.array([[0.95, 0.05], [0.1, 0.9]]), np.zeros(2), np.array([4.0, 100.0])
)
PARAMS = params_record(SHORT, HMM)


PER_TICK = {
    "vpin",
    "kyle_lambda",
    "ofi",
    "fsi",
    "ldr",
    "lpi",
    "z_fsi",
    "hurst",
    "flow_imbalance",
    "whale_cvd",
    "retail_imbalance",
}


@functools.cache
def tape() -> np.ndarray:
    return make_tape(420, 7)


@functools.cache
def whole() -> tuple[np.ndarray, np.ndarray]:
    return features_of(tape(), TICK_SIZE, PARAMS)


def column(name: str) -> np.ndarray:
    return whole()[1][:, FEATURE_NAMES.index(name)]


def test_every_feature_becomes_defined() -> None:
    undefined = [name for name in FEATURE_NAMES if not np.isfinite(column(name)).any()]
    assert undefined == []


def test_ticks_lie_on_the_grid_without_a_hole() -> None:
    times, _ = whole()
    assert np.all(times % SHORT.tick_ns == 0)
    assert np.all(np.diff(times) == SHORT.tick_ns)
    assert times[0] > tape()["local_ts"][0]


@settings(deadline=None, max_examples=40)
@given(st.floats(0.0, 1.0))
def test_no_feature_looks_ahead(share: float) -> None:
    events = tape()[: max(int(share * len(tape())), 1)]
    times, rows = features_of(events, TICK_SIZE, PARAMS)
    known = whole()[0] <= events["local_ts"][-1]
    assert np.array_equal(times, whole()[0][known][: len(times)])
    assert np.array_equal(rows, whole()[1][: len(rows)], equal_nan=True)
    # A cut inside a message must not let the tick after it be taken early.
    assert len(rows) == np.sum(known)


def test_what_comes_later_does_not_matter() -> None:
    changed = tape().copy()
    half = len(changed) // 2
    changed["price"][half:] *= 1.5
    changed["size"][half:] *= 3.0
    _, rows = features_of(changed, TICK_SIZE, PARAMS)
    safe = whole()[0] <= changed["local_ts"][half]
    assert np.array_equal(rows[safe], whole()[1][safe], equal_nan=True)
    assert not np.array_equal(rows[~safe], whole()[1][~safe], equal_nan=True)


def test_the_live_step_gives_the_bits_of_the_batch() -> None:
    events = tape()[:20_000]
    # Two symbols, the second one live: the first must stay untouched.
    symbols = new_symbols([TICK_SIZE, TICK_SIZE], [PARAMS, PARAMS])
    untouched = symbols[0].tobytes()
    vector, rows = feature_view(symbols["market"])[1], []
    for row, at in enumerate(events["local_ts"].tolist()):
        while tick_of(symbols, 1, at):
            rows.append(vector.copy())
        event_of(symbols, 1, events, row)
    assert len(rows) > 100
    assert np.array(rows).tobytes() == whole()[1][: len(rows)].tobytes()
    batch, its_books = new_markets(1), new_books([TICK_SIZE])
    nothing = np.empty((0, len(FEATURE_NAMES))), np.empty(0, dtype=np.int64)
    run(batch[0], its_books[0], events, PARAMS, feature_view(batch)[0], *nothing)
    assert batch[0].tobytes() == symbols[1]["market"].tobytes()
    assert its_books[0].tobytes() == symbols[1]["book"].tobytes()
    assert symbols[0].tobytes() == untouched


def test_symbols_need_their_parameters() -> None:
    with pytest.raises(DataError, match="parameters for 2 symbols, was 1"):
        new_symbols([TICK_SIZE, TICK_SIZE], [PARAMS])


def test_records_may_be_stepped_from_python_too() -> None:
    events = tape()[:3000]
    markets, books = new_markets(1), new_books([TICK_SIZE])
    ticks = 0
    for event in events:
        while tick_due(markets[0], int(event["local_ts"])):
            on_tick(markets[0], books[0], PARAMS)
            ticks += 1
        on_event(markets[0], books[0], event, PARAMS)
    # The touch moves on between ticks; the rest is the last tick's.
    tick_only = [i for i, name in enumerate(FEATURE_NAMES) if name in PER_TICK]
    assert np.array_equal(
        feature_view(markets)[0, tick_only], whole()[1][ticks - 1, tick_only], equal_nan=True
    )
    assert markets[0]["ticks"] == ticks


def test_a_tape_may_come_in_chunks_and_a_record_may_be_copied() -> None:
    events, rows = tape(), np.empty((3000, len(FEATURE_NAMES)))
    times, taken = np.empty(3000, dtype=np.int64), 0
    markets, books = new_markets(1), new_books([TICK_SIZE])
    for chunk in np.array_split(events, 7):
        # Saved and restored between chunks: state is data.
        markets = np.frombuffer(bytearray(markets.tobytes()), dtype=MARKET)
        books = books.copy()
        taken += run(
            markets[0], books[0], chunk, PARAMS, feature_view(markets)[0], rows[taken:], times[taken:]
        )
    assert rows[:taken].tobytes() == whole()[1].tobytes()
    assert np.array_equal(times[:taken], whole()[0])


def test_a_gap_unpublishes_the_touch_until_it_heals() -> None:
    gap = tape()["local_ts"][tape()["kind"] == GAP][0]
    times, _ = whole()
    inside = np.flatnonzero(times > gap)[:20]
    for name in ("mid", "best_bid", "spread_bps", "queue_imbalance", "ldr", "lpi", "z_ldr"):
        assert np.isnan(column(name)[inside]).all(), name
    assert np.isfinite(column("mid")[times > gap]).any()
    assert np.isfinite(column("mid")[times < gap]).all()
    assert (column("exhausted")[inside] == 0.0).all()
    bar = np.flatnonzero(times > gap + SHORT.bar_ns)[:20]
    assert (column("regime")[bar] == 0.0).all()
    assert np.isnan(column("hurst")[bar]).all()
    assert np.isnan(column("hmm_turbulent")[bar]).all()


def test_the_model_of_regimes_is_filtered_on_the_bars_since_the_last_hole() -> None:
    times, _ = whole()
    probability = column("hmm_turbulent")
    first = int(np.flatnonzero(times > times[np.isnan(column("mid"))][-1])[0])
    closes = np.log(column("mid")[first:][::5])
    filtered, _ = forward(1e4 * np.diff(closes), *HMM)
    assert probability[first + 5 :: 5] == pytest.approx(filtered[:, 1], rel=1e-6)


def test_a_message_that_never_ends_hides_the_book() -> None:
    events = tape()[:3000]
    last = events[-1:].copy()
    last["kind"], last["side"], last["price"], last["size"] = DEPTH, 1, 100.0, 1.0
    later = last.copy()
    later["local_ts"] += SECOND_NS
    later["kind"] = TRADE
    _, rows = features_of(np.concatenate([events, last, later]), TICK_SIZE, PARAMS)
    assert np.isnan(rows[-1, FEATURE_NAMES.index("mid")])
    last["kind"] = END_OF_MESSAGE
    _, rows = features_of(np.concatenate([events, last, later]), TICK_SIZE, PARAMS)
    assert np.isfinite(rows[-1, FEATURE_NAMES.index("mid")])


def test_a_market_without_trades_raises_nothing() -> None:
    events = tape()[tape()["kind"] != TRADE]
    _, rows = features_of(events, TICK_SIZE, PARAMS)
    for name in (
        "fsi",
        "price_impact",
        "z_price_impact",
        "lpi",
        "vpin",
        "kyle_lambda",
        "whale_intensity",
        "retail_imbalance",
    ):
        assert np.isnan(rows[:, FEATURE_NAMES.index(name)]).all(), name
    assert np.isfinite(rows[:, FEATURE_NAMES.index("z_ldr")]).any()
    assert set(rows[:, FEATURE_NAMES.index("exhausted")]) == {0.0}


@pytest.mark.parametrize(
    ("field", "number"), [("size", np.nan), ("size", 0.0), ("price", np.inf), ("price", -1.0)]
)
def test_impossible_trades_are_counted_and_change_nothing(field: str, number: float) -> None:
    events = tape()[:6000].copy()
    spoiled = np.flatnonzero(events["kind"] == TRADE)[50:60]
    events[field][spoiled] = number
    markets, books = new_markets(1), new_books([TICK_SIZE])
    nothing = np.empty((0, len(FEATURE_NAMES))), np.empty(0, dtype=np.int64)
    run(markets[0], books[0], events, PARAMS, feature_view(markets)[0], *nothing)
    without, its_books = new_markets(1), new_books([TICK_SIZE])
    run(without[0], its_books[0], np.delete(events, spoiled), PARAMS, feature_view(without)[0], *nothing)
    assert markets[0]["refused"] == 10
    markets["refused"] = 0
    assert markets.tobytes() == without.tobytes()


def test_reports_of_zero_raise_nothing() -> None:
    events = tape()[:6000].copy()
    events["price"][events["kind"] == INDEX] = 0.0
    events["size"][events["kind"] == OPEN_INTEREST] = 0.0
    _, rows = features_of(events, TICK_SIZE, PARAMS)
    assert np.isnan(rows[:, FEATURE_NAMES.index("oi_fall")]).all()
    assert np.isfinite(rows[:, FEATURE_NAMES.index("participant")]).all()


def test_times_of_the_last_news() -> None:
    events = tape()[:5000]
    markets, books = new_markets(1), new_books([TICK_SIZE])
    nothing = np.empty((0, len(FEATURE_NAMES))), np.empty(0, dtype=np.int64)
    run(markets[0], books[0], events, PARAMS, feature_view(markets)[0], *nothing)
    for name, kind in (
        ("book_at_ns", END_OF_MESSAGE),
        ("trade_at_ns", TRADE),
        ("open_interest_at_ns", OPEN_INTEREST),
    ):
        assert markets[0][name] == events["local_ts"][events["kind"] == kind][-1]


def test_vpin_is_that_of_the_trades_alone() -> None:
    times, _ = whole()
    trades = tape()[tape()["kind"] == TRADE]
    state, found, i = new_record(VPIN), [], 0
    for at in times:
        while i < len(trades) and trades["local_ts"][i] < at:
            notional = float(trades["price"][i]) * float(trades["size"][i])
            update(state, notional, int(trades["side"][i]), SHORT.vpin_bucket_usd, SHORT.vpin_buckets)
            i += 1
        found.append(value(state, SHORT.vpin_buckets))
    assert np.array_equal(column("vpin"), found, equal_nan=True)


def test_volume_and_flow_are_those_of_the_tick() -> None:
    times, _ = whole()
    trades = tape()[tape()["kind"] == TRADE]
    notional = trades["price"] * trades["size"]
    tick = np.searchsorted(times, trades["local_ts"], side="right")
    inside = tick < len(times)
    volume = np.bincount(tick[inside], notional[inside], minlength=len(times))
    signed = np.bincount(tick[inside], (notional * trades["side"])[inside], minlength=len(times))
    assert column("volume_usd") == pytest.approx(volume, rel=1e-12, abs=1e-9)
    assert column("signed_usd") == pytest.approx(signed, rel=1e-9, abs=1e-9)


def test_averages_need_their_least_span() -> None:
    times, _ = whole()
    for name, least_s in (("usd_per_s", SHORT.volume_least_s), ("ldr", SHORT.depth_least_s)):
        first = times[np.flatnonzero(np.isfinite(column(name)))[0]]
        assert 1e-9 * (first - times[0]) == pytest.approx(least_s, abs=0.5), name


def test_hurst_is_that_of_the_mids() -> None:
    times, _ = whole()
    h = column("hurst")
    defined = np.flatnonzero(np.isfinite(h))
    assert len(defined) > 0
    changes = defined[times[defined] % SHORT.bar_ns == times[defined][0] % SHORT.bar_ns]
    compared = 0
    for i in changes[:: max(len(changes) // 10, 1)]:
        if i >= 500 and np.isfinite(column("mid")[i - 500 : i + 1]).all():
            mids = np.array([math.log(x) for x in column("mid")[i - 500 : i + 1 : 5]])
            assert h[i] == pytest.approx(hurst_exponent(mids), rel=1e-12)
            compared += 1
    assert compared > 5


def test_ranges() -> None:
    for name, low, high in (
        ("vpin", 0.0, 1.0),
        ("vpin_rank", 0.0, 1.0),
        ("queue_imbalance", -1.0, 1.0),
        ("depth_imbalance", -1.0, 1.0),
        ("flow_imbalance", -1.0, 1.0),
        ("whale_intensity", 0.0, 100.0),
        ("hmm_turbulent", 0.0, 1.0),
        ("hour", 0.0, 24.0),
        ("fsi", 0.0, math.inf),
    ):
        values = column(name)[np.isfinite(column(name))]
        assert values.min() >= low - 1e-12, name
        assert values.max() <= high + 1e-12, name


def test_two_runs_give_the_same_bits() -> None:
    again = features_of(tape(), TICK_SIZE, PARAMS)
    assert again[1].tobytes() == whole()[1].tobytes()


def test_an_empty_tape_has_no_ticks_and_other_parameters_are_refused() -> None:
    times, rows = features_of(tape()[:0], TICK_SIZE, PARAMS)
    assert (len(times), rows.shape) == (0, (0, len(FEATURE_NAMES)))
    with pytest.raises(DataError, match="params_record"):
        features_of(tape(), TICK_SIZE, new_record(VPIN))
