"""No feature looks ahead: at t all 70 are the same whatever is deleted or changed after t, on synthetic and recorded tapes."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.feature_spec import FEATURE_NAMES
from models.market.step import features_of
from models.simulation.fills.parameters import FillParameters
from tests.parity.recorded import BINANCE, BYBIT, PARAMS, recorded_tape, synthetic_tape

STRETCHES = ("synthetic", "bybit", "binance")
BINANCE_EVENTS = 60_000


def stretch(name: str) -> tuple[np.ndarray, FillParameters]:
    if name == "synthetic":
        return synthetic_tape(600.0)
    if name == "bybit":
        return recorded_tape(BYBIT, "SOLUSDT")
    events, venue = recorded_tape(BINANCE, "BTCUSDT")
    return events[:BINANCE_EVENTS], venue


@functools.cache
def whole(name: str) -> tuple[np.ndarray, np.ndarray]:
    events, venue = stretch(name)
    return features_of(events, venue.tick_size, PARAMS)


def same_until(name: str, changed: np.ndarray, cut_ns: int) -> None:
    """The features of a changed tape, at ticks up to the first change, are those of the whole one, to the bit."""
    _, venue = stretch(name)
    times, rows = features_of(changed, venue.tick_size, PARAMS)
    reference_times, reference = whole(name)
    known = int((reference_times <= cut_ns).sum())
    kept = min(known, len(times))
    assert times[:kept].tobytes() == reference_times[:kept].tobytes()
    assert rows[:kept].shape[1] == len(FEATURE_NAMES) == 70
    assert rows[:kept].tobytes() == reference[:kept].tobytes()
    # A tick is taken once an event at or after it has come: of those up to the last event none may be missing.
    last_ns = int(changed["local_ts"][-1]) if len(changed) else 0
    assert kept == int((reference_times <= min(cut_ns, last_ns)).sum())


@pytest.mark.parametrize("name", STRETCHES)
@settings(deadline=None, max_examples=25)
@given(share=st.floats(0.0, 1.0))
def test_deleting_all_later_events_changes_nothing_before(name: str, share: float) -> None:
    events, _ = stretch(name)
    kept = max(int(share * len(events)), 1)
    same_until(name, events[:kept], int(events["local_ts"][kept - 1]))


@pytest.mark.parametrize("name", STRETCHES)
@settings(deadline=None, max_examples=20)
@given(share=st.floats(0.0, 1.0), thinning=st.floats(0.05, 0.95), seed=st.integers(0, 2**32 - 1))
def test_deleting_some_later_events_changes_nothing_before(
    name: str, share: float, thinning: float, seed: int
) -> None:
    events, _ = stretch(name)
    cut = min(int(share * len(events)), len(events) - 1)
    gone = np.random.default_rng(seed).random(len(events)) < thinning
    gone[:cut] = False
    changed = events[~gone]
    if not len(changed):
        return
    # Ticks up to the receive time of the first event that may differ; the event itself comes after the tick of its own time.
    same_until(name, changed, int(events["local_ts"][cut]))


@pytest.mark.parametrize("name", STRETCHES)
@settings(deadline=None, max_examples=15)
@given(share=st.floats(0.0, 1.0), factor=st.sampled_from([0.5, 0.99, 1.01, 3.0]))
def test_other_prices_and_sizes_later_change_nothing_before(name: str, share: float, factor: float) -> None:
    events, _ = stretch(name)
    cut = min(int(share * len(events)), len(events) - 1)
    changed = events.copy()
    changed["price"][cut:] *= factor
    changed["size"][cut:] *= factor
    same_until(name, changed, int(events["local_ts"][cut]))


def test_the_property_can_fail() -> None:
    """Features of a tape that did change earlier are not the same: the comparison sees something."""
    events, venue = stretch("synthetic")
    changed = events.copy()
    changed["size"][: len(events) // 2] *= 1.5
    _, rows = features_of(changed, venue.tick_size, PARAMS)
    assert rows.tobytes() != whole("synthetic")[1].tobytes()


def test_every_feature_is_defined_somewhere() -> None:
    """An undefined feature would be causal for free; the model of regimes is held to it in the tests of the market step."""
    ever = np.zeros(len(FEATURE_NAMES), dtype=bool)
    for name in STRETCHES:
        ever |= np.isfinite(whole(name)[1]).any(axis=0)
    undefined = {f for f, known in zip(FEATURE_NAMES, ever, strict=True) if not known}
    assert undefined <= {"hmm_turbulent", "funding_rate"}
