"""What the engine makes of the bank's news: shadow trades are kept, signals judged by every gate, the best may trade.

The road of a signal: gates in their order (`models.gates`), one strategy a symbol (`models.portfolio.conflicts`), conviction
and size, limits. Each step's reason is journalled with the signal, and with the shadow's result when it is over, so that what
a gate cost or saved can be measured. Changes only the memory and states given. What a campaign does is in `campaign.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from hean_live.app.gates import GateRules, entry_of_size, size_request, stop_price
from hean_live.app.policy import PolicyView
from hean_live.app.snapshot import Command, KeepTrade, Note, Snapshot
from hean_live.app.state import BANK, Campaign, Signal, SymbolState
from hean_live.execution.records import TradeRow
from hean_live.shadow.records import BankSignal, BankTrip
from models.execution.market_gates import PriceHistory
from models.execution.sight import MarketSight
from models.gates.market_facts import market_facts
from models.gates.memory import BankMemory, Waiting
from models.gates.order import GateRules as SignalGateRules
from models.gates.order import Verdict, pass_gates
from models.gates.pace import remember_entry
from models.gates.records import AccountFacts, Candidate, Facts, Fees, PolicyFacts, Standing
from models.learning.roster import canonical
from models.portfolio.conflicts import Contender, Holder, resolve_conflicts
from models.portfolio.conviction import ConvictionRules, convict, size_entry, volatility_factor
from models.portfolio.limits import Breach, check_entry
from models.portfolio.roster import KINDS, Kind, place_of
from models.portfolio.rotator import Rotation, RotatorRules, Value, rotate
from models.portfolio.sizing import SizerZero

SECOND_NS: Final = 1_000_000_000
SEVERAL: Final = "SEVERAL"
"""Reason of a block that more than one gate would have made alone: neither may claim the outcome."""
NOT_CARRIED_OUT: Final = "NOT_CARRIED_OUT"
_PERMISSIONS: Final = frozenset({"standing", "rotator"})
_UNFIT: Final = frozenset({Kind.MARKET_MAKING, Kind.ARBITRAGE})
"""Kinds the executor does not carry out: quotes on both sides, and two markets at once. They stay in shadow."""
_SEEN: Final = (
    "vpin",
    "kyle_lambda_z",
    "flow_imbalance",
    "whale_cvd",
    "whale_intensity",
    "hurst_label",
    "hurst_label_finer",
)


@dataclass(frozen=True)
class BankRules:
    """How signals of the bank are judged and sized.

    Attributes
    ----------
    gates : GateRules
    rotator : RotatorRules
    conviction : ConvictionRules
    entry_s : float
        For so long after a signal an entry may be made.
    most_hold_s : float
        After so long a position is left even if its shadow holds on.
    maker_fee : Decimal
        While the account's own is not known, fraction.

    """

    gates: SignalGateRules = field(default_factory=SignalGateRules)
    rotator: RotatorRules = field(default_factory=RotatorRules)
    conviction: ConvictionRules = field(default_factory=ConvictionRules)
    entry_s: float = 20.0
    most_hold_s: float = 6 * 3600.0
    maker_fee: Decimal = Decimal("0.0002")


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
    limits : GateRules
        R1 and the sizer.
    rules : BankRules

    Returns
    -------
    list of Command

    """
    news = snapshot.bank
    commands = [command for trip in news.trips for command in _kept(trip, memory)]
    judged = [_judge(signal, snapshot, sights, memory, btc, rules) for signal in news.signals]
    chosen, refused = _choose(judged, snapshot, states)
    for own in judged:
        key = (own.signal.strategy, own.signal.symbol)
        why, words = refused.get(id(own), ("", ""))
        campaign: Campaign | None = None
        if not why and id(own) in chosen:
            made = _sized(own, snapshot, limits, rules, states)
            if isinstance(made, Campaign):
                campaign = made
                state = states[own.signal.symbol]
                state.campaign, state.signal = made, None
                memory.entries = dict(remember_entry(memory.entries, *key, snapshot.now_ns))
            else:
                why, words = made
        memory.waiting[key] = Waiting(own.signal.at_ns, why)
        commands += _told(own, why, words, campaign)
    return commands


def _kept(trip: BankTrip, memory: BankMemory) -> list[Command]:
    key = (trip.strategy, trip.symbol)
    waiting = memory.waiting.get(key)
    blocked = ""
    if waiting is not None and waiting.signal_ns <= trip.signal_ns:
        blocked = waiting.blocked_by
        del memory.waiting[key]
    system = _system(trip.strategy)
    kept: list[Command] = []
    trade_id = f"shadow-{system}-{trip.symbol}-{trip.entry_ns}"
    if blocked:
        kept.append(Note("block", trip.symbol, {"reason": blocked, "trade_id": trade_id}, system))
    kept.append(
        KeepTrade(
            TradeRow(
                trade_id=trade_id,
                strategy=system,
                symbol=trip.symbol,
                regime=trip.regime,
                mode="shadow",
                side=trip.side,
                qty=Decimal(repr(trip.quantity)),
                entry_ns=trip.entry_ns,
                entry_price=Decimal(repr(trip.entry_price)),
                exit_ns=trip.exit_ns,
                exit_price=Decimal(repr(trip.exit_price)),
                fees_usd=trip.fees_usd,
                funding_usd=-trip.funding_usd,
                pnl_usd=trip.profit_usd,
                pnl_bps=1e4 * trip.profit_usd / trip.notional_usd,
                predicted=0.0,
                realised_rate=None,
                model_version="",
            )
        )
    )
    return kept


def _judge(
    signal: BankSignal,
    snapshot: Snapshot,
    sights: Mapping[str, MarketSight],
    memory: BankMemory,
    btc: PriceHistory,
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
    sight = sights.get(symbol) or _sight_of(signal)
    features = {name: signal.features.get(name, math.nan) for name in _SEEN}
    facts = Facts(
        snapshot.now_ns,
        market_facts(features, sight, btc),
        AccountFacts(_fees(snapshot, symbol, rules), memory.entries),
        _policy_facts(policy, signal.strategy, symbol),
        rotation,
    )
    candidate = Candidate(
        signal.strategy,
        symbol,
        signal.side,
        signal.at_ns,
        expected_edge_bps=signal.edge_bps,
        entry_taker=signal.is_taker,
    )
    return Judged(signal, pass_gates(candidate, facts, rules.gates), rotation, sight)


def _sight_of(signal: BankSignal) -> MarketSight:
    """Return what the signal itself says of its market, where the streams say nothing."""
    return MarketSight(
        book_at_ns=signal.at_ns,
        book_valid=True,
        open_interest_at_ns=0,
        spread_bps=signal.features.get("spread_bps", math.nan),
        vpin_rank=signal.features.get("vpin_rank", math.nan),
    )


def _fees(snapshot: Snapshot, symbol: str, rules: BankRules) -> dict[str, Fees]:
    taker = snapshot.taker_fees.get(symbol)
    if taker is None:
        return {}
    return {symbol: Fees(1e4 * float(rules.maker_fee), 1e4 * float(taker))}


def _policy_facts(policy: PolicyView, strategy: str, symbol: str) -> PolicyFacts:
    breach = policy.breach(strategy)
    standing = Standing("live", "promoted") if breach is None else _standing(breach)
    return PolicyFacts(
        {symbol: policy.slippage_buffer_bps(symbol)},
        {symbol: policy.size_factor(symbol)},
        {strategy: standing},
    )


def _standing(breach: Breach) -> Standing:
    return Standing("vetoed" if breach.reason == "VETOED" else "shadow", breach.arithmetic)


def _choose(
    judged: Sequence[Judged], snapshot: Snapshot, states: Mapping[str, SymbolState]
) -> tuple[set[int], dict[int, tuple[str, str]]]:
    """Return which signals may be sized, and why the others may not: reason and words, by identity."""
    refused: dict[int, tuple[str, str]] = {}
    contenders: list[tuple[Judged, Contender]] = []
    for own in judged:
        signal = own.signal
        if not own.verdict.passed:
            first = own.verdict.blocks[0]
            refused[id(own)] = (blocked_by(own.verdict), first.words)
        elif KINDS[signal.strategy] in _UNFIT or signal.side == 0:
            words = f"{signal.strategy} quotes both sides or trades two markets; it stays in shadow"
            refused[id(own)] = (NOT_CARRIED_OUT, words)
        elif snapshot.halts:
            refused[id(own)] = next(iter(snapshot.halts.items()))
        else:
            cell = snapshot.matrix.get((_system(signal.strategy), own.rotation.regime))
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


def blocked_by(verdict: Verdict) -> str:
    """Return the reason a block is counted under: of the only gate that blocked, permissions apart; `SEVERAL` else."""
    asked = [outcome for outcome in verdict.blocks if outcome.name not in _PERMISSIONS]
    if not asked:
        return verdict.blocks[0].reason
    return asked[0].reason if len(asked) == 1 else SEVERAL


def _holder(state: SymbolState) -> Holder:
    signal = state.campaign.signal if state.campaign is not None else state.signal
    assert signal is not None  # noqa: S101 - as the caller asked
    return Holder(canonical(signal.strategy), signal.side)


def _system(name: str) -> str:
    return f"S{place_of(name) + 1}"


def _sized(
    own: Judged,
    snapshot: Snapshot,
    limits: GateRules,
    rules: BankRules,
    states: Mapping[str, SymbolState],
) -> Campaign | tuple[str, str]:
    """Return the campaign of a signal, or the reason and the arithmetic why there is none."""
    signal = own.signal
    books, quote = snapshot.books, snapshot.quotes.get(signal.symbol)
    instrument = snapshot.instruments.get(signal.symbol)
    if books is None or quote is None or instrument is None or signal.symbol not in states:
        return "NO_QUOTE", f"{signal.symbol}: books and a quote of the order venue were expected, were absent"
    price = quote.across(signal.side)
    factors = {
        **own.verdict.factors,
        "volatility": volatility_factor(_day_sigma(own.sight), rules.conviction),
    }
    activation = own.rotation.activations[signal.strategy]
    left = max(0.0, snapshot.policy.share(signal.strategy))
    conviction = convict(signal.strategy, factors, None, left, activation.exploring, rules.conviction)
    request = size_request(books.equity_usd, price, instrument, limits)
    size = size_entry(request, conviction)
    if isinstance(size, SizerZero):
        return size.reason, size.arithmetic
    stop = stop_price(price, signal.side, limits.stop_fraction, instrument.tick_size)
    made = signal_of(signal, snapshot, rules)
    own_limits = replace(limits.limits, capital_fraction=Decimal(repr(_most_capital(signal.strategy, rules))))
    breaches = check_entry(entry_of_size(made, snapshot, limits, books, size, stop), own_limits)
    if breaches:
        return breaches[0].reason, breaches[0].arithmetic
    return Campaign(made, size.qty, stop, snapshot.now_ns)


def _most_capital(strategy: str, rules: BankRules) -> float:
    return rules.conviction.own_capital.get(strategy, rules.conviction.capital).limit


def _day_sigma(sight: MarketSight) -> float:
    """Return the volatility of a day from that of a minute, NaN where unknown."""
    return sight.sigma_minute * math.sqrt(1440.0)


def signal_of(signal: BankSignal, snapshot: Snapshot, rules: BankRules) -> Signal:
    """Return a bank's signal as the campaign needs it; its decision is told apart by its whole second."""
    decided_ns = signal.at_ns // SECOND_NS * SECOND_NS
    return Signal(
        strategy=_system(signal.strategy),
        symbol=signal.symbol,
        side=signal.side,
        settlement_ns=decided_ns,
        forecast_at_ns=snapshot.now_ns,
        deadline_ns=snapshot.now_ns + int(rules.entry_s * SECOND_NS),
        exit_ns=snapshot.now_ns + int(rules.most_hold_s * SECOND_NS),
        predicted=0.0,
        current=0.0,
        confidence=0.0,
        regime=signal.regime,
        model_version=snapshot.policy.version,
        origin=BANK,
        is_urgent=signal.is_taker,
    )


def _told(own: Judged, why: str, words: str, campaign: Campaign | None) -> list[Command]:
    body: dict[str, object] = {
        **own.verdict.journal(),
        "signal": own.signal.reason,
        "regime": own.signal.regime,
        "rotation": own.rotation.regime,
        "edge_bps": _finite(own.signal.edge_bps),
        "not_traded": why,
        "words": words,
    }
    system = _system(own.signal.strategy)
    commands: list[Command] = [Note("bank_signal", own.signal.symbol, body, system)]
    if campaign is not None:
        entry = {
            "qty": str(campaign.qty),
            "stop_price": str(campaign.stop_price),
            "side": campaign.signal.side,
            "settlement_ns": campaign.signal.settlement_ns,
        }
        commands.append(Note("entry", own.signal.symbol, entry, system))
    return commands


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
