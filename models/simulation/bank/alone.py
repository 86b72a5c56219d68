"""One strategy of the catalogue outside the bank, event by event: the path of a live process, and of a look at its reasons.

It gives what a bank of one gives, to the bit, but for second legs, which it does not trade.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from models.market.outlook import newest, require_outlooks
from models.simulation.backtest.run import Strategy
from models.strategies.catalogue import Entry
from models.strategies.intent import Intent


def strategy_alone(entry: Entry, params: Any, outlooks: NDArray[Any]) -> Strategy:
    """Return a strategy for `models.simulation.backtest.run.run_events`.

    Parameters
    ----------
    entry : Entry
    params : tuple
        Checked.
    outlooks : array of OUTLOOK
        All the run may need.

    """
    if not entry.asks_outlook:
        return Strategy(params, entry.new_state(), entry.step)
    rows = require_outlooks(outlooks)
    place = 0

    def step(market: Any, params: Any, state: Any) -> Intent:
        nonlocal place
        place = newest(rows, place, int(market["tick_at_ns"]))
        return entry.step(market, rows[place], params, state)  # type: ignore[no-any-return]

    return Strategy(params, entry.new_state(), step)
