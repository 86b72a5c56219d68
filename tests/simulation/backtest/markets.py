"""Small seeded markets for the tests of the backtest."""

from __future__ import annotations

from models.simulation.fills.parameters import FillParameters
from models.simulation.order_flow.generator import generate_order_flow
from models.simulation.order_flow.parameters import OrderFlowParameters, without_episodes

VENUE = FillParameters(0.5, 0.001)
# Whales every half minute, and more background orders than usual, so that the median size is soon known.
PLANTED = OrderFlowParameters(whales_per_hour=120.0, background_rate=4.0, cascades_per_hour=0.0)


def planted(duration_s, seed=3):
    return generate_order_flow(PLANTED, seed, duration_s).events


def null(duration_s, seed=3):
    """No whales: large orders of the crowd in a volatile market look like impact, and nothing reverts."""
    market = without_episodes(PLANTED)._replace(trade_size_sigma=1.4, regime_volatility_bps=(3.0, 3.0, 3.0))
    return generate_order_flow(market, seed, duration_s).events
