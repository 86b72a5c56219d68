"""When a strategy of a bank begins to enter: the rule by which live shadows and backtests tell a signal from what follows it.

A signal is the first order to enter that is sent while nothing is under way. Of those who make markets, whose quotes are renewed
all day, it is the fill a round trip begins with. Here belong the parts of that rule; who remembers what was read is elsewhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.simulation.bank.records import Shared
from models.strategies.intent import PLACE


def under_way(shared: Shared) -> NDArray[np.bool_]:
    """Say of each strategy whether it knows of a position, an order or a second leg of its own."""
    held = (shared.known["position"] != 0.0) | (shared.legs["position"] != 0.0)
    return np.asarray(held | (shared.counts["open"] > 0))


def entries_sent(intents: NDArray[np.void], orders: NDArray[np.void]) -> NDArray[np.void]:
    """Return the intents to enter of which an order was sent.

    Parameters
    ----------
    intents : array of INTENT
    orders : array of ORDER_SENT
        At least those of the same ticks.

    Returns
    -------
    array of INTENT
        What is below a lot is never sent, however often a strategy wants it.

    """
    entering = (intents["action"] == PLACE) & (intents["reduce_only"] == 0)
    sent: NDArray[np.void] = intents[entering & np.isin(intents["at_ns"], orders["at_ns"])]
    return sent
