"""What market makers' shadows quote: read from their simulated venues, as distances from the mid. Nothing here decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final, Protocol

from hean_live.shadow.records import BankSignal, RestingQuote, ShadowQuotes
from models.simulation.bank.run import BankRun
from models.simulation.bank.steps import NAMES
from models.strategies.intent import PLACE

_ONE_SIDED: Final = frozenset({"enhanced_grid"})
"""Of those who make markets, who quotes the side the mid is on; the others quote both or nothing."""


class MakesSignal(Protocol):
    """Makes a signal of what is known of the market now."""

    def __call__(
        self, place: int, side: int, at_ns: int, share: float, is_taker: bool, reason: int, /
    ) -> BankSignal:
        """Return the signal."""


def shadow_quotes(symbol: str, run: BankRun, place: int, signal_of: MakesSignal) -> ShadowQuotes:
    """Return what one strategy quotes.

    Parameters
    ----------
    symbol : str
    run : BankRun
        Of one symbol, whose mid is known.
    place : int
        Of the strategy in the bank.
    signal_of : callable
        Makes the request to quote the same, where the quotes are whole and nothing is held.

    """
    session, shared, market = run.bank.sessions[place], run.bank.shared, run.symbols["market"][0]
    mid, at_ns, held = float(market["mid"]), int(market["tick_at_ns"]), float(shared.known["position"][place])
    rows = session.simulator.orders[: int(session.simulator.account["n_orders"][0])]
    resting = tuple(
        RestingQuote(
            int(row["side"]),
            float(row["tick"]) * run.venue.tick_size / mid,
            float(row["leaves"]),
            bool(row["reduce_only"]),
        )
        for row in rows
    )
    sides = {row.side for row in resting}
    is_whole = len(sides) == 2 or (len(sides) == 1 and NAMES[place] in _ONE_SIDED)
    newest: Any = session.intents[max(int(shared.counts["intents"][place]) - 1, 0)]
    signal = None
    # Quotes of which the newest word is to pull them are on their way out.
    if is_whole and not held and newest["action"] == PLACE:
        share = mid * sum(row.quantity for row in resting) / run.parameters.run.capital
        own = signal_of(place, sum(sides), at_ns, share, False, int(newest["reason"]))
        signal = replace(own, to_quote=True)
    return ShadowQuotes(NAMES[place], symbol, at_ns, (held > 0) - (held < 0), resting, signal)
