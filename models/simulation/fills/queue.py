"""Where in the queue of its price an order stands, by rules that know only trades and sizes of levels.

The risk-averse model lets only trades move an order forward. The probability models also share a shrinking level between
those ahead and those behind (Rigtorp 2013; the functions are those hftbacktest offers). Prints since the level last changed
are taken out of its change, so that no trade counts twice. Here belongs the estimate only; fills are in `matching`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from models.simulation.fills.parameters import LOG, POWER, POWER_2, POWER_3, RISK_ADVERSE


@njit(cache=True)
def chance_behind(model: int, power: float, front: float, back: float) -> float:
    """Probability that what left a level stood behind the order; NaN where the model does not say.

    Parameters
    ----------
    model : int
        One of the probability models.
    power : float
        n of the power models.
    front, back : float
        Size ahead of and behind the order, base.

    """
    if model == POWER:
        return float(np.divide(back**power, back**power + front**power))
    if model == POWER_2:
        return float(np.divide(back**power, (back + front) ** power))
    if model == POWER_3:
        return float(1.0 - np.divide(front, front + back) ** power)
    if model == LOG:
        return float(np.divide(np.log(1.0 + back), np.log(1.0 + back) + np.log(1.0 + front)))
    return float(np.divide(np.log(1.0 + back), np.log(1.0 + back + front)))


@njit(cache=True)
def on_level(order: Any, p: Any, size: float) -> None:
    """Take a new size of the order's level into account."""
    before = order.level
    order.level = size
    if p.queue_model == RISK_ADVERSE:
        order.ahead = min(order.ahead, size)
        return
    shrunk = before - size - order.traded
    order.traded = 0.0
    if shrunk < 0.0:
        order.ahead = min(order.ahead, size)
        return
    front = order.ahead
    back = before - front
    chance = chance_behind(p.queue_model, p.queue_power, front, back)
    if np.isinf(chance):
        chance = 1.0
    estimate = front - (1.0 - chance) * shrunk + min(back - chance * shrunk, 0.0)
    # An undefined chance (nothing ahead and nothing behind) leaves only the bound.
    order.ahead = size if np.isnan(estimate) else min(estimate, size)


@njit(cache=True)
def on_print(order: Any, p: Any, size: float) -> float:
    """Take a print at the order's price into account; returns what of it reaches the order, base in whole lots."""
    order.ahead -= size
    order.traded += size
    lots = np.floor(-order.ahead / p.lot_size + 0.5)
    if lots <= 0.0:
        return 0.0
    order.ahead = 0.0
    return float(lots * p.lot_size)
