"""The steps of a bank, one branch per strategy: what each is told, and what it wants.

`Params` names every strategy once; its order is the order of everything in a bank, and that of the catalogue. A strategy more
is a field there and a branch below. Branches are written out because a function chosen at run time cannot be cached when
compiled. What does not belong here: rules, orders, legs.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.market.features.records import new_record, record_dtype
from models.simulation.backtest.session import tell
from models.strategies import (
    basis_arbitrage,
    correlation_arb,
    cross_exchange_funding,
    enhanced_grid,
    forced_flow_exhaustion,
    funding_harvester,
    funding_pressure_ticks,
    hf_scalping,
    impact_reversion,
    impulse_engine,
    inventory_neutral_mm,
    liquidation_gravity,
    liquidation_hunter,
    liquidity_sweep,
    momentum_trader,
    oi_momentum,
    rebate_farmer,
    sentiment,
    synthetic_convexity,
)
from models.strategies.catalogue import CATALOGUE
from models.strategies.intent import Intent

_funding_pressure = funding_pressure_ticks.step
_funding_harvester = funding_harvester.step
_liquidation_gravity = liquidation_gravity.step
_liquidation_hunter = liquidation_hunter.step
_impact_reversion = impact_reversion.step
_forced_flow_exhaustion = forced_flow_exhaustion.step
_impulse_engine = impulse_engine.step
_hf_scalping = hf_scalping.step
_momentum_trader = momentum_trader.step
_liquidity_sweep = liquidity_sweep.step
_enhanced_grid = enhanced_grid.step
_inventory_neutral_mm = inventory_neutral_mm.step
_rebate_farmer = rebate_farmer.step
_basis_arbitrage = basis_arbitrage.step
_correlation_arb = correlation_arb.step
_sentiment = sentiment.step
_cross_exchange_funding = cross_exchange_funding.step
_oi_momentum = oi_momentum.step
_synthetic_convexity = synthetic_convexity.step


class Params(NamedTuple):
    """Parameters of every strategy, in the order of the bank."""

    funding_pressure: funding_pressure_ticks.Params = funding_pressure_ticks.Params()
    funding_harvester: funding_harvester.Params = funding_harvester.Params()
    liquidation_gravity: liquidation_gravity.Params = liquidation_gravity.Params()
    liquidation_hunter: liquidation_hunter.Params = liquidation_hunter.Params()
    impact_reversion: impact_reversion.Params = impact_reversion.Params()
    forced_flow_exhaustion: forced_flow_exhaustion.Params = forced_flow_exhaustion.Params()
    impulse_engine: impulse_engine.Params = impulse_engine.Params()
    hf_scalping: hf_scalping.Params = hf_scalping.Params()
    momentum_trader: momentum_trader.Params = momentum_trader.Params()
    liquidity_sweep: liquidity_sweep.Params = liquidity_sweep.Params()
    enhanced_grid: enhanced_grid.Params = enhanced_grid.Params()
    inventory_neutral_mm: inventory_neutral_mm.Params = inventory_neutral_mm.Params()
    rebate_farmer: rebate_farmer.Params = rebate_farmer.Params()
    basis_arbitrage: basis_arbitrage.Params = basis_arbitrage.Params()
    correlation_arb: correlation_arb.Params = correlation_arb.Params()
    sentiment: sentiment.Params = sentiment.Params()
    cross_exchange_funding: cross_exchange_funding.Params = cross_exchange_funding.Params()
    oi_momentum: oi_momentum.Params = oi_momentum.Params()
    synthetic_convexity: synthetic_convexity.Params = synthetic_convexity.Params()


NAMES: Final = Params._fields
DEFAULTS: Final = Params()
PARAMS: Final = record_dtype(
    [
        (
            name,
            record_dtype(
                [
                    (field, np.int64 if isinstance(value, int) else np.float64)
                    for field, value in zip(own._fields, own, strict=True)
                ]
            ),
        )
        for name, own in DEFAULTS._asdict().items()
    ]
)
"""`Params` as a record: compiled code takes it by reference, where hundreds of numbers would be handed from call to call."""
STATES: Final = record_dtype([(name, CATALOGUE[name].state) for name in NAMES])


def new_states() -> NDArray[np.void]:
    """Return the states of strategies that have seen nothing: array of STATES, shape (1,)."""
    states = np.zeros(1, STATES)
    for name in NAMES:
        states[name][0] = CATALOGUE[name].new_state()
    return states


def record_of(params: Params) -> np.record:
    """Return the parameters as a record of PARAMS."""
    record: np.record = new_record(PARAMS)
    for name, own in params._asdict().items():
        for field, value in zip(own._fields, own, strict=True):
            record[name][field] = value
    return record


@njit(cache=True)
def step_of(  # noqa: C901 - one branch a strategy, all alike
    place: int, market: Any, outlook: Any, params: Any, states: Any, known: Any, counts: Any
) -> Intent:
    """Tell a strategy of its orders and let it decide at a tick.

    Parameters
    ----------
    place : int
        Of the strategy in `NAMES`.
    market : record of MARKET
    outlook : record of OUTLOOK
    params : record of PARAMS
    states : record of STATES
        Changed in place.
    known : record of ACCOUNT
    counts : record of COUNTS

    Returns
    -------
    Intent

    """
    if place == 0:
        tell(known, counts, states.funding_pressure)
        return _funding_pressure(market, outlook, params.funding_pressure, states.funding_pressure)
    if place == 1:
        tell(known, counts, states.funding_harvester)
        return _funding_harvester(market, outlook, params.funding_harvester, states.funding_harvester)
    if place == 2:
        tell(known, counts, states.liquidation_gravity)
        return _liquidation_gravity(market, outlook, params.liquidation_gravity, states.liquidation_gravity)
    if place == 3:
        tell(known, counts, states.liquidation_hunter)
        return _liquidation_hunter(market, outlook, params.liquidation_hunter, states.liquidation_hunter)
    if place == 4:
        tell(known, counts, states.impact_reversion)
        return _impact_reversion(market, params.impact_reversion, states.impact_reversion)
    if place == 5:
        tell(known, counts, states.forced_flow_exhaustion)
        return _forced_flow_exhaustion(market, params.forced_flow_exhaustion, states.forced_flow_exhaustion)
    if place == 6:
        tell(known, counts, states.impulse_engine)
        return _impulse_engine(market, outlook, params.impulse_engine, states.impulse_engine)
    if place == 7:
        tell(known, counts, states.hf_scalping)
        return _hf_scalping(market, outlook, params.hf_scalping, states.hf_scalping)
    if place == 8:
        tell(known, counts, states.momentum_trader)
        return _momentum_trader(market, outlook, params.momentum_trader, states.momentum_trader)
    if place == 9:
        tell(known, counts, states.liquidity_sweep)
        return _liquidity_sweep(market, outlook, params.liquidity_sweep, states.liquidity_sweep)
    if place == 10:
        tell(known, counts, states.enhanced_grid)
        return _enhanced_grid(market, outlook, params.enhanced_grid, states.enhanced_grid)
    if place == 11:
        tell(known, counts, states.inventory_neutral_mm)
        return _inventory_neutral_mm(
            market, outlook, params.inventory_neutral_mm, states.inventory_neutral_mm
        )
    if place == 12:
        tell(known, counts, states.rebate_farmer)
        return _rebate_farmer(market, outlook, params.rebate_farmer, states.rebate_farmer)
    if place == 13:
        tell(known, counts, states.basis_arbitrage)
        return _basis_arbitrage(market, outlook, params.basis_arbitrage, states.basis_arbitrage)
    if place == 14:
        tell(known, counts, states.correlation_arb)
        return _correlation_arb(market, outlook, params.correlation_arb, states.correlation_arb)
    if place == 15:
        tell(known, counts, states.sentiment)
        return _sentiment(market, outlook, params.sentiment, states.sentiment)
    if place == 16:
        tell(known, counts, states.cross_exchange_funding)
        return _cross_exchange_funding(
            market, outlook, params.cross_exchange_funding, states.cross_exchange_funding
        )
    if place == 17:
        tell(known, counts, states.oi_momentum)
        return _oi_momentum(market, outlook, params.oi_momentum, states.oi_momentum)
    tell(known, counts, states.synthetic_convexity)
    return _synthetic_convexity(market, outlook, params.synthetic_convexity, states.synthetic_convexity)
