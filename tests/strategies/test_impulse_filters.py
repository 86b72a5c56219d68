"""The filters of S7: each at its edge, alone, and on NaN; then all together."""

from __future__ import annotations

import math

import pytest

from models.market.record import new_market
from models.regimes.kernel import DISTRIBUTION, HIGH_ENTROPY, MARKDOWN, MARKUP, RANGE, UNKNOWN
from models.strategies import impulse_filters as f
from models.strategies.impulse_engine import Params

PARAMS = Params()
GOOD = f.Impulse(move=0.004, newest=0.0002, efficiency=0.8, usual=0.001, expansion=1.6, volume_ratio=3.0)


def market(side=1, **features):
    """A market that suits a trade on `side`."""
    row = new_market()
    good = {
        "spread_bps": 1.0,
        "z_ldr": 0.5,
        "bid_size": 3.0,
        "ask_size": 1.0,
        "ofi_window": 2.0 * side,
        "flow_imbalance": 0.4 * side,
        "depth_imbalance": 0.1 * side,
        "regime": float(MARKUP if side > 0 else MARKDOWN),
        "vpin": 0.5,
        "vpin_rank": 0.9,
    }
    for name, value in {**good, **features}.items():
        row[name] = value
    return row


def impulse(side=1, **changes):
    signed = {"move": side * GOOD.move, "newest": side * GOOD.newest}
    return GOOD._replace(**{**signed, **changes})


def passed(side=1, features=None, **changes):
    row = market(side, **(features or {}))
    return f.filters_passed(row, impulse(side, **changes), side, f.vpin_way(row, PARAMS), PARAMS)


@pytest.mark.parametrize("side", [1, -1])
def test_a_good_impulse_passes_all_thirteen(side):
    assert passed(side) == f.ALL_PASSED
    assert f.first_failed(passed(side)) == 13
    assert f.names_of(passed(side)) == tuple(f.FILTER_NAMES.values())


# Where it passes and where it just does not; each blocks alone, but for the move itself, which the target is a share of.
EDGES = [
    (f.MOMENTUM, {"usual": 0.002}, {"usual": 0.0020001}),
    (f.STEADY, {"efficiency": 0.5}, {"efficiency": 0.4999}),
    (f.VOLATILITY, {"expansion": 1.3}, {"expansion": 1.2999}),
    (f.VOLUME, {"volume_ratio": 1.5}, {"volume_ratio": 1.4999}),
    (f.EDGE, {"move": 0.0017, "usual": 0.0005}, {"move": 0.001699, "usual": 0.0005}),
    (f.SPREAD, {"spread_bps": 3.0}, {"spread_bps": 3.0001}),
    (f.LIQUIDITY, {"z_ldr": 10.0}, {"z_ldr": 10.0001}),
    (f.ORDER_FLOW, {"ofi_window": 1.0}, {"ofi_window": 0.9999}),
    (f.TAKER_FLOW, {"flow_imbalance": 0.1}, {"flow_imbalance": 0.0999}),
    (f.DEPTH, {"depth_imbalance": -0.3}, {"depth_imbalance": -0.3001}),
    (f.VPIN, {"vpin_rank": 0.6501}, {"vpin_rank": 0.65}),
]
SIGNED = ("move", "newest", "ofi_window", "flow_imbalance", "depth_imbalance")


def _mask(side, changes):
    signed = {name: value * side if name in SIGNED else value for name, value in changes.items()}
    own = {name: value for name, value in signed.items() if name in f.Impulse._fields}
    return passed(side, {name: value for name, value in signed.items() if name not in own}, **own)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("bit", "inside", "outside"), EDGES)
def test_each_filter_at_its_edge_blocks_alone(side, bit, inside, outside):
    assert _mask(side, inside) == f.ALL_PASSED
    assert _mask(side, outside) == f.ALL_PASSED & ~bit
    assert 1 << f.first_failed(_mask(side, outside)) == bit


@pytest.mark.parametrize("side", [1, -1])
def test_the_newest_seconds_must_go_the_way_to_be_traded(side):
    assert _mask(side, {"newest": 1e-9}) == f.ALL_PASSED
    assert _mask(side, {"newest": 0.0}) == f.ALL_PASSED & ~f.FRESH
    assert _mask(side, {"newest": -1e-9}) == f.ALL_PASSED & ~f.FRESH


@pytest.mark.parametrize(
    ("regime", "long", "short"),
    [
        (UNKNOWN, False, False),
        (MARKUP, True, False),
        (MARKDOWN, False, True),
        (RANGE, True, True),
        (DISTRIBUTION, True, True),
        (HIGH_ENTROPY, False, False),
        (math.nan, False, False),
    ],
)
def test_the_regime_must_be_known_and_not_against_it(regime, long, short):
    row = market(regime=float(regime))
    assert f.suits_regime(row, GOOD, 1, PARAMS) == long
    assert f.suits_regime(row, GOOD, -1, PARAMS) == short


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("move", f.MOMENTUM | f.EDGE),
        ("usual", f.MOMENTUM),
        ("efficiency", f.STEADY),
        ("newest", f.FRESH),
        ("spread_bps", f.SPREAD | f.EDGE),
        ("z_ldr", f.LIQUIDITY),
        ("expansion", f.VOLATILITY),
        ("volume_ratio", f.VOLUME),
        ("ofi_window", f.ORDER_FLOW),
        ("bid_size", f.ORDER_FLOW),
        ("flow_imbalance", f.TAKER_FLOW),
        ("depth_imbalance", f.DEPTH),
        ("regime", f.REGIME),
        ("vpin_rank", f.VPIN),
    ],
)
def test_nothing_passes_on_nan(name, bits):
    assert _mask(1, {name: math.nan}) == f.ALL_PASSED & ~bits


def test_a_usual_move_of_nothing_is_unknown():
    assert not f.is_large(market(), impulse(usual=0.0), 1, PARAMS)


@pytest.mark.parametrize(
    ("level", "way", "scale"),
    [
        (0.0, f.AGAINST_MOVE, 1.0),
        (0.175, f.AGAINST_MOVE, 0.75),
        (0.3499, f.AGAINST_MOVE, 0.5001),
        (0.35, f.NO_WAY, 0.0),
        (0.5, f.NO_WAY, 0.0),
        (0.65, f.NO_WAY, 0.0),
        (0.6501, f.WITH_MOVE, 0.5001),
        (0.825, f.WITH_MOVE, 0.75),
        (1.0, f.WITH_MOVE, 1.0),
        (math.nan, f.NO_WAY, 0.0),
    ],
)
@pytest.mark.parametrize("fixed", [0, 1])
def test_vpin_says_the_way_and_the_size_by_rank_or_by_itself(level, way, scale, fixed):
    """The other of the two is set so that it would say something else."""
    other = 0.5 if way != f.NO_WAY else 0.99
    row = market(vpin_rank=other, vpin=level) if fixed else market(vpin_rank=level, vpin=other)
    params = PARAMS._replace(vpin_fixed=fixed)
    assert f.vpin_way(row, params) == way
    assert f.vpin_scale(row, params) == pytest.approx(scale, abs=1e-4)


def test_masks_and_names_agree():
    assert sum(f.FILTER_NAMES) == f.ALL_PASSED
    assert len(f.FILTER_NAMES) == 13
    assert f.names_of(f.SPREAD | f.VPIN) == ("SPREAD", "VPIN")
    assert f.first_failed(0) == 0
