"""The pass that collects signals, against the feature matrix and the planted truth, and cut anywhere."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from models.evidence import tape_signals
from models.evidence.signal_records import CASCADE, EXHAUSTED, READING_NS, WHALE, TapeSignals
from models.evidence.tape_signals import TapeFollower
from models.market.feature_params import FeatureParams, params_record
from models.market.feature_spec import FEATURE_NAMES
from models.market.features.forced_flow import FORCED
from models.market.step import features_of
from models.market.tape import TRADE
from models.simulation.order_flow.generator import Chunk, generate_order_flow
from models.simulation.order_flow.labels import WHALE as PLANTED_WHALE
from models.simulation.order_flow.parameters import OrderFlowParameters

# Forced orders print several bps through a thin book, so that exhaustions come within the hour.
MARKET = OrderFlowParameters(
    book_updates=5.0,
    refreshed_levels=3,
    start_price=2000.0,
    tick_size=0.1,
    lot_size=0.01,
    trade_size_median=0.5,
    regime_touch_depth=(6.0, 4.0, 2.0),
    whales_per_hour=60.0,
    cascades_per_hour=15.0,
    cascade_orders=80.0,
    cascade_duration_s=30.0,
    cascade_order_multiple=150.0,
    cascade_overshoot_bps=150.0,
    trends_per_hour=0.0,
)


@functools.cache
def market() -> Chunk:
    return generate_order_flow(MARKET, 3, 2.5 * 3600.0)


def follow(pieces: list[np.ndarray], thetas: tuple[float, ...] = (5.0,)) -> TapeSignals:
    follower = TapeFollower(MARKET.tick_size, thetas_bps=thetas)
    for piece in pieces:
        follower.take(piece)
    return follower.signals()


@functools.cache
def signals() -> TapeSignals:
    return follow([market().events], (5.0, 3.0, 7.0))


@functools.cache
def matrix() -> tuple[np.ndarray, np.ndarray]:
    return features_of(market().events, MARKET.tick_size, params_record(FeatureParams(theta=5e-4)))


def column(name: str) -> np.ndarray:
    return matrix()[1][:, FEATURE_NAMES.index(name)]


def test_readings_and_counts_are_those_of_the_feature_matrix() -> None:
    times, _ = matrix()
    found = signals()
    on_grid = np.isin(times, found.readings["at_ns"])
    assert on_grid.sum() == len(found.readings)
    assert np.array_equal(found.readings["vpin"], column("vpin")[on_grid], equal_nan=True)
    # The first tick is read at once, then the grid.
    assert np.all(found.readings["at_ns"][1:] % READING_NS == 0)
    assert np.all(np.diff(found.readings["at_ns"][1:]) == READING_NS)
    counts = found.counts
    assert (counts.ticks, counts.quoted) == (len(times), np.isfinite(column("mid")).sum())
    assert counts.lpi == np.isfinite(column("lpi")).sum()
    assert counts.oi_fall == np.isfinite(column("z_oi_fall")).sum()
    assert counts.forced == (column("flow_state") == FORCED).sum()


def test_exhaustions_are_first_ticks_of_exhausted_forced_flow() -> None:
    times, _ = matrix()
    now = (column("exhausted") == 1.0) & (column("flow_state") == FORCED)
    first = now & ~np.r_[False, now[:-1]]
    own = signals().exhaustions[5.0]
    assert len(own) >= 5
    assert own["at_ns"].tolist() == times[first].tolist()
    assert own["side"].tolist() == column("pressure_side")[first].astype(int).tolist()
    assert set(own["kind"].tolist()) == {EXHAUSTED}


def test_the_mid_between_its_changes_is_that_of_every_tick() -> None:
    times, _ = matrix()
    quotes = signals().quotes
    at = np.searchsorted(quotes["at_ns"], times, side="left") - 1
    assert np.array_equal(quotes["mid"][at], column("mid"))
    assert quotes["at_ns"][-1] == market().events["local_ts"][-1]
    assert np.all(np.diff(quotes["mid"][:-1]) != 0.0)


def test_planted_whales_are_found_with_their_side() -> None:
    # Levels so deep that a whale is one print: F9 judges prints, and one that walks the book may hide in many.
    deep = MARKET._replace(regime_touch_depth=(60.0, 60.0, 60.0), cascades_per_hour=0.0)
    tape = generate_order_flow(deep, 3, 3600.0)
    planted = tape.episodes[tape.episodes["start_ns"] > MARKET.start_ns + 120 * 10**9]
    assert np.all(planted["cause"] == PLANTED_WHALE)
    found = follow([tape.events]).of_kind(WHALE)
    assert np.all(found["multiple"] >= 20.0)
    # A whale is received some milliseconds after it traded.
    row = np.minimum(np.searchsorted(found["at_ns"], planted["start_ns"]), len(found) - 1)
    near = np.abs(found["at_ns"][row] - planted["start_ns"]) < 50_000_000
    assert near.mean() > 0.9
    assert np.all(found["side"][row][near] == planted["side"][near])
    assert len(found) < 1.2 * len(planted)


def test_prints_of_one_order_are_one_whale() -> None:
    events = market().events[:200_000].copy()
    found = follow([events]).of_kind(WHALE)
    assert len(found) > 5
    prints = np.flatnonzero((events["kind"] == TRADE) & np.isin(events["local_ts"], found["at_ns"]))
    # Every such print once more, right behind itself: other medians aside, no order becomes two.
    doubled = np.insert(events, prints + 1, events[prints])
    again = follow([doubled]).of_kind(WHALE)
    assert len(np.unique(again["at_ns"])) == len(again)


def test_a_cascade_is_noted_when_it_begins() -> None:
    times, _ = matrix()
    alive = column("cascade_side")
    begins = times[(alive != 0.0) & (alive != np.r_[0.0, alive[:-1]])]
    own = signals().of_kind(CASCADE)
    assert len(own) == len(begins) > 5
    assert np.all((begins - own["at_ns"] > 0) & (begins - own["at_ns"] <= 250_000_000))


@pytest.mark.parametrize("rows", [8, 64])
def test_small_buffers_and_cuts_change_nothing(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = np.array_split(market().events[:200_000], 7)
    whole = follow([market().events[:200_000]])
    monkeypatch.setattr(tape_signals, "_ROWS", rows)
    cut = follow(pieces)
    for name in ("quotes", "readings", "signals"):
        assert getattr(cut, name).tobytes() == getattr(whole, name).tobytes(), name
    assert cut.counts == whole.counts


def test_neighbouring_thresholds_have_their_own_exhaustions() -> None:
    found = signals().exhaustions
    assert list(found) == [5.0, 3.0, 7.0]
    alone = follow([market().events], (7.0,))
    assert alone.exhaustions[7.0].tobytes() == found[7.0].tobytes()


def test_an_empty_tape_has_no_signals() -> None:
    nothing = follow([market().events[:0]])
    assert (len(nothing.quotes), len(nothing.readings), len(nothing.signals), nothing.counts.ticks) == (
        0,
        0,
        0,
        0,
    )
