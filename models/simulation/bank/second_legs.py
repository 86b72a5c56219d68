"""Which strategies of a bank have a second leg, and in which market of the outlook: told before their step, followed after it.

Branches by place, as in `steps.py`. What a leg does is in `legs.py`.
"""

from __future__ import annotations

from typing import Any, Final

from numba import njit

from models.simulation.bank.legs import follow_leg, tell_leg
from models.simulation.bank.records import LEGS
from models.simulation.bank.steps import NAMES

_BASIS: Final = NAMES.index("basis_arbitrage")
_PAIR: Final = NAMES.index("correlation_arb")
_CROSS: Final = NAMES.index("cross_exchange_funding")
_SPOT_LEG: Final = LEGS["spot"]
_PAIR_LEG: Final = LEGS["pair"]
_OTHER_LEG: Final = LEGS["other"]


@njit(cache=True)
def tell_legs(place: int, leg: Any, at_ns: int, states: Any) -> None:
    """Write what a strategy is told about its second leg, if it has one."""
    if place == _BASIS:
        tell_leg(leg, at_ns, states.basis_arbitrage)
    elif place == _PAIR:
        tell_leg(leg, at_ns, states.correlation_arb)
    elif place == _CROSS:
        tell_leg(leg, at_ns, states.cross_exchange_funding)


@njit(cache=True)
def follow_legs(place: int, leg: Any, outlook: Any, at_ns: int, states: Any, parameters: Any) -> None:
    """Bring a strategy's second leg to a tick, if it has one."""
    if place == _BASIS:
        follow_leg(leg, _SPOT_LEG, outlook, at_ns, states.basis_arbitrage.leg_wanted, parameters)
    elif place == _PAIR:
        follow_leg(leg, _PAIR_LEG, outlook, at_ns, states.correlation_arb.leg_wanted, parameters)
    elif place == _CROSS:
        follow_leg(leg, _OTHER_LEG, outlook, at_ns, states.cross_exchange_funding.leg_wanted, parameters)
