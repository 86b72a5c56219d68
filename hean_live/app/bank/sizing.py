"""From a signal of the bank that passed every gate to a campaign, or to the reason and the arithmetic why there is none.

Conviction and size (P5), then the limits (R1), with the equity a strategy has bound already taken off its share. Pure. Which
signals come this far is decided in `entries.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from hean_live.app.gates import GateRules, entry_of_size, reserved_usd, size_request, stop_price
from hean_live.app.snapshot import Snapshot
from hean_live.app.state import BANK, ENTERING, QUOTING, Campaign, Signal, SymbolState
from hean_live.shadow.records import BankSignal
from models.execution.sight import MarketSight
from models.gates.order import GateRules as SignalGateRules
from models.learning.roster import canonical
from models.portfolio.conviction import (
    ConvictionRules,
    TrackRecord,
    convict,
    record_in,
    size_entry,
    volatility_factor,
)
from models.portfolio.limits import Limits, check_entry
from models.portfolio.roster import STRATEGIES, place_of
from models.portfolio.rotator import RotatorRules
from models.portfolio.sizing import SizeRequest, SizerZero

NANOSECONDS: Final = 1_000_000_000


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
    quote_s : float
        For so long a market maker may quote before its gates are asked again.
    ask_s : float
        Between two times a market maker that may not quote a symbol is judged again.
    most_hold_s : float
        After so long a position is left even if its shadow holds on.
    maker_fee : Decimal
        While the account's own is not known, fraction.

    """

    gates: SignalGateRules = field(default_factory=SignalGateRules)
    rotator: RotatorRules = field(default_factory=RotatorRules)
    conviction: ConvictionRules = field(default_factory=ConvictionRules)
    entry_s: float = 20.0
    quote_s: float = 900.0
    ask_s: float = 30.0
    most_hold_s: float = 6 * 3600.0
    maker_fee: Decimal = Decimal("0.0002")


def system_of(name: str) -> str:
    """Return the id of a strategy, by which orders and trades name it."""
    return f"S{place_of(name) + 1}"


def name_of(system: str) -> str:
    """Return the strategy of an id."""
    return STRATEGIES[int(system[1:]) - 1]


def campaign_of(
    signal: BankSignal,
    factors: Mapping[str, float],
    exploring: bool,
    regime: str,
    sight: MarketSight | None,
    snapshot: Snapshot,
    states: Mapping[str, SymbolState],
    limits: GateRules,
    rules: BankRules,
) -> Campaign | tuple[str, str]:
    """Size a signal that may be traded.

    Parameters
    ----------
    signal : BankSignal
    factors : mapping of str to float
        Of the gates.
    exploring : bool
        Whether the rotator let it enter only to explore.
    regime : str
        In force on the symbol: whose track record Kelly's bound rests on.
    sight : MarketSight or None
    snapshot : Snapshot
    states : mapping of str to SymbolState
        Symbols that may be entered, with the campaigns under way.
    limits : GateRules
    rules : BankRules

    Returns
    -------
    Campaign, or (reason, arithmetic)

    """
    symbol = signal.symbol
    books, quote = snapshot.books, snapshot.quotes.get(symbol)
    instrument = snapshot.instruments.get(symbol)
    if books is None or quote is None or instrument is None or symbol not in states:
        return "NO_QUOTE", f"{symbol}: books and a quote of the order venue were expected, were absent"
    if symbol in books.foreign:
        return "FOREIGN", f"{symbol}: {books.foreign[symbol]}"
    if books.equity_usd <= 0:
        return "NO_EQUITY", f"equity should be positive, was {books.equity_usd} USD"
    price = quote.across(signal.side)
    left = max(
        0.0, snapshot.policy.share(signal.strategy) - _bound(signal.strategy, snapshot, states, limits)
    )
    product = {**factors, "volatility": _volatility_factor(sight, rules)}
    record = record_in(regime, _records(signal.strategy, snapshot))
    conviction = convict(signal.strategy, product, record, left, exploring, rules.conviction)
    size = size_entry(
        _asked_size(signal, size_request(books.equity_usd, price, instrument, limits)), conviction
    )
    if isinstance(size, SizerZero):
        return size.reason, size.arithmetic
    stop = stop_price(price, signal.side, limits.stop_fraction, instrument.tick_size)
    made, own_limits = _signal(signal, snapshot, rules), limits_of(signal.strategy, limits, rules)
    entry = entry_of_size(made, snapshot, limits, books, size, stop, reserved_usd(states, snapshot))
    breaches = check_entry(entry, own_limits)
    if breaches:
        return breaches[0].reason, breaches[0].arithmetic
    phase = QUOTING if signal.to_quote else ENTERING
    return Campaign(made, size.qty, stop, snapshot.now_ns, phase, partner=signal.partner)


def _asked_size(signal: BankSignal, request: SizeRequest) -> SizeRequest:
    """Return the sizer's request: where both sides are quoted, each with half, half must be what the venue takes."""
    if not signal.to_quote or signal.side:
        return request
    return replace(request, min_qty=2 * request.min_qty, min_notional=2 * request.min_notional)


def _volatility_factor(sight: MarketSight | None, rules: BankRules) -> float:
    volatility = math.nan if sight is None else sight.sigma_minute * math.sqrt(1440.0)
    return volatility_factor(volatility, rules.conviction)


def limits_of(strategy: str, limits: GateRules, rules: BankRules) -> Limits:
    """Return R1's limits, with the strategy's own on the margin of a trade."""
    most = rules.conviction.own_capital.get(strategy, rules.conviction.capital).limit
    return replace(limits.limits, capital_fraction=Decimal(repr(most)))


def _records(strategy: str, snapshot: Snapshot) -> dict[str, TrackRecord]:
    """Return what the matrix says of a strategy's wins and losses, by regime."""
    return {
        regime: TrackRecord(cell.trades, cell.win_rate, cell.mean_win_usd, cell.mean_loss_usd)
        for (name, regime), cell in snapshot.matrix.items()
        if canonical(name) == strategy
        and cell.win_rate is not None
        and cell.mean_win_usd is not None
        and cell.mean_loss_usd is not None
    }


def _bound(strategy: str, snapshot: Snapshot, states: Mapping[str, SymbolState], limits: GateRules) -> float:
    """Return the share of the equity that the strategy's campaigns bind as margin, each at its whole target."""
    books, system = snapshot.books, system_of(strategy)
    assert books is not None  # noqa: S101 - as the caller asked
    margin = Decimal(0)
    for symbol, state in states.items():
        quote, instrument = snapshot.quotes.get(symbol), snapshot.instruments.get(symbol)
        own = state.campaign is not None and state.campaign.signal.strategy == system
        if state.campaign is not None and own and quote is not None and instrument is not None:
            margin += state.campaign.qty * quote.mark / min(limits.leverage, instrument.max_leverage)
    return float(margin / books.equity_usd)


def _signal(signal: BankSignal, snapshot: Snapshot, rules: BankRules) -> Signal:
    """Return a bank's signal as the campaign needs it; its decision is told apart by its whole second."""
    decided_ns = signal.at_ns // NANOSECONDS * NANOSECONDS
    entry_s = rules.quote_s if signal.to_quote else rules.entry_s
    return Signal(
        strategy=system_of(signal.strategy),
        symbol=signal.symbol,
        side=signal.side,
        settlement_ns=decided_ns,
        forecast_at_ns=snapshot.now_ns,
        deadline_ns=snapshot.now_ns + int(entry_s * NANOSECONDS),
        exit_ns=snapshot.now_ns + int(rules.most_hold_s * NANOSECONDS),
        predicted=0.0,
        current=0.0,
        confidence=0.0,
        regime=signal.regime,
        model_version=snapshot.policy.version,
        origin=BANK,
        is_urgent=signal.is_taker or bool(signal.partner),
    )
