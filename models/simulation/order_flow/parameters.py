"""The planted truth of a synthetic tick-level market: one immutable tuple, its units, its checks, and presets.

Here belong numbers and what is allowed of them. How they act is said in the kernels that use them.
"""

from __future__ import annotations

from typing import NamedTuple

from models.errors import ConfigError

REGIMES = 3
MAX_LEVELS = 200
MAX_SPREAD_TICKS = 64


class OrderFlowParameters(NamedTuple):
    """Everything that defines a synthetic market; rates are per second unless the name says otherwise.

    Give floats as floats (10.0, not 10): compiled code is made for each combination of types.

    Attributes
    ----------
    tick_size, lot_size : float
        Quote per tick, base per lot; multiples of 1e-8.
    start_price : float
        Quote per base.
    start_ns : int
        Venue time of the first message, ns UTC.
    levels : int
        Levels of each side kept in the book, on consecutive ticks.
    feed_latency_min_ms, feed_latency_extra_ms : float
        `local_ts − exch_ts` is the first plus an exponential delay whose mean is the second; messages keep their order.
    background_rate : float
        Rate at which unprovoked orders arrive on each side (the μ of the Hawkes process).
    self_excitation, cross_excitation : float
        Mean number of orders on the same and on the other side that one order provokes directly; their sum is the
        branching ratio.
    excitation_decay : float
        Decay β of the exponential kernel, per second.
    trade_size_median : float
        Median size of a background order in base; sizes are lognormal.
    trade_size_sigma : float
        Standard deviation of the log size.
    flow_impact_bps : float
        Permanent impact of a background order of median size; linear in size.
    book_updates : float
        Rate of the makers' messages; each moves the quotes to the fair price and refreshes some levels.
    refreshed_levels : int
        Levels each such message refreshes, drawn with weight on the touch.
    replenish_share : float
        Share of the distance to its target a refreshed level goes, in (0, 1].
    depth_noise : float
        A target is the profile times a uniform in 1 ± this.
    depth_slope : float
        Growth of the profile per level away from the touch, as a fraction of the touch.
    regime_spread_ticks, regime_touch_depth, regime_volatility_bps, regime_activity, regime_dwell_s : tuple of 3 float
        Of each regime (0 calm, 1 normal, 2 stressed): spread, mean size at the touch in base, noise of the fair price in
        bps per √s, factor on `background_rate`, mean stay. The next regime is one of the other two, equally likely.
    whales_per_hour : float
    whale_multiple_min, whale_multiple_max, whale_tail : float
        A whale's size over the median trade is Pareto with this tail index, from the minimum, cut at the maximum.
    whale_permanent_bps, whale_transient_bps : float
        Impact in its own direction of a whale of the minimum size; grows with (size/minimum)**`whale_exponent`.
    whale_exponent : float
    whale_reversion_s : float
        Time constant e⁻¹ of the transient part.
    cascades_per_hour : float
        Rate at which cascades begin while none is under way.
    cascade_orders, cascade_duration_s : float
        Mean number of forced orders, between half and one and a half of it, and mean length of a cascade of that number.
    cascade_order_multiple : float
        Mean size of a forced order over the median trade.
    cascade_overshoot_bps, cascade_permanent_bps : float
        Sum over the cascade of the impact that reverts and of the impact that stays.
    cascade_reversion_s : float
        Time constant of the part that reverts.
    cascade_long_share : float
        Share of cascades that liquidate longs (and so sell).
    cascade_crowding : float
        What comes before cascades: their rate grows by this in its logarithm for each standard deviation the premium is away
        from its mean, up to three; the mean rate stays. 0: nothing comes before them.
    campaign_size_sigma : float
        Standard deviation of the log size of the orders of cascades and trends; impact is in proportion to size.
    campaign_fade : float
        Share of a campaign's orders, the last ones, over which sizes and rate go down evenly to 0.15 of their level.
    strain_per_bps : float
        Strain a basis point of a campaign's impact puts on the makers: depth is divided and spread multiplied by 1 + strain.
    replenish_s : float
        Time constant at which strain fades.
    trends_per_hour, trend_orders, trend_duration_s, trend_order_multiple : float
        Informed trends: as for cascades, but the flow is not forced and open interest rises.
    trend_drift_bps : float
        Permanent impact of a whole trend.
    open_interest : float
        At the start, base.
    open_interest_noise : float
        Share of a background order's size that opens or closes positions, with random sign.
    open_interest_period_s : float
        Interval of the open-interest reports.
    premium_mean, premium_std, premium_half_life_s : float
        Ornstein–Uhlenbeck premium of the perpetual over its index (fractions).
    funding_interval_h : float
        Settlements are at multiples of it since the epoch.
    funding_cap : float
        Largest absolute rate.

    """

    tick_size: float = 0.5
    lot_size: float = 0.001
    start_price: float = 60_000.0
    start_ns: int = 1_767_225_600_000_000_000
    levels: int = 20
    feed_latency_min_ms: float = 4.0
    feed_latency_extra_ms: float = 2.0
    background_rate: float = 2.0
    self_excitation: float = 0.5
    cross_excitation: float = 0.1
    excitation_decay: float = 4.0
    trade_size_median: float = 0.02
    trade_size_sigma: float = 0.8
    flow_impact_bps: float = 0.01
    book_updates: float = 20.0
    refreshed_levels: int = 4
    replenish_share: float = 0.5
    depth_noise: float = 0.4
    depth_slope: float = 0.1
    regime_spread_ticks: tuple[float, float, float] = (1.0, 2.0, 8.0)
    regime_touch_depth: tuple[float, float, float] = (3.0, 2.0, 0.8)
    regime_volatility_bps: tuple[float, float, float] = (0.3, 0.6, 1.5)
    regime_activity: tuple[float, float, float] = (0.7, 1.0, 2.0)
    regime_dwell_s: tuple[float, float, float] = (1800.0, 1800.0, 600.0)
    whales_per_hour: float = 40.0
    whale_multiple_min: float = 25.0
    whale_multiple_max: float = 150.0
    whale_tail: float = 2.0
    whale_permanent_bps: float = 0.8
    whale_transient_bps: float = 2.4
    whale_exponent: float = 0.5
    whale_reversion_s: float = 2.0
    cascades_per_hour: float = 2.0
    cascade_orders: float = 200.0
    cascade_duration_s: float = 20.0
    cascade_order_multiple: float = 10.0
    cascade_overshoot_bps: float = 45.0
    cascade_permanent_bps: float = 15.0
    cascade_reversion_s: float = 30.0
    cascade_long_share: float = 0.6
    cascade_crowding: float = 0.0
    campaign_size_sigma: float = 1.0
    campaign_fade: float = 0.35
    strain_per_bps: float = 0.25
    replenish_s: float = 4.0
    trends_per_hour: float = 2.0
    trend_orders: float = 120.0
    trend_duration_s: float = 120.0
    trend_order_multiple: float = 8.0
    trend_drift_bps: float = 40.0
    open_interest: float = 50_000.0
    open_interest_noise: float = 0.3
    open_interest_period_s: float = 5.0
    premium_mean: float = 0.0001
    premium_std: float = 0.0003
    premium_half_life_s: float = 3600.0
    funding_interval_h: float = 8.0
    funding_cap: float = 0.00375


def without_episodes(parameters: OrderFlowParameters) -> OrderFlowParameters:
    """Return the same market without whales, cascades and trends: the null for detectors."""
    return parameters._replace(whales_per_hour=0.0, cascades_per_hour=0.0, trends_per_hour=0.0)


def check_parameters(parameters: OrderFlowParameters) -> None:
    """Refuse parameters no market could have.

    Raises
    ------
    ConfigError
        Naming the first parameter out of its range, the range, and the value.

    """
    p = parameters
    branching = p.self_excitation + p.cross_excitation
    checks = (
        ("tick_size", p.tick_size, 1e-8, p.start_price / 1000.0),
        ("lot_size", p.lot_size, 1e-8, p.trade_size_median),
        ("levels", p.levels, 5, MAX_LEVELS),
        ("feed_latency_min_ms", p.feed_latency_min_ms, 0.0, 1e6),
        ("feed_latency_extra_ms", p.feed_latency_extra_ms, 0.0, 1e6),
        ("background_rate", p.background_rate, 1e-6, 1e6),
        ("self_excitation + cross_excitation", branching, 0.0, 0.99),
        ("excitation_decay", p.excitation_decay, 1e-6, 1e6),
        ("book_updates", p.book_updates, 1e-3, 1e6),
        ("refreshed_levels", p.refreshed_levels, 0, p.levels),
        ("replenish_share", p.replenish_share, 1e-6, 1.0),
        ("depth_noise", p.depth_noise, 0.0, 0.99),
        ("min(regime_spread_ticks)", min(p.regime_spread_ticks), 1.0, MAX_SPREAD_TICKS),
        ("max(regime_spread_ticks)", max(p.regime_spread_ticks), 1.0, MAX_SPREAD_TICKS),
        ("min(regime_touch_depth)", min(p.regime_touch_depth), 2.0 * p.lot_size, 1e12),
        ("min(regime_dwell_s)", min(p.regime_dwell_s), 1e-3, 1e12),
        ("whale_tail", p.whale_tail, 0.1, 100.0),
        ("whale_multiple_max", p.whale_multiple_max, p.whale_multiple_min, 1e9),
        ("cascade_orders", p.cascade_orders, 1.0, 1e6),
        ("cascade_crowding", p.cascade_crowding, 0.0, 5.0),
        ("premium_std", p.premium_std, 1e-12 if p.cascade_crowding > 0.0 else 0.0, 1.0),
        ("campaign_size_sigma", p.campaign_size_sigma, 0.0, 3.0),
        ("campaign_fade", p.campaign_fade, 0.0, 1.0),
        ("strain_per_bps", p.strain_per_bps, 0.0, 100.0),
        ("replenish_s", p.replenish_s, 1e-3, 1e6),
        ("trend_orders", p.trend_orders, 1.0, 1e6),
        ("funding_interval_h", p.funding_interval_h, 1.0, 24.0),
        ("open_interest_period_s", p.open_interest_period_s, 1e-3, 1e6),
    )
    for name, value, low, high in checks:
        if not low <= value <= high:
            raise ConfigError(
                f"order flow: expected {name} from {low:g} to {high:g}, was {value:g}",
                remedy=f"change {name} of OrderFlowParameters",
            )
