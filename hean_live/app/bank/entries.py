"""What the engine makes of the bank's news: shadow trades are kept, signals judged by every gate, the best may trade.

The road of a signal: gates in their order (`models.gates`), one strategy a symbol (`models.portfolio.conflicts`), conviction,
size and limits (`sizing.py`). Each step's reason is journalled with the signal, and with the shadow's result when it is
over (`trips.py`), so that what a gate cost or saved can be measured. Who makes markets takes the same road with a request
to quote (`quotes.py`); a fill in such a shadow was traded if its strategy quoted that symbol live. Changes only the memory
and states given. What a campaign does is in `campaigns/phases.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from hean_live.app.bank.facts import Requests, facts_of, sight_of
from hean_live.app.bank.quotes import remember_request, requests_due, why_not_quoted
from hean_live.app.bank.second_leg import first_leg_factor, second_leg_of, why_no_second_leg
from hean_live.app.bank.sizing import BankRules, campaign_of, system_of
from hean_live.app.bank.trips import keep_trip
from hean_live.app.campaigns.orders import entry_note
from hean_live.app.gates import GateRules
from hean_live.app.snapshot import Command, Note, Snapshot
from hean_live.app.state import Campaign, SymbolState
from hean_live.shadow.records import BankSignal
from models.execution.market_gates import PriceHistory
from models.execution.sight import MarketSight
from models.gates.blame import blocked_by
from models.gates.memory import BankMemory, Waiting
from models.gates.order import Verdict, pass_gates
from models.gates.pace import remember_entry
from models.gates.signals import candidate_of
from models.learning.roster import canonical
from models.portfolio.conflicts import CONFLICT, Contender, Holder, resolve_conflicts
from models.portfolio.roster import KINDS, Kind
from models.portfolio.rotator import Rotation, Value, rotate

NOT_CARRIED_OUT: Final = "NOT_CARRIED_OUT"
_OWN_ROAD: Final = frozenset({"funding_pressure"})
"""The engine shadows and trades it itself (`funding_signals.py`): told twice, its record would count twice."""


@dataclass(frozen=True)
class Judged:
    """A signal with what the gates said, and what is in force on its symbol."""

    signal: BankSignal
    verdict: Verdict
    rotation: Rotation
    sight: MarketSight


def hear_bank(
    snapshot: Snapshot,
    sights: Mapping[str, MarketSight],
    states: Mapping[str, SymbolState],
    memory: BankMemory,
    btc: PriceHistory,
    requests: Requests,
    limits: GateRules,
    rules: BankRules,
) -> list[Command]:
    """Take the bank's news of one poll.

    Parameters
    ----------
    snapshot : Snapshot
    sights : mapping of str to MarketSight
    states : mapping of str to SymbolState
        Changed in place: a signal that may be traded begins a campaign.
    memory : BankMemory
        Changed in place.
    btc : PriceHistory
    requests : Requests
    limits : GateRules
        R1 and the sizer.
    rules : BankRules

    Returns
    -------
    list of Command

    """
    signals = [signal for signal in snapshot.bank.signals if signal.strategy not in _OWN_ROAD]
    trips = [trip for trip in snapshot.bank.trips if trip.strategy not in _OWN_ROAD]
    # A trip as short as a poll comes with its signal: what the gates say of that must be known first.
    begun = {(signal.strategy, signal.symbol, signal.at_ns) for signal in signals}
    fresh = [(trip.strategy, trip.symbol, trip.signal_ns) in begun for trip in trips]
    commands = [c for trip, new in zip(trips, fresh, strict=True) if not new for c in keep_trip(trip, memory)]
    signals += requests_due(snapshot, states, memory, rules)
    judged = [_judge(signal, snapshot, sights, memory, btc, requests, rules) for signal in signals]
    chosen, refused = _choose(judged, snapshot, states, memory)
    for own in judged:
        key = (own.signal.strategy, own.signal.symbol)
        why, words = refused.get(id(own), ("", ""))
        campaigns: list[Campaign] = []
        if not why and id(own) in chosen:
            made = _begin(own, snapshot, states, limits, rules)
            if isinstance(made, list):
                campaigns = made
                memory.entries = dict(remember_entry(memory.entries, *key, snapshot.now_ns))
            else:
                why, words = made
        if own.signal.to_quote:
            if not remember_request(own.signal, why, snapshot.now_ns, memory):
                continue
        else:
            memory.waiting[key] = Waiting(own.signal.at_ns, why)
        commands += _told(own, why, words, campaigns)
    return commands + [
        c for trip, new in zip(trips, fresh, strict=True) if new for c in keep_trip(trip, memory)
    ]


def _begin(
    own: Judged,
    snapshot: Snapshot,
    states: Mapping[str, SymbolState],
    limits: GateRules,
    rules: BankRules,
) -> list[Campaign] | tuple[str, str]:
    """Begin the campaign of a signal, of a pair both; or return the reason and the words why none begins."""
    signal, held, state = own.signal, own.rotation, states[own.signal.symbol]
    if state.campaign is not None:
        # Of two signals of one poll the other may have taken the symbol as its pair's partner.
        return CONFLICT, f"{signal.symbol} is the partner of {state.campaign.partner} now"
    if (why := why_no_second_leg(signal, snapshot, states))[0]:
        return why
    factors = {**own.verdict.factors, **first_leg_factor(signal, snapshot)}
    exploring = held.activations[signal.strategy].exploring
    made = campaign_of(signal, factors, exploring, held.regime, own.sight, snapshot, states, limits, rules)
    if not isinstance(made, Campaign):
        return made
    begun = [made]
    if signal.partner:
        second = second_leg_of(made, signal, snapshot, states, limits, rules)
        if not isinstance(second, Campaign):
            return second
        begun.append(second)
    for campaign in begun:
        taken = states[campaign.signal.symbol]
        taken.campaign, taken.signal = campaign, None
    return begun


def _judge(
    signal: BankSignal,
    snapshot: Snapshot,
    sights: Mapping[str, MarketSight],
    memory: BankMemory,
    btc: PriceHistory,
    requests: Requests,
    rules: BankRules,
) -> Judged:
    """Ask every gate about a signal."""
    policy, symbol = snapshot.policy, signal.symbol
    equity = float(snapshot.books.equity_usd) if snapshot.books else math.nan
    live = [name for name in KINDS if policy.breach(name) is None]
    values = {
        (canonical(name), regime): Value(cell.ev_shrunk_usd, cell.ev_sd_usd, cell.trades)
        for (name, regime), cell in snapshot.matrix.items()
    }
    rotation = rotate(
        symbol,
        signal.regime,
        {*live, signal.strategy},
        values,
        equity,
        memory.rotation(symbol),
        snapshot.now_ns,
        rules.rotator,
    )
    memory.regimes[symbol] = (rotation.regime, rotation.since_ns)
    sight = sights.get(symbol) or sight_of(signal)
    facts = facts_of(signal, snapshot, sight, rotation, memory, btc, requests, rules)
    candidate = candidate_of(
        signal.strategy,
        symbol,
        signal.side,
        signal.at_ns,
        signal.edge_bps,
        is_taker=signal.is_taker,
        confidence=signal.confidence,
        partner=signal.partner,
        features=signal.features,
    )
    return Judged(signal, pass_gates(candidate, facts, rules.gates), rotation, sight)


def _choose(
    judged: Sequence[Judged], snapshot: Snapshot, states: Mapping[str, SymbolState], memory: BankMemory
) -> tuple[set[int], dict[int, tuple[str, str]]]:
    """Return which signals may be sized, and why the others may not: reason and words, by identity."""
    refused: dict[int, tuple[str, str]] = {}
    contenders: list[tuple[Judged, Contender]] = []
    for own in judged:
        signal, kind = own.signal, KINDS[own.signal.strategy]
        follows = kind is Kind.MARKET_MAKING and not signal.to_quote
        if follows and not (why := why_not_quoted(signal, states, memory))[0]:
            refused[id(own)] = why
        elif not own.verdict.passed:
            first = own.verdict.blocks[0]
            refused[id(own)] = (blocked_by(own.verdict), first.words)
        elif follows:
            refused[id(own)] = why
        elif kind is Kind.ARBITRAGE and not signal.partner:
            words = f"{signal.strategy} trades a second market that is not traded live; it stays in shadow"
            refused[id(own)] = (NOT_CARRIED_OUT, words)
        elif snapshot.halts:
            refused[id(own)] = next(iter(snapshot.halts.items()))
        elif (under_way := _own_campaign(own.signal, states)) is not None:
            refused[id(own)] = (CONFLICT, under_way)
        else:
            cell = snapshot.matrix.get((system_of(signal.strategy), own.rotation.regime))
            value = math.nan if cell is None else cell.ev_shrunk_usd
            contenders.append((own, Contender(signal.strategy, signal.symbol, signal.side, value)))
    holders = {symbol: _holder(state) for symbol, state in states.items() if state.campaign or state.signal}
    winners, losers = resolve_conflicts([contender for _, contender in contenders], holders)
    won = {id(contender) for contender in winners}
    lost = {id(loser.contender): loser for loser in losers}
    for own, contender in contenders:
        if id(contender) in lost:
            refused[id(own)] = (lost[id(contender)].reason, lost[id(contender)].words)
    return {id(own) for own, contender in contenders if id(contender) in won}, refused


def _own_campaign(signal: BankSignal, states: Mapping[str, SymbolState]) -> str | None:
    """Return why the strategy itself is in its own way: one campaign a symbol, until its position is left and booked."""
    state = states.get(signal.symbol)
    campaign = None if state is None else state.campaign
    if campaign is None or campaign.signal.strategy != system_of(signal.strategy):
        return None
    return f"{signal.strategy} is {campaign.phase} {signal.symbol} already"


def _holder(state: SymbolState) -> Holder:
    signal = state.campaign.signal if state.campaign is not None else state.signal
    assert signal is not None  # noqa: S101 - as the caller asked
    return Holder(canonical(signal.strategy), signal.side)


def _told(own: Judged, why: str, words: str, campaigns: Sequence[Campaign]) -> list[Command]:
    body: dict[str, object] = {
        **own.verdict.journal(),
        "signal": own.signal.reason,
        "regime": own.signal.regime,
        "rotation": own.rotation.regime,
        "turbulent": _finite(own.signal.features.get("hmm_turbulent", math.nan)),
        "edge_bps": _finite(own.signal.edge_bps),
        "not_traded": why,
        "words": words,
    }
    system = system_of(own.signal.strategy)
    commands: list[Command] = [Note("bank_signal", own.signal.symbol, body, system)]
    return commands + [entry_note(campaign) for campaign in campaigns]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
