"""What a strategy expects of a trade before costs, by its own parameters: for the gate that holds it against costs (G5).

It is what the rule aims at, not what it has earned: target distances and parts of what was measured at the signal. Where a rule
names no target (it follows until something turns), its least hoped-for move is what it would risk. What a strategy really earns
is the matrix's business (M3).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

_BPS: Final = 1e4


def _impact(params: Any, features: Mapping[str, float]) -> float:
    return float(params.target_share * features.get("impact_bps", math.nan))


_EDGES: Final[Mapping[str, Callable[[Any, Mapping[str, float]], float]]] = {
    "funding_pressure": lambda p, _: _BPS * p.threshold,
    "funding_harvester": lambda p, _: _BPS * (p.least_edge + p.maker_fee + p.taker_fee),
    "liquidation_gravity": lambda p, _: _BPS * p.target,
    "liquidation_hunter": lambda p, _: _BPS * p.target,
    "impact_reversion": _impact,
    "forced_flow_exhaustion": lambda p, f: _BPS * p.stop_sigmas * f.get("sigma", math.nan),
    "impulse_engine": lambda p, _: p.least_edge * p.fees_bps,
    "hf_scalping": lambda p, _: p.target_bps,
    "momentum_trader": lambda p, _: p.least_edge * p.fees_bps,
    "liquidity_sweep": lambda p, _: p.least_edge * p.fees_bps,
    "enhanced_grid": lambda p, _: p.step_bps,
    "inventory_neutral_mm": lambda p, _: 2.0 * p.least_half_spread_bps,
    "rebate_farmer": lambda p, _: p.target_share * p.distance_bps,
    "basis_arbitrage": lambda p, _: _BPS * (p.least_premium + 2.0 * (p.perp_fee + p.spot_fee)),
    "correlation_arb": lambda _, f: _BPS * f.get("way", math.nan),
    "sentiment": lambda p, _: _BPS * p.target,
    "cross_exchange_funding": lambda p, _: _BPS * (p.least_edge + 2.0 * (p.own_fee + p.other_fee)),
    "oi_momentum": lambda p, _: _BPS * p.target,
    "synthetic_convexity": lambda _p, _f: math.nan,
}


_MEASURED: Final[Mapping[str, Callable[[Any], dict[str, float]]]] = {
    "forced_flow_exhaustion": lambda state: {"sigma": float(state["entry_sigma"])},
    "correlation_arb": lambda state: {
        "way": float(state["way"]),
        "partner_share": float(state["beta"]),
        "partner_spread": float(state["partner_spread"]),
    },
}


def measured_at_entry(strategy: str, state: Any) -> dict[str, float]:
    """Return what an edge rests on and no feature of the market says: what the strategy itself measured at its entry.

    Parameters
    ----------
    strategy : str
    state : record of the strategy's state
        As of its newest entry.

    Returns
    -------
    dict of str to float
        Of S6 ``sigma``: standard deviation of the mid's log return over its horizon, a fraction. Of S15 ``way``, what it
        expects of the spread, and of its second leg ``partner_share``, the notional, and ``partner_spread``: all fractions,
        the first two of the own leg's notional. Empty for the others.

    """
    measure = _MEASURED.get(strategy)
    return {} if measure is None else measure(state)


def expected_edge_bps(strategy: str, params: Any, features: Mapping[str, float]) -> float:
    """Return what a strategy aims at with an entry it makes now.

    Parameters
    ----------
    strategy : str
    params : tuple
        Of the strategy.
    features : mapping of str to float
        Of the market at the signal, and `measured_at_entry`; a name may be absent.

    Returns
    -------
    float
        Bps of the notional before fees and spread; NaN where the rule says nothing.

    """
    return float(_EDGES[strategy](params, features))
