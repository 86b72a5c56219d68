"""Requests of market makers to quote live what their shadows quote: when one is judged, and what is remembered of it.

A shadow renews its quotes all day, and each renewal is no news: who may not quote is judged again after a while, and journalled
when the reason has changed. Changes only the memory given. The judgement itself is in `entries.py`, what a campaign that
quotes does in `campaigns/quoting.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from hean_live.app.bank.sizing import NANOSECONDS, BankRules, system_of
from hean_live.app.snapshot import Snapshot
from hean_live.app.state import SymbolState
from hean_live.shadow.records import BankSignal
from models.gates.memory import Asked, BankMemory

NOT_QUOTED = "NOT_QUOTED"
"""Reason of a market maker's fill in its shadow while nothing was quoted live, and no gate had refused to."""


def requests_due(
    snapshot: Snapshot, states: Mapping[str, SymbolState], memory: BankMemory, rules: BankRules
) -> list[BankSignal]:
    """Return the requests to quote that are to be judged at this poll.

    Parameters
    ----------
    snapshot : Snapshot
    states : mapping of str to SymbolState
        Symbols that may be entered.
    memory : BankMemory
    rules : BankRules

    """
    due: list[BankSignal] = []
    for quotes in snapshot.bank.quotes if snapshot.bank.running else ():
        state = states.get(quotes.symbol)
        if quotes.signal is None or state is None or state.campaign is not None or state.signal is not None:
            continue
        if snapshot.policy.breach(quotes.strategy) is not None:
            continue  # its fills in the shadow are told, with this reason
        before = memory.asked.get((quotes.strategy, quotes.symbol))
        if before is None or snapshot.now_ns - before.at_ns >= rules.ask_s * NANOSECONDS:
            due.append(quotes.signal)
    return due


def remember_request(signal: BankSignal, why: str, now_ns: int, memory: BankMemory) -> bool:
    """Remember how a request was judged; returns whether that is news."""
    key = (signal.strategy, signal.symbol)
    before = memory.asked.get(key)
    memory.asked[key] = Asked(now_ns, why)
    return not why or before is None or before.refused_by != why


def why_not_quoted(
    signal: BankSignal, states: Mapping[str, SymbolState], memory: BankMemory
) -> tuple[str, str]:
    """Return why a market maker's fill in its shadow has no live twin, reason and words; both empty where it quotes live."""
    state = states.get(signal.symbol)
    campaign = None if state is None else state.campaign
    if campaign is not None and campaign.signal.strategy == system_of(signal.strategy):
        return "", ""
    before = memory.asked.get((signal.strategy, signal.symbol))
    if before is not None and before.refused_by:
        return before.refused_by, f"{signal.strategy} was refused to quote {signal.symbol}"
    return NOT_QUOTED, f"{signal.strategy} quoted nothing live on {signal.symbol}"
