"""The planted truth of a slow market: one immutable tuple, its units, its checks.

The defaults are the null: whatever is planted has a rate or a strength of its own, and it is zero here. `scenarios.py`
has the markets with something in them. How the numbers act is said in the kernels that use them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from models.errors import ConfigError

REGIMES = 3


class SlowMarketParameters(NamedTuple):
    """Everything that defines a slow market beside its symbol. Give floats as floats.

    Attributes
    ----------
    start_ns : int
        Venue time of the first message, ns UTC; a whole minute.
    feed_latency_min_ms, feed_latency_extra_ms : float
        `local_ts - exch_ts` is the first plus a uniform share of the second.
    report_s, outlook_s : float
        Whole seconds between reports (mark, index, open interest), and between outlooks.
    regime_volatility_bps, regime_spread_bps, regime_depth, regime_activity, regime_dwell_s : tuple of 3 float
        Of each regime (0 calm, 1 normal, 2 stressed): noise of the price in bps per sqrt(s), spread (at least a tick), size
        at the touch in median trades, factor on `trade_rate`, mean stay. The next regime is one of the other two, equally likely.
    requote_bps : float
        The makers move when the price they want is farther than this from the one they quote.
    rung_bps, rung_depth : float
        Distance of the levels behind the touch and their mean size in median trades.
    rungs : int
        Levels behind the touch a side keeps at least.
    trade_rate, self_excitation, excitation_decay : float
        Trades of the crowd per second before excitation, trades one trade provokes, decay of that per second.
    trade_sigma : float
        Standard deviation of the log size of a trade.
    open_interest_noise : float
        Standard deviation of its change from report to report, fraction; it comes back to its level within days.
    premium_mean_bps, premium_sd_bps, premium_half_life_s : float
        Ornstein-Uhlenbeck premium of the perpetual over its index.
    funding_interval_h, funding_cap : float
        Settlements are at multiples of the interval since the epoch; largest absolute rate, fraction.
    carry_share : float
        Share of the last settled rate the price drifts by until the next: at 1, who pays funding is paid back by the price.
    trends_per_day, trend_h, trend_bps_per_h, trend_flow : float
        Rate of trends while nothing else is under way, mean length, drift, one-sidedness of the crowd (0 to 1).
    impulses_per_day, impulse_build_s, impulse_s, impulse_bps, impulse_flow, impulse_activity, impulse_volatility : float
        Build-up (flow and volume), then a move: its length and size; one-sidedness, factors on trades and on noise.
    ranges_per_day, range_h, range_sd_bps, range_half_life_s, range_quiet : float
        Mean length, standard deviation about the level, half-life; factor on the noise that stays.
    sweeps_per_day, sweep_near_bps, sweep_bps, sweep_s, sweep_back_s, sweep_reversal_bps, sweep_reversal_s : float
        Readiness to run the stops behind a swing level, how near it must be, how far beyond on average (two thirds to four
        thirds of it), time out, time back; how far it goes on from there, and within what time.
    spikes_per_day, spike_bps, spike_half_life_s : float
        Mean size (three to five quarters of it) of a sudden move that reverts, and its half-life.
    whales_per_hour, whale_multiple, whale_tail, whale_permanent_bps, whale_transient_bps, whale_half_life_s : float
        Sizes in median trades are Pareto from the multiple with this tail, to six times the multiple; impacts are those of the
        smallest and grow with the root of size.
    cascades_per_day : float
        Rate of build-ups, in which open interest and premium grow.
    cascade_build_s, cascade_build_interest, cascade_build_premium_bps : float
        Mean length; growth of open interest over it, fraction; premium it goes to on the crowded side.
    cascade_share : float
        Of build-ups that end in a slide; the others dissolve.
    cascade_slide_bps_per_min, cascade_slide_s, cascade_fizzle_s : float
        Drift against the crowd; mean time to the cascade, and to the slide's end without one.
    cascade_s, cascade_permanent_bps, cascade_overshoot_bps, cascade_half_life_s : float
        Length of the forced flow, impact that stays, impact that reverts, and its half-life.
    cascade_interest_fall : float
        Fraction of open interest liquidated.
    cascade_order, cascade_order_sigma, cascade_fade : float
        Mean size of a forced order in median trades, standard deviation of its log, share of the orders, the last ones,
        over which sizes go down.
    cascade_horizon_s : float
        Of `cascade_probability`.
    interest_per_day, interest_s, interest_rise, interest_build_bps, interest_follow_bps, interest_squeeze_bps : float
        Open interest rises by a fraction within the time while the price moves; after a move up it follows, after a move down it
        is squeezed back, within as long.
    sentiment_bps_per_day : float
        Drift of the day after an extreme Fear & Greed (20 or less, 80 or more), against it.
    pair_beta, pair_noise_bps, pair_half_life_s : float
        log(own) = alpha + beta log(partner) + spread; noise of the spread per sqrt(s), its half-life (infinite: none).
    other_rate_bps_per_h, other_rate_sd_bps_per_h, other_half_life_s, other_interval_h : float
        Funding of the other venue: mean and standard deviation of its difference to the own, per hour.
    implied_ratio : float
        Implied volatility over the one the regimes have on average.

    """

    start_ns: int = 1_767_225_600_000_000_000
    feed_latency_min_ms: float = 4.0
    feed_latency_extra_ms: float = 4.0
    report_s: float = 5.0
    outlook_s: float = 10.0
    regime_volatility_bps: tuple[float, float, float] = (0.35, 0.6, 1.3)
    regime_spread_bps: tuple[float, float, float] = (0.6, 1.0, 2.5)
    regime_depth: tuple[float, float, float] = (40.0, 25.0, 12.0)
    regime_activity: tuple[float, float, float] = (0.7, 1.0, 2.0)
    regime_dwell_s: tuple[float, float, float] = (7200.0, 10_800.0, 3600.0)
    requote_bps: float = 0.3
    rung_bps: float = 2.5
    rung_depth: float = 60.0
    rungs: int = 64
    trade_rate: float = 0.5
    self_excitation: float = 0.4
    excitation_decay: float = 0.5
    trade_sigma: float = 0.8
    open_interest_noise: float = 2e-5
    premium_mean_bps: float = 1.0
    premium_sd_bps: float = 1.5
    premium_half_life_s: float = 3600.0
    funding_interval_h: float = 8.0
    funding_cap: float = 0.00375
    carry_share: float = 1.0
    trends_per_day: float = 0.0
    trend_h: float = 5.0
    trend_bps_per_h: float = 150.0
    trend_flow: float = 0.3
    impulses_per_day: float = 0.0
    impulse_build_s: float = 180.0
    impulse_s: float = 480.0
    impulse_bps: float = 200.0
    impulse_flow: float = 0.8
    impulse_activity: float = 4.0
    impulse_volatility: float = 2.0
    ranges_per_day: float = 0.0
    range_h: float = 8.0
    range_sd_bps: float = 22.0
    range_half_life_s: float = 480.0
    range_quiet: float = 0.1
    sweeps_per_day: float = 0.0
    sweep_near_bps: float = 10.0
    sweep_bps: float = 27.0
    sweep_s: float = 60.0
    sweep_back_s: float = 75.0
    sweep_reversal_bps: float = 80.0
    sweep_reversal_s: float = 900.0
    spikes_per_day: float = 0.0
    spike_bps: float = 80.0
    spike_half_life_s: float = 20.0
    whales_per_hour: float = 0.0
    whale_multiple: float = 25.0
    whale_tail: float = 2.0
    whale_permanent_bps: float = 0.8
    whale_transient_bps: float = 24.0
    whale_half_life_s: float = 1.4
    cascades_per_day: float = 0.0
    cascade_build_s: float = 5400.0
    cascade_build_interest: float = 0.06
    cascade_build_premium_bps: float = 20.0
    cascade_share: float = 0.6
    cascade_slide_bps_per_min: float = 15.0
    cascade_slide_s: float = 480.0
    cascade_fizzle_s: float = 4800.0
    cascade_s: float = 600.0
    cascade_permanent_bps: float = 350.0
    cascade_overshoot_bps: float = 0.0
    cascade_half_life_s: float = 60.0
    cascade_interest_fall: float = 0.08
    cascade_order: float = 10.0
    cascade_order_sigma: float = 1.0
    cascade_fade: float = 0.35
    cascade_horizon_s: float = 900.0
    interest_per_day: float = 0.0
    interest_s: float = 2400.0
    interest_rise: float = 0.03
    interest_build_bps: float = 150.0
    interest_follow_bps: float = 150.0
    interest_squeeze_bps: float = 150.0
    sentiment_bps_per_day: float = 0.0
    pair_beta: float = 0.8
    pair_noise_bps: float = 0.9
    pair_half_life_s: float = math.inf
    other_rate_bps_per_h: float = 0.0
    other_rate_sd_bps_per_h: float = 0.05
    other_half_life_s: float = 6 * 3600.0
    other_interval_h: float = 8.0
    implied_ratio: float = 1.0


_SHARES = (
    "self_excitation",
    "trend_flow",
    "impulse_flow",
    "range_quiet",
    "cascade_share",
    "cascade_fade",
    "carry_share",
)
_MAY_BE_ANY = ("premium_mean_bps", "other_rate_bps_per_h")
_MAY_BE_ENDLESS = ("pair_half_life_s",)
_DIVIDES = (
    "_s",
    "_h",
    "_decay",
    "_tail",
    "_multiple",
    "_order",
    "_depth",
    "rung_bps",
    "trade_rate",
    "_ratio",
)


def _range_of(name: str) -> tuple[float, float]:
    if name in _MAY_BE_ANY:
        return -1e4, 1e4
    if name in _SHARES:
        return 0.0, 0.95 if name == "self_excitation" else 1.0
    if name in _MAY_BE_ENDLESS:
        return 1.0, math.inf
    return (1e-9 if name.endswith(_DIVIDES) else 0.0), 1e9


def check_parameters(parameters: SlowMarketParameters) -> SlowMarketParameters:
    """Return the parameters if a market can have them.

    Raises
    ------
    ConfigError
        Naming the first parameter out of its range, the range, and the value.

    """
    for name, value in parameters._asdict().items():
        if name == "start_ns":
            continue
        low, high = (6.0, 1000.0) if name == "rungs" else _range_of(name)
        for number in value if isinstance(value, tuple) else (value,):
            if not low <= number <= high:
                raise ConfigError(
                    f"slow market: expected {name} from {low:g} to {high:g}, was {number:g}",
                    remedy=f"change {name} of SlowMarketParameters",
                )
    _check_steps_fit(parameters)
    whole = {"report_s": 60.0 % parameters.report_s, "outlook_s": 60.0 % parameters.outlook_s}
    whole["outlook_s as a multiple of report_s"] = parameters.outlook_s % parameters.report_s
    whole["start_ns as whole minutes"] = parameters.start_ns % 60_000_000_000
    whole["report_s in whole seconds"] = parameters.report_s % 1.0
    for name, rest in whole.items():
        if rest != 0.0:
            raise ConfigError(f"slow market: expected {name} to divide a minute, was a rest of {rest:g}")
    return parameters


def _check_steps_fit(p: SlowMarketParameters) -> None:
    """Refuse what could write more events in one step than a chunk keeps room for."""
    busiest = p.trade_rate * max(p.regime_activity) * max(p.impulse_activity, 3.0) / (1.0 - p.self_excitation)
    jump = (
        1.25 * p.spike_bps + 2.5 * p.whale_transient_bps + p.cascade_permanent_bps + p.cascade_overshoot_bps
    )
    for name, value, high in (
        ("trades of the busiest second", busiest, 200.0),
        ("levels of the largest jump", jump / p.rung_bps, 500.0),
    ):
        if not value <= high:
            raise ConfigError(
                f"slow market: expected {name} up to {high:g}, was {value:g}",
                remedy="lower trade_rate, activities or excitation; lower impacts or widen rung_bps",
            )
