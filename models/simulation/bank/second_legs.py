"""Which strategies of a bank have a second leg, and in which market of the outlook: told before their step, followed after it.

Branches by place, as in `steps.py`. What a leg does is in `legs.py`.
"""

from __future__ import annotations

from typing import Any, Final

from numba import njit

LEG_OF: Final[dict[str, str]] = {}
"""Market of the second leg, by strategy; those not named have none."""


@njit(cache=True)
def tell_legs(place: int, leg: Any, at_ns: int, states: Any) -> None:
    """Write what a strategy is told about its second leg, if it has one."""


@njit(cache=True)
def follow_legs(place: int, leg: Any, outlook: Any, at_ns: int, states: Any, parameters: Any) -> None:
    """Bring a strategy's second leg to a tick, if it has one."""
