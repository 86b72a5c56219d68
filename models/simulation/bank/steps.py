"""The steps of a bank, one branch per strategy: what each is told, and what it wants.

The order of `NAMES` is the order of everything in a bank. A strategy more is a name, a field of `Params`, a field of `STATES`,
and a branch. Branches are written out because a function chosen at run time cannot be cached when compiled. What does not
belong here: rules, orders, legs.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.market.features.records import record_dtype
from models.simulation.backtest.session import tell
from models.strategies import forced_flow_exhaustion, impact_reversion
from models.strategies.intent import Intent

_impact_reversion = impact_reversion.step
_forced_flow_exhaustion = forced_flow_exhaustion.step


class Params(NamedTuple):
    """Parameters of every strategy, in the order of the bank."""

    impact_reversion: impact_reversion.Params = impact_reversion.Params()
    forced_flow_exhaustion: forced_flow_exhaustion.Params = forced_flow_exhaustion.Params()


NAMES: Final = Params._fields
STATES: Final = record_dtype(
    [
        ("impact_reversion", impact_reversion.STATE),
        ("forced_flow_exhaustion", forced_flow_exhaustion.STATE),
    ]
)
_NEW: Final = {
    "impact_reversion": impact_reversion.new_state,
    "forced_flow_exhaustion": forced_flow_exhaustion.new_state,
}


def new_states() -> NDArray[np.void]:
    """Return the states of strategies that have seen nothing: array of STATES, shape (1,)."""
    states = np.zeros(1, STATES)
    for name, make in _NEW.items():
        states[name][0] = make()
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
    tell(known, counts, states.forced_flow_exhaustion)
    return _forced_flow_exhaustion(market, params.forced_flow_exhaustion, states.forced_flow_exhaustion)
