"""What a simulated venue does to orders: one immutable tuple, its units and its checks.

Here belong numbers and what is allowed of them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from models.errors import ConfigError

# Queue models: how much of a shrinking level stood ahead of us; with f and b the sizes ahead and behind.
RISK_ADVERSE: Final = 0
"""Only trades move us forward, except that no more can be ahead than there is. The default."""
POWER: Final = 1
"""P(behind) = bⁿ / (bⁿ + fⁿ)."""
POWER_2: Final = 2
"""P(behind) = bⁿ / (b + f)ⁿ."""
POWER_3: Final = 3
"""P(behind) = 1 − (f / (f + b))ⁿ."""
LOG: Final = 4
"""P(behind) = ln(1 + b) / (ln(1 + b) + ln(1 + f))."""
LOG_2: Final = 5
"""P(behind) = ln(1 + b) / ln(1 + b + f)."""

CONSTANT: Final = 0
"""Always `latency_median_ms`."""
UNIFORM: Final = 1
"""Between `latency_min_ms` and `latency_max_ms`."""
LOGNORMAL: Final = 2
"""Lognormal about `latency_median_ms`, held between the minimum and the maximum."""


class FillParameters(NamedTuple):
    """A simulated venue. Give floats as floats (10.0, not 10): compiled code is made for each combination of types.

    Attributes
    ----------
    tick_size, lot_size : float
        Quote per tick, base per lot.
    queue_model : int
        `RISK_ADVERSE` or one of the probability models.
    queue_power : float
        n of the power models.
    partial_fills : int
        1: a print that goes beyond the queue fills only what is left of it. 0: any such print fills an order whole.
    latency_model : int
        `CONSTANT`, `UNIFORM` or `LOGNORMAL`; drawn apart for the way in and the way out.
    entry_min_ms, entry_median_ms, entry_max_ms : float
        From sending a request to its effect at the venue.
    response_min_ms, response_median_ms, response_max_ms : float
        From an effect at the venue to our knowing it.
    latency_sigma : float
        Standard deviation of the log latency.
    seed : int
        Of the latencies. A latency depends on the seed and the number of the request or report only.
    maker_fee, taker_fee : float
        Fractions of the value; negative is a rebate.
    leverage : float
        0 switches margin and liquidation off.
    maintenance_margin : float
        Fraction of the entry value at which a position is liquidated.

    """

    tick_size: float
    lot_size: float
    queue_model: int = RISK_ADVERSE
    queue_power: float = 2.0
    partial_fills: int = 1
    latency_model: int = LOGNORMAL
    entry_min_ms: float = 50.0
    entry_median_ms: float = 80.0
    entry_max_ms: float = 150.0
    response_min_ms: float = 50.0
    response_median_ms: float = 80.0
    response_max_ms: float = 150.0
    latency_sigma: float = 0.3
    seed: int = 0
    maker_fee: float = 0.0002
    taker_fee: float = 0.00055
    leverage: float = 0.0
    maintenance_margin: float = 0.005


def check_parameters(parameters: FillParameters) -> None:
    """Refuse parameters no venue could have.

    Raises
    ------
    ConfigError
        Naming the first parameter out of its range, the range, and the value.

    """
    p = parameters
    checks = (
        ("tick_size", p.tick_size, 1e-12, 1e12),
        ("lot_size", p.lot_size, 1e-12, 1e12),
        ("queue_model", p.queue_model, RISK_ADVERSE, LOG_2),
        ("queue_power", p.queue_power, 1e-6, 100.0),
        ("partial_fills", p.partial_fills, 0, 1),
        ("latency_model", p.latency_model, CONSTANT, LOGNORMAL),
        ("entry_min_ms", p.entry_min_ms, 0.0, p.entry_median_ms),
        ("entry_max_ms", p.entry_max_ms, p.entry_median_ms, 1e7),
        ("response_min_ms", p.response_min_ms, 0.0, p.response_median_ms),
        ("response_max_ms", p.response_max_ms, p.response_median_ms, 1e7),
        ("latency_sigma", p.latency_sigma, 0.0, 10.0),
        ("maker_fee", p.maker_fee, -0.01, 0.1),
        ("taker_fee", p.taker_fee, -0.01, 0.1),
        ("leverage", p.leverage, 0.0, 200.0),
        ("maintenance_margin", p.maintenance_margin, 0.0, 1.0 / p.leverage if p.leverage else 1.0),
    )
    for name, value, low, high in checks:
        if not low <= value <= high:
            raise ConfigError(
                f"fill model: expected {name} from {low:g} to {high:g}, was {value:g}",
                remedy=f"change {name} of FillParameters",
            )


def constant_latency(parameters: FillParameters, entry_ms: float, response_ms: float) -> FillParameters:
    """Return the same venue with fixed latencies."""
    return parameters._replace(
        latency_model=CONSTANT,
        entry_min_ms=entry_ms,
        entry_median_ms=entry_ms,
        entry_max_ms=entry_ms,
        response_min_ms=response_ms,
        response_median_ms=response_ms,
        response_max_ms=response_ms,
    )
