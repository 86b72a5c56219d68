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

from models.market.features.records import record_dtype
from models.simulation.backtest.session import tell
from models.strategies import (
    enhanced_grid,
    forced_flow_exhaustion,
    hf_scalping,
    impact_reversion,
    inventory_neutral_mm,
    rebate_farmer,
)
from models.strategies.catalogue import CATALOGUE
from models.strategies.intent import Intent

_impact_reversion = impact_reversion.step
_forced_flow_exhaustion = forced_flow_exhaustion.step
_hf_scalping = hf_scalping.step
_enhanced_grid = enhanced_grid.step
_inventory_neutral_mm = inventory_neutral_mm.step
_rebate_farmer = rebate_farmer.step


class Params(NamedTuple):
    """Parameters of every strategy, in the order of the bank."""

    impact_reversion: impact_reversion.Params = impact_reversion.Params()
    forced_flow_exhaustion: forced_flow_exhaustion.Params = forced_flow_exhaustion.Params()
    hf_scalping: hf_scalping.Params = hf_scalping.Params()
    enhanced_grid: enhanced_grid.Params = enhanced_grid.Params()
    inventory_neutral_mm: inventory_neutral_mm.Params = inventory_neutral_mm.Params()
    rebate_farmer: rebate_farmer.Params = rebate_farmer.Params()


NAMES: Final = Params._fields
STATES: Final = record_dtype([(name, CATALOGUE[name].state) for name in NAMES])


def new_states() -> NDArray[np.void]:
    """Return the states of strategies that have seen nothing: array of STATES, shape (1,)."""
    states = np.zeros(1, STATES)
    for name in NAMES:
        states[name][0] = CATALOGUE[name].new_state()
    return states


@njit(cache=True)
def step_of(
    place: int, market: Any, outlook: Any, params: Any, states: Any, known: Any, counts: Any
) -> Intent:
    """Tell a strategy of its orders and let it decide at a tick.

    Parameters
    ----------
    place : int
        Of the strategy in `NAMES`.
    market : record of MARKET
    outlook : record of OUTLOOK
    params : Params
    states : record of STATES
        Changed in place.
    known : record of ACCOUNT
    counts : record of COUNTS

    Returns
    -------
    Intent

    """
    if place == 0:
        tell(known, counts, states.impact_reversion)
        return _impact_reversion(market, params.impact_reversion, states.impact_reversion)
    if place == 1:
        tell(known, counts, states.forced_flow_exhaustion)
        return _forced_flow_exhaustion(market, params.forced_flow_exhaustion, states.forced_flow_exhaustion)
    if place == 2:
        tell(known, counts, states.hf_scalping)
        return _hf_scalping(market, outlook, params.hf_scalping, states.hf_scalping)
    if place == 3:
        tell(known, counts, states.enhanced_grid)
        return _enhanced_grid(market, outlook, params.enhanced_grid, states.enhanced_grid)
    if place == 4:
        tell(known, counts, states.inventory_neutral_mm)
        return _inventory_neutral_mm(
            market, outlook, params.inventory_neutral_mm, states.inventory_neutral_mm
        )
    tell(known, counts, states.rebate_farmer)
    return _rebate_farmer(market, outlook, params.rebate_farmer, states.rebate_farmer)
