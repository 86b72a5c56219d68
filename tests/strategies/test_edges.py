"""What strategies aim at: stated for each, and never below its own costs where the rule itself weighs them."""

from __future__ import annotations

import math

import pytest

from models.strategies.catalogue import CATALOGUE
from models.strategies.edges import expected_edge_bps, measured_at_entry


def test_every_strategy_says_what_it_aims_at():
    features = {"impact_bps": 6.0, "sigma": 0.002, "way": 0.004}
    edges = {name: expected_edge_bps(name, entry.params(), features) for name, entry in CATALOGUE.items()}
    assert {name for name, edge in edges.items() if math.isnan(edge)} == {"synthetic_convexity"}
    assert all(edge > 0.0 for edge in edges.values() if not math.isnan(edge))
    # Half the impact, the target, twice the half spread.
    assert edges["impact_reversion"] == pytest.approx(3.0)
    assert edges["hf_scalping"] == pytest.approx(25.0)
    assert edges["inventory_neutral_mm"] == pytest.approx(6.0)
    assert edges["liquidation_hunter"] == pytest.approx(500.0)


def test_what_was_not_measured_gives_no_edge():
    assert math.isnan(expected_edge_bps("impact_reversion", CATALOGUE["impact_reversion"].params(), {}))
    nothing = expected_edge_bps("forced_flow_exhaustion", CATALOGUE["forced_flow_exhaustion"].params(), {})
    assert math.isnan(nothing)


def test_a_pair_says_how_far_its_spread_has_to_go_and_what_its_second_leg_costs():
    state = CATALOGUE["correlation_arb"].new_state()
    state["way"], state["beta"], state["partner_spread"] = 0.004, 1.5, 0.0002
    measured = measured_at_entry("correlation_arb", state)
    assert measured == {"way": 0.004, "partner_share": 1.5, "partner_spread": 0.0002}
    assert expected_edge_bps("correlation_arb", CATALOGUE["correlation_arb"].params(), measured) == 40.0
    assert math.isnan(expected_edge_bps("correlation_arb", CATALOGUE["correlation_arb"].params(), {}))


def test_volatility_at_entry_goes_with_s6_alone():
    state = CATALOGUE["forced_flow_exhaustion"].new_state()
    state["entry_sigma"] = 0.003
    measured = measured_at_entry("forced_flow_exhaustion", state)
    assert measured == {"sigma": 0.003}
    params = CATALOGUE["forced_flow_exhaustion"].params()
    # Its stop: 2.5 standard deviations.
    assert expected_edge_bps("forced_flow_exhaustion", params, measured) == pytest.approx(75.0)
    assert measured_at_entry("impact_reversion", CATALOGUE["impact_reversion"].new_state()) == {}
