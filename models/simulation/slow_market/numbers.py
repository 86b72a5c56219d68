"""From parameters and symbol to the record the kernels read: everything that can be computed once.

What does not belong here: the kernels.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from models.market.features.records import new_record
from models.simulation.slow_market.parameters import SlowMarketParameters, check_parameters
from models.simulation.slow_market.state import NUMBERS
from models.simulation.slow_market.symbols import SlowSymbol

_YEAR_S: Final = 365.0 * 86_400.0
_STRAIN_S: Final = 4.0
"""Time constant at which makers come back."""


def keep_of(half_life_s: float, seconds: float) -> float:
    """Return what is left of a deviation after some time; 1 where the half-life is infinite."""
    return float(0.5 ** (seconds / half_life_s))


def stationary_noise(sd: float, keep: float) -> float:
    """Return the standard deviation of a step of an autoregression with this stationary one."""
    return sd * math.sqrt(1.0 - keep * keep)


def cascade_probabilities(parameters: SlowMarketParameters) -> tuple[float, float, float, float]:
    """Return the probability that a cascade begins within the horizon, by stage: none, build-up, slide, under way.

    Stages end after exponential times, so the stage is all there is to know. Build-ups that have not begun count as well.
    """
    p = parameters
    start, build = p.cascades_per_day / 86_400.0, 1.0 / p.cascade_build_s
    forced, fizzle = 1.0 / p.cascade_slide_s, 1.0 / p.cascade_fizzle_s
    # Uniformisation would do as well; a thousand small steps of the chain are exact to its sixth digit.
    steps = 1000
    dt = p.cascade_horizon_s / steps
    chain = np.eye(4)
    chain[0] += dt * np.array([-start, start, 0.0, 0.0])
    chain[1] += dt * np.array([build * (1.0 - p.cascade_share), -build, build * p.cascade_share, 0.0])
    chain[2] += dt * np.array([fizzle, 0.0, -fizzle - forced, forced])
    reached = np.linalg.matrix_power(chain, steps)[:, 3]
    return float(reached[0]), float(reached[1]), float(reached[2]), float(reached[3])


def implied_volatility(parameters: SlowMarketParameters) -> float:
    """Return the volatility a year the regimes have on average, times the ratio."""
    stay = np.array(parameters.regime_dwell_s)
    variance = float((np.array(parameters.regime_volatility_bps) ** 2 * stay).sum() / stay.sum())
    return parameters.implied_ratio * 1e-4 * math.sqrt(variance * _YEAR_S)


def market_numbers(parameters: SlowMarketParameters, symbol: SlowSymbol, seed: int) -> np.record:
    """Return checked parameters and what follows from them.

    Raises
    ------
    ConfigError
        When a parameter is out of range.

    """
    p = check_parameters(parameters)
    r: Any = new_record(NUMBERS)
    for name, value in p._asdict().items():
        r[name] = value
    r.tick_size, r.lot_size = symbol.tick_size, symbol.lot_size
    r.open_interest = symbol.open_interest_usd / symbol.price
    r.start_tick = symbol.price / symbol.tick_size
    r.trade_lots = symbol.trade_usd / symbol.price / symbol.lot_size
    r.rung_ticks = max(1, round(1e-4 * p.rung_bps * r.start_tick))
    r.rung_seed = np.random.SeedSequence((seed, symbol.number, 1)).generate_state(1, np.uint64)[0]
    for k, seconds in enumerate((1.0, 0.25)):
        r.step_s[k], r.sqrt_s[k] = seconds, math.sqrt(seconds)
        half_lives = (p.whale_half_life_s, p.spike_half_life_s, p.cascade_half_life_s)
        r.fading[k] = [keep_of(half_life, seconds) for half_life in half_lives]
        r.range_keep[k] = keep_of(p.range_half_life_s, seconds)
        r.range_noise[k] = stationary_noise(p.range_sd_bps, r.range_keep[k])
        r.excitation_keep[k] = math.exp(-p.excitation_decay * seconds)
        r.strain_keep[k] = math.exp(-seconds / _STRAIN_S)
    r.premium_keep = keep_of(p.premium_half_life_s, p.report_s)
    r.premium_noise = stationary_noise(1e-4 * p.premium_sd_bps, r.premium_keep)
    r.premium_minute_keep = keep_of(p.premium_half_life_s, 60.0)
    r.premium_minute_noise = stationary_noise(1e-4 * p.premium_sd_bps, r.premium_minute_keep)
    r.pair_alpha = math.log(symbol.price) - p.pair_beta * math.log(symbol.partner_price)
    r.pair_keep = keep_of(p.pair_half_life_s, p.outlook_s)
    r.pair_step_noise = _step_noise(1e-4 * p.pair_noise_bps, p.pair_half_life_s, p.outlook_s)
    r.other_keep = keep_of(p.other_half_life_s, p.outlook_s)
    r.other_noise = stationary_noise(1e-4 * p.other_rate_sd_bps_per_h, r.other_keep)
    r.implied = implied_volatility(p)
    r.cascade_probability[:] = cascade_probabilities(p)
    return r  # type: ignore[no-any-return]


def _step_noise(per_sqrt_s: float, half_life_s: float, seconds: float) -> float:
    """Return the exact noise of a step of an Ornstein-Uhlenbeck process from its noise per sqrt(s)."""
    if math.isinf(half_life_s):
        return per_sqrt_s * math.sqrt(seconds)
    speed = math.log(2.0) / half_life_s
    return per_sqrt_s * math.sqrt((1.0 - math.exp(-2.0 * speed * seconds)) / (2.0 * speed))
