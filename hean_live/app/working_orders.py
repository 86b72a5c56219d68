"""Live trading of one symbol at one poll: from the waiting signal past the gates to the orders there is room for.

Changes only the state and the memory given. What a campaign does is in `campaigns/phases.py`, why none may begin in `gates.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from hean_live.app.bank.sizing import name_of
from hean_live.app.campaigns.orders import NANOSECONDS, entry_note
from hean_live.app.campaigns.phases import advance
from hean_live.app.campaigns.situation import Situation
from hean_live.app.gates import judge, reserved_usd, room_usd
from hean_live.app.rules import EngineRules
from hean_live.app.snapshot import Cancel, Command, Note, Place, Snapshot
from hean_live.app.state import (
    BANK,
    CLOSED,
    ENTERING,
    EXITING,
    HOLDING,
    QUOTING,
    Campaign,
    Signal,
    SymbolState,
)
from hean_live.execution.client_id import parse_client_id
from hean_live.execution.records import OrderRow
from hean_live.shadow.records import ShadowQuotes
from models.execution.exit_state import entered
from models.execution.exits import TIME_EXIT, ExitParams, planned_s
from models.execution.market_gates import BTC, remember_price
from models.execution.memory import WorkMemory
from models.execution.sharing import Request, room_of, sendable
from models.execution.sight import MarketSight
from models.portfolio.limits import Breach

SHADOW_LEFT = "its shadow has left"
SECOND_LEG_LEFT = "the second leg has left"


def remember_btc(snapshot: Snapshot, work: WorkMemory, rules: EngineRules) -> None:
    """Keep BTC's price for the crash filter; `work` is changed in place."""
    ticker, crash = snapshot.tickers.get(BTC), rules.gates.crash
    if ticker is not None and ticker.mark_price:
        at_ns, price = snapshot.tickers_at_ns, float(ticker.mark_price)
        work.btc = remember_price(work.btc, at_ns, price, crash)


def try_entry(
    state: SymbolState,
    snapshot: Snapshot,
    sight: MarketSight | None,
    work: WorkMemory,
    rules: EngineRules,
    states: Mapping[str, SymbolState],
) -> list[Command]:
    """Begin the campaign of a waiting signal where every gate allows it; `state`, one of `states`, is changed in place."""
    signal = state.signal
    if signal is None:
        return []
    if state.campaign is not None or snapshot.now_ns > signal.deadline_ns:
        if snapshot.now_ns > signal.deadline_ns:
            state.signal = None
        return []
    verdict = judge(signal, snapshot, rules.gates, work.btc, sight, reserved_usd(states, snapshot))
    if isinstance(verdict, Campaign):
        state.campaign, state.signal = verdict, None
        return [entry_note(verdict)]
    return _block_once(state, signal, verdict)


def work_campaign(
    symbol: str,
    state: SymbolState,
    snapshot: Snapshot,
    sight: MarketSight | None,
    work: WorkMemory,
    rules: EngineRules,
    states: Mapping[str, SymbolState],
) -> list[Command]:
    """Move the campaign of one symbol on; `state`, one of `states`, and `work` are changed in place."""
    campaign, instrument = state.campaign, snapshot.instruments.get(symbol)
    # Books that are not current say nothing: no conclusion is drawn from them, and no order would get through.
    if campaign is None or instrument is None or snapshot.books is None or "UNRECONCILED" in snapshot.halts:
        return []
    orders = _orders_of(campaign, snapshot)
    situation = Situation(
        now_ns=snapshot.now_ns,
        net=snapshot.books.net.get(symbol, Decimal(0)),
        own=snapshot.books.own.get(symbol, Decimal(0)),
        orders=orders,
        quote=snapshot.quotes.get(symbol),
        instrument=instrument,
        no_entries=_no_entries(campaign, snapshot),
        flatten="; ".join(snapshot.halts)
        if snapshot.flatten
        else _left_alone(campaign, states) or left_by_its_shadow(campaign, snapshot),
        room_usd=room_usd(symbol, snapshot, rules.gates),
        sight=sight,
        exit_state=work.exits.get(symbol),
        room=room_of(work, snapshot.now_ns, rules.sharing),
        shadow=_shadow_quotes(campaign, snapshot, rules),
        stop_fraction=rules.gates.stop_fraction,
        first_leg=_first_leg(campaign, states, snapshot),
    )
    quoting = rules.quoting_of(campaign.signal)
    if campaign.partner:
        # Legs that were left piece by piece would not hold each other.
        quoting = replace(quoting, exits=TIME_EXIT)
    told = advance(campaign, situation, quoting)
    commands = [replace(c, strategy=campaign.signal.strategy) if isinstance(c, Note) else c for c in told]
    if campaign.phase == HOLDING and quoting.exits != TIME_EXIT and symbol not in work.exits:
        _remember_entry(campaign, orders, snapshot.now_ns, sight, quoting.exits, work)
    if campaign.phase == CLOSED:
        state.campaign = None
        work.exits.pop(symbol, None)
        if any(order.filled_qty for order in orders):
            state.unbooked.append(campaign)
    return commands


def _orders_of(campaign: Campaign, snapshot: Snapshot) -> list[OrderRow]:
    key = (campaign.signal.settlement_ns, campaign.signal.strategy)
    orders = snapshot.orders.get(campaign.signal.symbol, [])
    return [order for order in orders if (order.decision_ns, order.strategy) == key]


def _twin(campaign: Campaign, states: Mapping[str, SymbolState]) -> Campaign | None:
    """Return the other leg of a pair, None once it is over."""
    state = states.get(campaign.partner)
    other = None if state is None else state.campaign
    return other if campaign.is_twin(other) else None


def _left_alone(campaign: Campaign, states: Mapping[str, SymbolState]) -> str:
    """Return why the first leg of a pair is to be left now; ``""`` while the second stands by it."""
    if not campaign.partner or campaign.ratio:
        return ""
    twin = _twin(campaign, states)
    if twin is None:
        return SECOND_LEG_LEFT
    return twin.exit_reason if twin.phase == EXITING else ""


def _first_leg(campaign: Campaign, states: Mapping[str, SymbolState], snapshot: Snapshot) -> Decimal | None:
    """Return what the first leg of a pair has bought, base; None once it is on its way out or gone."""
    twin = _twin(campaign, states) if campaign.ratio else None
    if twin is None or twin.phase not in (ENTERING, HOLDING):
        return None
    entries = [order for order in _orders_of(twin, snapshot) if order.leg == "entry"]
    return sum((order.filled_qty for order in entries), Decimal(0))


def _no_entries(campaign: Campaign, snapshot: Snapshot) -> str:
    """Return why nothing may be added now; who quotes for long must be allowed to all the while."""
    found = [reason for reason in snapshot.halts if reason != "DRY_RUN"]
    if campaign.phase == QUOTING:
        breach = snapshot.policy.breach(name_of(campaign.signal.strategy))
        found += [] if breach is None else [breach.reason]
    return "; ".join(found)


def _shadow_quotes(campaign: Campaign, snapshot: Snapshot, rules: EngineRules) -> ShadowQuotes | None:
    """Return what the campaign's shadow quotes, None where it is not at work or has not looked for too long."""
    key = (name_of(campaign.signal.strategy), campaign.signal.symbol)
    oldest_ns = snapshot.now_ns - int(rules.quoting.mirror.stale_s * NANOSECONDS)
    told = snapshot.bank.quotes if snapshot.bank.running else ()
    return next((row for row in told if (row.strategy, row.symbol) == key and row.at_ns >= oldest_ns), None)


def left_by_its_shadow(campaign: Campaign, snapshot: Snapshot) -> str:
    """Return why a position of the bank is to be left now: its shadow holds nothing any more; ``""`` while it does.

    While the bank is not at work it says nothing, and the position waits for it, for its stop, or for its time. Quotes that
    follow a shadow have rules of their own (`campaigns/quoting.py`).
    """
    signal, bank = campaign.signal, snapshot.bank
    if signal.origin != BANK or not bank.running or campaign.phase == QUOTING or campaign.held_ns:
        return ""
    if campaign.ratio:
        return ""  # the second leg of a pair leaves with the first
    return "" if (name_of(signal.strategy), signal.symbol) in bank.holding else SHADOW_LEFT


def within_rates(
    commands: list[Command], snapshot: Snapshot, work: WorkMemory, rules: EngineRules
) -> list[Command]:
    """Leave out the requests there is no room for now; they are decided anew at the next poll."""
    in_flight = unanswered(snapshot)
    requests = [_request(command) for command in commands if isinstance(command, Place | Cancel)]
    answers = iter(sendable(requests, in_flight, snapshot.now_ns, work, rules.sharing))
    return [c for c in commands if not isinstance(c, Place | Cancel) or next(answers)]


def unanswered(snapshot: Snapshot) -> Mapping[str, int]:
    """Return how many orders of each strategy id the venue has not told the fate of."""
    rows = [row for orders in snapshot.orders.values() for row in orders]
    return Counter(row.strategy for row in rows if row.is_doubtful)


def _remember_entry(
    campaign: Campaign,
    orders: Sequence[OrderRow],
    now_ns: int,
    sight: MarketSight | None,
    plan: ExitParams,
    work: WorkMemory,
) -> None:
    """Keep what the exit plan needs of an entry that is over; one whose price is not told yet is asked again."""
    filled = [order for order in orders if order.leg == "entry" and order.filled_qty]
    qty = sum((order.filled_qty for order in filled), Decimal(0))
    prices = [order.avg_price or order.price for order in filled]
    if not qty or any(price is None for price in prices):
        return
    worth = sum(
        (o.filled_qty * price for o, price in zip(filled, prices, strict=True) if price is not None),
        Decimal(0),
    )
    signal = campaign.signal
    held_s = planned_s(plan, now_ns, signal.exit_ns, sight is not None and sight.is_trend)
    work.exits[signal.symbol] = entered(signal.side, worth / qty, qty, now_ns, held_s, sight)


def _request(command: Place | Cancel) -> Request:
    if isinstance(command, Place):
        return Request(command.decision.strategy, False, command.decision.reduce_only)
    parsed = parse_client_id(command.client_id)
    return Request("" if parsed is None else parsed.strategy, True, False)


def _block_once(state: SymbolState, signal: Signal, breach: Breach) -> list[Command]:
    if breach.reason in state.blocked:
        return []
    state.blocked.append(breach.reason)
    body = {
        "reason": breach.reason,
        "arithmetic": breach.arithmetic,
        "settlement_ns": signal.settlement_ns,
        "side": signal.side,
        "regime": signal.regime,
    }
    return [Note("block", signal.symbol, body)]
