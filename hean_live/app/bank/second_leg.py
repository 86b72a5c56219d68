"""The second leg of a pair's signal: whether its symbol is free, how much smaller the first must be, and its campaign. Pure.

Both legs together take the margin one trade may take. Which signals come this far is decided in `entries.py`, what the legs do
then in `campaigns/following.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from hean_live.app.bank.sizing import BankRules, limits_of
from hean_live.app.gates import GateRules, entry_of_size, reserved_usd, stop_price
from hean_live.app.snapshot import Snapshot
from hean_live.app.state import FOLLOWING, Campaign, SymbolState
from hean_live.shadow.records import BankSignal
from models.execution.rounding import is_tradable
from models.portfolio.conflicts import CONFLICT
from models.portfolio.limits import check_entry
from models.portfolio.sizing import Sized, round_toward_zero


def why_no_second_leg(
    signal: BankSignal, snapshot: Snapshot, states: Mapping[str, SymbolState]
) -> tuple[str, str]:
    """Return why the other symbol of a pair cannot be entered now, reason and words; empty ones if it can, or there is none."""
    partner = signal.partner
    if not partner:
        return "", ""
    state = states.get(partner)
    if state is None:
        return "NOT_LISTED", f"the partner {partner} should be one of the symbols traded, was not"
    if state.campaign is not None or state.signal is not None:
        return CONFLICT, f"the partner {partner} is taken"
    books = snapshot.books
    if books is None or partner not in snapshot.quotes or partner not in snapshot.instruments:
        return "NO_QUOTE", f"{partner}: books and a quote of the order venue were expected, were absent"
    if partner in books.foreign:
        return "FOREIGN", f"{partner}: {books.foreign[partner]}"
    return "", ""


def first_leg_factor(signal: BankSignal, snapshot: Snapshot) -> dict[str, float]:
    """Return the factor by which the first leg is smaller than a trade alone, by name; empty for a signal without a partner."""
    own, other = snapshot.quotes.get(signal.symbol), snapshot.quotes.get(signal.partner)
    if not signal.partner or own is None or other is None:
        return {}
    beta = signal.ratio * float(other.mark) / float(own.mark)
    return {"second_leg": 1.0 / (1.0 + beta) if beta > 0.0 else math.nan}


def second_leg_of(
    first: Campaign,
    signal: BankSignal,
    snapshot: Snapshot,
    states: Mapping[str, SymbolState],
    limits: GateRules,
    rules: BankRules,
) -> Campaign | tuple[str, str]:
    """Size the second leg of a pair.

    Parameters
    ----------
    first : Campaign
        Sized, and not yet among the states.
    signal : BankSignal
        `why_no_second_leg` has nothing against it.
    snapshot : Snapshot
    states : mapping of str to SymbolState
    limits : GateRules
    rules : BankRules

    Returns
    -------
    Campaign, or (reason, arithmetic)

    """
    books, partner = snapshot.books, signal.partner
    assert books is not None  # noqa: S101 - as the caller asked
    quote, instrument, side = snapshot.quotes[partner], snapshot.instruments[partner], -signal.side
    price, ratio = quote.across(side), Decimal(repr(signal.ratio))
    qty = round_toward_zero(ratio * first.qty, instrument.qty_step)
    if not is_tradable(qty, quote.mark, instrument):
        words = (
            f"{partner}: {ratio:.6g} x {first.qty} of {signal.symbol} = {qty} {partner} at {price}; the venue takes"
            f" {instrument.min_order_qty} and {instrument.min_notional_usd} USD at least"
        )
        return "SIZER_ZERO", words
    stop = stop_price(price, side, limits.stop_fraction, instrument.tick_size)
    own = replace(first.signal, symbol=partner, side=side)
    size = Sized(qty, qty * price, qty * abs(price - stop), "second leg", "")
    reserved = {
        **reserved_usd(states, snapshot),
        signal.symbol: first.qty * snapshot.quotes[signal.symbol].mark,
    }
    entry = entry_of_size(own, snapshot, limits, books, size, stop, reserved)
    breaches = check_entry(entry, limits_of(signal.strategy, limits, rules))
    if breaches:
        return breaches[0].reason, f"{partner}: {breaches[0].arithmetic}"
    return Campaign(own, qty, stop, snapshot.now_ns, FOLLOWING, partner=signal.symbol, ratio=ratio)
