from __future__ import annotations

import math
from dataclasses import replace
from statistics import NormalDist

import pytest

from models.errors import ConfigError
from models.portfolio.regime_matrix import Trade, build_matrix
from models.portfolio.roster import STRATEGIES
from models.portfolio.rotator import (
    BOTH,
    NEITHER,
    SHORT,
    TABLE,
    Exploration,
    Rotation,
    RotatorRules,
    Value,
    least_value,
    rotate,
    values_of,
)
from models.regimes.kernel import REGIME_NAMES

SECOND = 1_000_000_000
RULES = RotatorRules()
NEVER = RotatorRules(exploration=Exploration.SHARE, exploration_share=0.0)
SURE = {(name, regime): Value(9.0, 0.01, 50) for name in STRATEGIES for regime in TABLE}
NEUTRAL = {
    "funding_pressure",
    "liquidation_hunter",
    "impact_reversion",
    "forced_flow_exhaustion",
    "basis_arbitrage",
    "sentiment",
    "cross_exchange_funding",
    "oi_momentum",
    "synthetic_convexity",
}


def _rotate(regime: str, values=SURE, previous=None, now_ns: int = 0, rules=RULES, equity: float = 10_000.0):
    return rotate("BTCUSDT", regime, STRATEGIES, values, equity, previous, now_ns, rules)


def _active(rotation: Rotation) -> set[str]:
    return {name for name, a in rotation.activations.items() if a.sides}


@pytest.mark.parametrize(
    ("regime", "active"),
    [
        ("IMPULSE_MARKUP", {"impulse_engine", "momentum_trader"}),
        ("RANGE", {"funding_harvester", "rebate_farmer", "enhanced_grid", "hf_scalping"}),
        ("DISTRIBUTION", {"liquidity_sweep", "correlation_arb"}),
        ("IMPULSE_MARKDOWN", {"impulse_engine", "liquidation_gravity"}),
        ("HIGH_ENTROPY", {"inventory_neutral_mm"}),
        ("UNKNOWN", set()),
        ("elsewhere", set()),
    ],
)
def test_the_table_is_exclusive(regime: str, active: set[str]) -> None:
    assert _active(_rotate(regime)) == active | NEUTRAL


def test_the_table_knows_every_regime() -> None:
    assert set(TABLE) == set(REGIME_NAMES.values())


def test_impulse_is_short_only_in_a_markdown() -> None:
    assert _rotate("IMPULSE_MARKDOWN").activations["impulse_engine"].sides == SHORT
    assert _rotate("IMPULSE_MARKUP").activations["impulse_engine"].sides == BOTH
    silenced = _rotate("RANGE").activations["impulse_engine"]
    assert silenced.sides == NEITHER
    assert silenced.words == ("RANGE activates funding_harvester, hf_scalping, enhanced_grid, rebate_farmer")


def test_a_regime_stays_in_force_for_its_dwell() -> None:
    first = _rotate("RANGE", now_ns=5)
    early = _rotate("DISTRIBUTION", previous=first, now_ns=5 + 900 * SECOND - 1)
    assert (early.regime, early.since_ns) == ("RANGE", 5)
    later = _rotate("DISTRIBUTION", previous=early, now_ns=5 + 900 * SECOND)
    assert (later.regime, later.since_ns) == ("DISTRIBUTION", 5 + 900 * SECOND)


def test_a_flapping_market_changes_at_most_once_a_dwell() -> None:
    rotation, changes = None, 0
    for i in range(3600):
        found = _rotate(("RANGE", "DISTRIBUTION")[i % 2], previous=rotation, now_ns=i * SECOND)
        changes += rotation is not None and found.regime != rotation.regime
        rotation = found
    assert changes == 3


def test_unknown_is_left_at_once() -> None:
    first = _rotate("UNKNOWN", now_ns=0)
    assert _rotate("RANGE", previous=first, now_ns=1).regime == "RANGE"


def test_the_threshold_is_in_proportion_to_equity() -> None:
    assert least_value(10_000.0, RULES) == 0.50
    assert least_value(300.0, RULES) == pytest.approx(0.015)
    assert least_value(math.nan, RULES) == least_value(-1.0, RULES) == 0.50


@pytest.mark.parametrize(
    ("mean", "equity", "active"), [(0.5, 1e4, False), (0.51, 1e4, True), (0.5, 9e3, True)]
)
def test_expected_value_at_the_threshold(mean: float, equity: float, active: bool) -> None:
    found = _rotate("RANGE", {("rebate_farmer", "RANGE"): Value(mean, 0.2, 50)}, rules=NEVER, equity=equity)
    assert ("rebate_farmer" in _active(found)) is active
    assert not found.activations["rebate_farmer"].exploring


def test_thompson_activates_as_often_as_the_posterior_says() -> None:
    least = RULES.least_value_usd
    for mean, sd in ((0.8, 0.5), (0.0, 0.5), (-1.0, 0.5), (0.5, 1.0)):
        values = {("rebate_farmer", "RANGE"): Value(mean, sd, 20)}
        windows = 4000
        found = [
            _rotate_one(values, i * 900 * SECOND + 7, RULES).activations["rebate_farmer"]
            for i in range(windows)
        ]
        expected = NormalDist(mean, sd).cdf(least)
        share = sum(not a.sides for a in found) / windows
        assert share == pytest.approx(
            expected, abs=4 * math.sqrt(max(expected * (1 - expected), 1e-4) / windows)
        )
        assert all(a.exploring is (bool(a.sides) and mean <= least) for a in found)


def _rotate_one(values, now_ns: int, rules: RotatorRules) -> Rotation:
    return rotate("BTCUSDT", "RANGE", ["rebate_farmer"], values, 10_000.0, None, now_ns, rules)


def test_a_share_explores_one_window_in_ten() -> None:
    rules = RotatorRules(exploration=Exploration.SHARE)
    values = {("rebate_farmer", "RANGE"): Value(-5.0, 0.1, 50)}
    found = [_rotate_one(values, i * 900 * SECOND, rules).activations["rebate_farmer"] for i in range(4000)]
    assert sum(bool(a.sides) for a in found) / 4000 == pytest.approx(0.10, abs=0.02)
    assert all(a.exploring is bool(a.sides) for a in found)


def test_a_draw_holds_for_its_window_and_a_replay_draws_the_same() -> None:
    start = 1000 * 900 * SECOND
    first = _rotate("RANGE", {}, now_ns=start)
    for later in (1, 450 * SECOND, 900 * SECOND - 1):
        assert _rotate("RANGE", {}, now_ns=start + later).activations == first.activations
    drawn = {tuple(sorted(_active(_rotate("RANGE", {}, now_ns=start + i * 900 * SECOND)))) for i in range(20)}
    assert len(drawn) > 10
    assert _active(_rotate("RANGE", {}, now_ns=start, rules=replace(RULES, seed=1))) != _active(first)


def test_words_have_the_arithmetic() -> None:
    values = {("rebate_farmer", "RANGE"): Value(0.7, 0.0, 12)}
    words = _rotate("RANGE", values).activations["rebate_farmer"].words
    assert words.endswith("; 12 trades, +0.7000 ± 0.0000 USD a trade, drawn +0.7000 > 0.5000")
    assert "0 trades, +0.0000 ± 2.0000 USD" in _rotate("RANGE", {}).activations["enhanced_grid"].words


def test_a_sure_value_at_the_threshold_is_not_above_it() -> None:
    for mean, active in ((0.5, False), (0.5001, True)):
        found = _rotate("RANGE", {("rebate_farmer", "RANGE"): Value(mean, 0.0, 50)})
        assert ("rebate_farmer" in _active(found)) is active


def test_values_come_from_the_matrix() -> None:
    trades = [Trade("rebate_farmer", "RANGE", i, 1.0 + i % 2) for i in range(50)]
    (cell,) = build_matrix(trades)
    assert values_of([cell]) == {("rebate_farmer", "RANGE"): Value(cell.ev_shrunk_usd, cell.ev_sd_usd, 50)}
    assert "rebate_farmer" in _active(_rotate("RANGE", values_of([cell])))


def test_rules_and_names_out_of_range_are_errors() -> None:
    for wrong in ({"exploration_share": 1.1}, {"window_s": 0.0}, {"at_equity_usd": 0.0}):
        with pytest.raises(ConfigError, match="rotator: expected"):
            RotatorRules(**wrong)
    with pytest.raises(ConfigError, match="was 'S7'"):
        rotate("BTCUSDT", "RANGE", ["S7"], {}, 1.0, None, 0)
