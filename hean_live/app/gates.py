"""From a signal to a live campaign: every reason not to trade, in one place, each with its arithmetic.

Order: switches and state, model and evidence (G10, G11), the regime matrix (M3), a crash of BTC (G8), stale book and open
interest (G12), size (P5), limits (R1; stale tickers and forecasts among them). Only entries pass through here; an exit is
never gated. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from types import MappingProxyType

from hean_live.app.snapshot import Quote, Snapshot
from hean_live.app.state import ENTERING, FOLLOWING, QUOTING, Campaign, Signal, SymbolState
from hean_live.execution.reconcile import Books
from models.execution.market_gates import (
    CrashRules,
    FreshnessRules,
    PriceHistory,
    crash_breach,
    freshness_breach,
)
from models.execution.sight import MarketSight
from models.market.instruments import Instrument
from models.portfolio.limits import Breach, Entry, Limits, check_entry
from models.portfolio.sizing import Sized, SizeRequest, SizerZero, size_position

NANOSECONDS = 1_000_000_000
_NO_PRICES = PriceHistory()
_NOTHING: Mapping[str, Decimal] = MappingProxyType({})


@dataclass(frozen=True)
class GateRules:
    """Numbers of the gates; shares as fractions.

    Attributes
    ----------
    limits : Limits
    risk_fraction, stop_fraction, capital_fraction, leverage : Decimal
        Of the sizer.
    matrix_min_trades, matrix_min_probability : int, float
        A cell of the regime matrix blocks when it has at least so many trades and its probability of a
        positive expected value lies below this.
    crash : CrashRules
        What counts as a crash of BTC.
    freshness : FreshnessRules
        Oldest book and open interest, where more than the ticker is known of a market.

    """

    limits: Limits
    risk_fraction: Decimal
    stop_fraction: Decimal
    capital_fraction: Decimal
    leverage: Decimal
    matrix_min_trades: int = 30
    matrix_min_probability: float = 0.05
    crash: CrashRules = field(default_factory=CrashRules)
    freshness: FreshnessRules = field(default_factory=FreshnessRules)


def judge(
    signal: Signal,
    snapshot: Snapshot,
    rules: GateRules,
    btc: PriceHistory = _NO_PRICES,
    sight: MarketSight | None = None,
    reserved: Mapping[str, Decimal] = _NOTHING,
) -> Campaign | Breach:
    """Decide whether a signal may be traded live now.

    Parameters
    ----------
    signal : Signal
    snapshot : Snapshot
    rules : GateRules
    btc : PriceHistory
        Prices of BTC; empty where it is not quoted.
    sight : MarketSight, optional
        Of the signal's symbol. Without it book and open interest are the ticker's, whose age the limits judge.
    reserved : mapping of str to Decimal
        See `reserved_usd`.

    Returns
    -------
    Campaign or Breach
        The campaign to begin, or the first reason not to.

    """
    breach = (
        _state_breach(signal, snapshot)
        or _model_breach(signal, snapshot, rules)
        or crash_breach(signal.symbol, signal.side, btc, snapshot.now_ns, rules.crash)
        or (None if sight is None else freshness_breach(sight, snapshot.now_ns, rules.freshness))
    )
    if breach is not None:
        return breach
    books, quote = snapshot.books, snapshot.quotes.get(signal.symbol)
    instrument = snapshot.instruments.get(signal.symbol)
    if books is None or quote is None or instrument is None:
        return Breach(
            "NO_QUOTE", f"{signal.symbol}: a two-sided quote of the order venue was expected, was absent"
        )
    return _sized(signal, snapshot, rules, books, quote, instrument, reserved)


def room_usd(symbol: str, snapshot: Snapshot, rules: GateRules) -> Decimal:
    """Return the largest notional that one more entry order of `symbol` may have now, USD; 0 without books.

    What the symbol holds or has ordered already counts against the margin of one trade as well.
    """
    books, instrument = snapshot.books, snapshot.instruments.get(symbol)
    if books is None or instrument is None:
        return Decimal(0)
    exposures = {name: _exposure(name, net, snapshot) for name, net in books.net.items()}
    limits, equity, held = rules.limits, books.equity_usd, exposures.get(symbol, Decimal(0))
    return min(
        limits.capital_fraction * equity * min(rules.leverage, instrument.max_leverage) - held,
        limits.symbol_exposure * equity - held,
        limits.total_exposure * equity - sum(exposures.values(), Decimal(0)),
    )


def size_request(equity: Decimal, price: Decimal, instrument: Instrument, rules: GateRules) -> SizeRequest:
    """Assemble what the sizer needs."""
    return SizeRequest(
        equity=equity,
        price=price,
        stop_fraction=rules.stop_fraction,
        qty_step=instrument.qty_step,
        min_qty=instrument.min_order_qty,
        min_notional=instrument.min_notional_usd,
        risk_fraction=rules.risk_fraction,
        capital_fraction=rules.capital_fraction,
        leverage=min(rules.leverage, instrument.max_leverage),
    )


def stop_price(price: Decimal, side: int, stop_fraction: Decimal, tick: Decimal) -> Decimal:
    """Protective price for an entry, rounded to a tick on the side of the smaller loss."""
    raw = price * (1 - side * stop_fraction)
    rounding = ROUND_CEILING if side > 0 else ROUND_FLOOR
    return (raw / tick).to_integral_value(rounding=rounding) * tick


def _state_breach(signal: Signal, snapshot: Snapshot) -> Breach | None:
    for reason, words in snapshot.halts.items():
        return Breach(reason, words)
    if signal.symbol not in snapshot.instruments:
        return Breach("NOT_LISTED", f"{signal.symbol} should be listed by the order venue, was not")
    foreign = snapshot.books.foreign if snapshot.books else {}
    if signal.symbol in foreign:
        return Breach("FOREIGN", f"{signal.symbol}: {foreign[signal.symbol]}")
    return snapshot.policy.veto(signal.strategy)


def _model_breach(signal: Signal, snapshot: Snapshot, rules: GateRules) -> Breach | None:
    for reason, words in snapshot.model.refusals:
        return Breach(reason, words)
    if not snapshot.model.evidence_passed:
        return Breach("EVIDENCE", snapshot.model.evidence_words)
    cell = snapshot.matrix.get((signal.strategy, signal.regime))
    if (
        cell is not None
        and cell.trades >= rules.matrix_min_trades
        and cell.p_ev_positive < rules.matrix_min_probability
    ):
        return Breach(
            "MATRIX_NEGATIVE",
            f"{signal.strategy} in {signal.regime}: {cell.trades} trades, expected value {cell.ev_usd:+.4f} USD,"
            f" probability that it is positive {cell.p_ev_positive:.3f} < {rules.matrix_min_probability}",
        )
    return None


def _sized(
    signal: Signal,
    snapshot: Snapshot,
    rules: GateRules,
    books: Books,
    quote: Quote,
    instrument: Instrument,
    reserved: Mapping[str, Decimal],
) -> Campaign | Breach:
    price = quote.across(signal.side)
    if books.equity_usd <= 0:
        return Breach("NO_EQUITY", f"equity should be positive, was {books.equity_usd} USD")
    size = size_position(size_request(books.equity_usd, price, instrument, rules))
    if isinstance(size, SizerZero):
        return Breach(size.reason, size.arithmetic)
    stop = stop_price(price, signal.side, rules.stop_fraction, instrument.tick_size)
    breaches = check_entry(entry_of_size(signal, snapshot, rules, books, size, stop, reserved), rules.limits)
    if breaches:
        return breaches[0]
    return Campaign(signal, size.qty, stop, snapshot.now_ns)


def reserved_usd(states: Mapping[str, SymbolState], snapshot: Snapshot) -> dict[str, Decimal]:
    """Return the notional that campaigns still entering are to reach, USD by symbol.

    Neither positions nor orders tell of a campaign that began at this poll, nor of what one has not ordered yet: without this,
    entries that each fit the limits would exceed them together.
    """
    reserved = {}
    for symbol, state in states.items():
        campaign, quote = state.campaign, snapshot.quotes.get(symbol)
        if campaign is not None and campaign.phase in (ENTERING, QUOTING, FOLLOWING):
            reserved[symbol] = campaign.qty * (quote.mark if quote else campaign.stop_price)
    return reserved


def entry_of_size(
    signal: Signal,
    snapshot: Snapshot,
    rules: GateRules,
    books: Books,
    size: Sized,
    stop: Decimal,
    reserved: Mapping[str, Decimal],
) -> Entry:
    """Assemble what the limits judge of an entry."""
    exposures = {symbol: _exposure(symbol, net, snapshot) for symbol, net in books.net.items()}
    for symbol, notional in reserved.items():
        exposures[symbol] = max(exposures.get(symbol, Decimal(0)), notional)
    oldest_ns = min(snapshot.tickers_at_ns, snapshot.quotes[signal.symbol].at_ns)
    return Entry(
        notional=size.notional,
        stop_price=stop,
        equity=books.equity_usd,
        leverage=min(rules.leverage, snapshot.instruments[signal.symbol].max_leverage),
        symbol_notional=exposures.get(signal.symbol, Decimal(0)),
        total_notional=sum(exposures.values(), Decimal(0)),
        ticker_age_s=(snapshot.now_ns - oldest_ns) / NANOSECONDS,
        forecast_age_s=(snapshot.now_ns - signal.forecast_at_ns) / NANOSECONDS,
        clock_offset_ms=snapshot.clock_offset_ms,
    )


def _exposure(symbol: str, net: Decimal, snapshot: Snapshot) -> Decimal:
    """Notional held or still to be filled of one symbol, USD."""
    quote = snapshot.quotes.get(symbol)
    waiting = sum(
        (
            row.qty - row.filled_qty
            for row in snapshot.orders.get(symbol, [])
            if row.is_active and not row.reduce_only
        ),
        Decimal(0),
    )
    return (abs(net) + waiting) * (quote.mark if quote else Decimal(0))
