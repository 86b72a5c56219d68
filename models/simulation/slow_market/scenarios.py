"""Named markets: what is planted in each, and the one each strategy should find something in.

Here belong complete parameters only. A market in which a strategy should earn nothing is as much a scenario as one in which it
should. What they are for is in docs/slow_market.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from models.simulation.slow_market.parameters import SlowMarketParameters


def null() -> SlowMarketParameters:
    """Three regimes, the crowd, a premium within costs: nothing to be earned."""
    return SlowMarketParameters()


def trends() -> SlowMarketParameters:
    """Informed drift of 150 bps an hour, for hours."""
    return null()._replace(trends_per_day=4.0)


def cheap_convexity() -> SlowMarketParameters:
    """Return `trends` with an implied volatility of 2.5 times what the regimes have: half of how far a day of trends goes."""
    return trends()._replace(implied_ratio=2.5)


def dear_convexity() -> SlowMarketParameters:
    """No trend and an implied volatility of 1.5 of what the regimes have: who holds convexity pays."""
    return null()._replace(implied_ratio=1.5)


def impulses() -> SlowMarketParameters:
    """One-sided flow and volume for minutes, then 200 bps in 8 minutes at twice the volatility."""
    return null()._replace(impulses_per_day=10.0)


def ranges() -> SlowMarketParameters:
    """Prices held about a level for hours: standard deviation 22 bps, half-life 8 minutes."""
    return null()._replace(ranges_per_day=24.0)


def wide_spreads() -> SlowMarketParameters:
    """Spreads of 7 to 10 bps: half of one is worth more than a maker's fee and what the price moves while a quote waits."""
    return null()._replace(regime_spread_bps=(7.0, 8.0, 10.0), regime_volatility_bps=(0.3, 0.45, 0.8))


def sweeps() -> SlowMarketParameters:
    """Plant runs of 18 to 36 bps beyond the last hour's high or low, back within two minutes, then 80 bps on."""
    return null()._replace(sweeps_per_day=24.0)


def spikes() -> SlowMarketParameters:
    """Sudden prints 0.6 to 1 % away that come back with a half-life of 20 s."""
    return null()._replace(spikes_per_day=16.0)


def permanent_cascades() -> SlowMarketParameters:
    """Crowding, a slide, then 350 bps of liquidations in ten minutes that stay; whales leave clusters to be liquidated."""
    return null()._replace(cascades_per_day=3.0, whales_per_hour=4.0, whale_transient_bps=0.0)


def reverting_cascades() -> SlowMarketParameters:
    """Short build-ups, then 175 bps in 12 s, fading for most of them; 160 come back with a half-life of 20 s."""
    return null()._replace(
        cascades_per_day=24.0,
        cascade_build_s=1200.0,
        cascade_build_interest=0.02,
        cascade_slide_bps_per_min=5.0,
        cascade_slide_s=180.0,
        cascade_fizzle_s=1800.0,
        cascade_s=12.0,
        cascade_permanent_bps=15.0,
        cascade_overshoot_bps=160.0,
        cascade_half_life_s=20.0,
        cascade_order_sigma=0.4,
        cascade_fade=0.7,
        cascade_interest_fall=0.03,
    )


def interest() -> SlowMarketParameters:
    """Open interest up with the price goes on, open interest up against it is squeezed back: 150 bps in 40 minutes each way."""
    return null()._replace(interest_per_day=10.0)


def whales() -> SlowMarketParameters:
    """Large orders whose 24 bps revert within seconds."""
    return null()._replace(whales_per_hour=20.0)


def funding_swings() -> SlowMarketParameters:
    """Let a premium of 80 bps either way turn within hours: rates far from the last one, not paid back by the price."""
    return null()._replace(
        premium_mean_bps=0.0, premium_sd_bps=80.0, premium_half_life_s=3.0 * 3600.0, carry_share=0.0
    )


def persistent_funding() -> SlowMarketParameters:
    """Let a premium of 40 bps either way last for days."""
    return null()._replace(
        premium_mean_bps=0.0, premium_sd_bps=40.0, premium_half_life_s=36.0 * 3600.0, carry_share=0.0
    )


def basis() -> SlowMarketParameters:
    """Let a premium of 55 bps either way come back within hours, against a spot market to trade."""
    return null()._replace(
        premium_mean_bps=0.0, premium_sd_bps=55.0, premium_half_life_s=2.0 * 3600.0, carry_share=0.0
    )


def pairs() -> SlowMarketParameters:
    """Give it a partner whose spread of 65 bps comes back with a half-life of two hours."""
    return null()._replace(pair_half_life_s=7200.0)


def sentiment() -> SlowMarketParameters:
    """Days after an extreme Fear & Greed drift 500 bps against it."""
    return null()._replace(sentiment_bps_per_day=500.0)


def two_venues() -> SlowMarketParameters:
    """Plant a rich premium here, and funding 6 bps an hour lower on the other venue, for as long as the market lasts."""
    return null()._replace(
        premium_mean_bps=30.0,
        premium_sd_bps=8.0,
        carry_share=0.0,
        other_rate_bps_per_h=-6.0,
        other_rate_sd_bps_per_h=0.5,
    )


def everything() -> SlowMarketParameters:
    """Every effect, one after the other, and every market beside the own one out of line."""
    p = reverting_cascades()
    return p._replace(
        trends_per_day=1.0,
        impulses_per_day=4.0,
        ranges_per_day=2.0,
        sweeps_per_day=8.0,
        spikes_per_day=8.0,
        cascades_per_day=6.0,
        interest_per_day=3.0,
        whales_per_hour=10.0,
        premium_mean_bps=10.0,
        premium_sd_bps=45.0,
        premium_half_life_s=4.0 * 3600.0,
        carry_share=0.0,
        pair_half_life_s=7200.0,
        sentiment_bps_per_day=300.0,
        other_rate_bps_per_h=-5.0,
        implied_ratio=0.8,
    )


SCENARIOS: Final[dict[str, Callable[[], SlowMarketParameters]]] = {
    scenario.__name__: scenario
    for scenario in (
        null,
        trends,
        cheap_convexity,
        dear_convexity,
        impulses,
        ranges,
        wide_spreads,
        sweeps,
        spikes,
        permanent_cascades,
        reverting_cascades,
        interest,
        whales,
        funding_swings,
        persistent_funding,
        basis,
        pairs,
        sentiment,
        two_venues,
        everything,
    )
}
"""Every scenario by its name."""

PLANTED_FOR: Final[dict[str, str]] = {
    "funding_pressure": "funding_swings",
    "funding_harvester": "persistent_funding",
    "liquidation_gravity": "permanent_cascades",
    "liquidation_hunter": "permanent_cascades",
    "impact_reversion": "whales",
    "forced_flow_exhaustion": "reverting_cascades",
    "impulse_engine": "impulses",
    "hf_scalping": "ranges",
    "momentum_trader": "trends",
    "liquidity_sweep": "sweeps",
    "enhanced_grid": "ranges",
    "inventory_neutral_mm": "wide_spreads",
    "rebate_farmer": "spikes",
    "basis_arbitrage": "basis",
    "correlation_arb": "pairs",
    "sentiment": "sentiment",
    "cross_exchange_funding": "two_venues",
    "oi_momentum": "interest",
    "synthetic_convexity": "cheap_convexity",
}
"""The scenario in which a strategy's effect is planted, by the strategy's name."""
