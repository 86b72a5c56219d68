"""Named markets: what is planted in each, and what is not. What they are for is in docs/synthetic_market.md.

Here belong complete parameters only. A market in which a detector should find nothing, or a strategy should earn nothing, is
as much a scenario as one in which it should.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from models.simulation.order_flow.parameters import OrderFlowParameters, without_episodes


def everything() -> OrderFlowParameters:
    """Whales, cascades and trends in three regimes: the defaults."""
    return OrderFlowParameters()


def null() -> OrderFlowParameters:
    """Three regimes, the crowd, and nothing planted."""
    return without_episodes(everything())


def calm() -> OrderFlowParameters:
    """Return the crowd in the calm regime for ever: one regime, nothing planted."""
    p = null()
    return p._replace(
        regime_spread_ticks=(p.regime_spread_ticks[0],) * 3,
        regime_touch_depth=(p.regime_touch_depth[0],) * 3,
        regime_volatility_bps=(p.regime_volatility_bps[0],) * 3,
        regime_activity=(p.regime_activity[0],) * 3,
    )


def whales() -> OrderFlowParameters:
    """Whales alone: 0.8 bps that stay and 2.4 bps that revert within seconds, for one of 25 medians."""
    return null()._replace(whales_per_hour=40.0)


def strong_whales() -> OrderFlowParameters:
    """Whales whose transient impact is ten times that of `whales`: what a taker needs to live from their reversion."""
    return whales()._replace(whale_transient_bps=24.0)


def permanent_whales() -> OrderFlowParameters:
    """Whales of the same impact as `whales`, all of which stays: nothing to revert."""
    return whales()._replace(whale_permanent_bps=3.2, whale_transient_bps=0.0)


def thin_whales() -> OrderFlowParameters:
    """Whales in a book a tenth as deep: each prints on several levels."""
    return whales()._replace(regime_touch_depth=(0.3, 0.2, 0.08))


def cascades() -> OrderFlowParameters:
    """Liquidation cascades alone: 45 bps that revert, 15 bps that stay."""
    return null()._replace(cascades_per_hour=6.0)


def permanent_cascades() -> OrderFlowParameters:
    """Cascades of the same impact, all of which stays: forced flow with nothing to fade."""
    return cascades()._replace(cascade_overshoot_bps=0.0, cascade_permanent_bps=60.0)


def violent_cascades() -> OrderFlowParameters:
    """Fewer, larger and faster cascades: 160 bps in ten seconds, so that price runs past theta within a single tick."""
    return cascades()._replace(
        cascades_per_hour=3.0,
        cascade_duration_s=10.0,
        cascade_overshoot_bps=120.0,
        cascade_permanent_bps=40.0,
    )


def crowded_cascades() -> OrderFlowParameters:
    """Cascades that come when the premium is far from its mean: something precedes them, which M2 should find."""
    return cascades()._replace(cascade_crowding=2.0, premium_half_life_s=900.0)


def informed() -> OrderFlowParameters:
    """Trends alone, as fast, large and far as `cascades`, but opening positions: no fall of open interest, no reversion."""
    p = cascades()
    return p._replace(
        cascades_per_hour=0.0,
        trends_per_hour=p.cascades_per_hour,
        trend_orders=p.cascade_orders,
        trend_duration_s=p.cascade_duration_s,
        trend_order_multiple=p.cascade_order_multiple,
        trend_drift_bps=p.cascade_overshoot_bps + p.cascade_permanent_bps,
    )


SCENARIOS: Final[dict[str, Callable[[], OrderFlowParameters]]] = {
    scenario.__name__: scenario
    for scenario in (
        everything,
        null,
        calm,
        whales,
        strong_whales,
        permanent_whales,
        thin_whales,
        cascades,
        permanent_cascades,
        violent_cascades,
        crowded_cascades,
        informed,
    )
}
"""Every scenario by its name."""
