"""What a run wanted, sent and got, counted with reasons: why there were trades, or why there were none.

Here belongs counting; how a page puts it in words does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from models.market.tape import Events
from models.simulation.backtest.records import BacktestParameters
from models.simulation.backtest.results import Results
from models.simulation.backtest.run import Strategy, run_events
from models.simulation.fills import records as venue_records
from models.simulation.fills.parameters import FillParameters
from models.strategies import intent as intents
from models.strategies.intent import Intent

ACTION_NAMES: Final = {intents.PLACE: "place", intents.CANCEL: "cancel", intents.EXIT: "exit"}
END_NAMES: Final = {
    venue_records.FILLED: "filled",
    venue_records.CANCELLED: "cancelled",
    venue_records.REJECTED: "rejected",
}
_REASONS: Final = (
    "WOULD_TAKE",
    "NOT_THERE",
    "BOOK_INVALID",
    "NO_MARGIN",
    "NOT_REDUCING",
    "TOO_MANY",
    "NOT_FILLED",
    "DUPLICATE",
    "BAD_QUANTITY",
    "FORCED_OUT",
)
VENUE_REASONS: Final = {getattr(venue_records, name): name for name in _REASONS}
STILL_OPEN: Final = "open at the end"


@dataclass(frozen=True)
class Count:
    """How often something happened, and why."""

    what: str
    why: str
    count: int


def intents_of(results: Results, names: Mapping[int, str]) -> list[Count]:
    """Count the intents of a run by action and reason, the most frequent first."""
    found = Counter(zip(results.intents["action"].tolist(), results.intents["reason"].tolist(), strict=True))
    return [Count(ACTION_NAMES[a], names[r], n) for (a, r), n in found.most_common()]


def orders_of(results: Results) -> list[Count]:
    """Count the orders of a run by how they ended and why, the most frequent first."""
    ends = zip(results.orders["end"].tolist(), results.orders["end_reason"].tolist(), strict=True)
    found = Counter((END_NAMES.get(end, STILL_OPEN), VENUE_REASONS.get(why, "")) for end, why in ends)
    return [Count(what, why, n) for (what, why), n in found.most_common()]


def below_minimum(results: Results, minimum_usd: float, tick_size: float) -> int:
    """Count entry orders worth less than the venue's least order value; market orders are valued at the mid of their time."""
    orders, equity = results.orders, results.equity
    if not len(orders) or not len(equity):
        return 0
    mids = equity["mid"][np.searchsorted(equity["at_ns"], orders["at_ns"], side="right") - 1]
    market = np.abs(orders["tick"]) >= venue_records.ANY_TICK
    prices = np.where(market, mids, orders["tick"] * tick_size)
    small = (orders["reduce_only"] == 0) & (prices * orders["quantity"] < minimum_usd)
    return int(np.count_nonzero(small))


def held_back(
    chunks: Iterable[Events],
    strategy: Strategy,
    venue: FillParameters,
    parameters: BacktestParameters,
    names: Mapping[int, str],
    feature_params: np.record | None = None,
) -> list[Count]:
    """Count what a strategy said at every tick, holding included: event by event, for a short stretch.

    Parameters
    ----------
    chunks : iterable of array of EVENT
    strategy : Strategy
        New.
    venue : FillParameters
    parameters : BacktestParameters
    names : mapping of int to str
        The strategy's reasons.
    feature_params : record of PARAMS, optional

    """
    said: Counter[tuple[int, int]] = Counter()

    def step(market: Any, params: Any, state: Any) -> Intent:
        wanted = strategy.step(market, params, state)
        said[wanted.action, wanted.reason] += 1
        return wanted

    run_events(chunks, strategy._replace(step=step, loop=None), venue, parameters, feature_params)
    return [Count(ACTION_NAMES.get(a, "hold"), names[r], n) for (a, r), n in said.most_common()]
