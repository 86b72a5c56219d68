"""The one gate every order passes on its way to the venue (R1): limits for what opens, shape for what closes.

The order manager asks it before each request, whoever decided and however long ago; what the signal's own gate
judged once (`hean_live.app.gates`) is judged here again with the books, the quote and the clock of this moment.

An order that only reduces a position is exempt from every limit: stale data, a skewed clock, unreconciled books
or a tripped kill switch are reasons to leave a position, never to stay in it. It must be reduce-only on the wire,
so that the venue cannot let it open anything. The comparisons themselves are `models.portfolio.limits`'.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from hean_live.execution.decision import OrderDecision
from hean_live.execution.journal import Journal
from hean_live.execution.reconcile import Books
from models.portfolio.limits import Breach, Entry, Limits, check_entry

_NANOSECONDS = 1_000_000_000


class SeenQuote(Protocol):
    """Touch and mark of the order venue, as seen at `at_ns`."""

    @property
    def mark(self) -> Decimal:
        """Mark price."""

    @property
    def at_ns(self) -> int:
        """Market time it was seen at."""

    def across(self, side: int) -> Decimal:
        """Price at which a taker of `side` trades."""


class MarketView(Protocol):
    """What is known of the market now; times in market time, ns UTC."""

    @property
    def now_ns(self) -> int:
        """Market time."""

    @property
    def tickers_at_ns(self) -> int:
        """When the market data were read that decisions rest on."""

    @property
    def quotes(self) -> Mapping[str, SeenQuote]:
        """Quotes of the order venue by symbol."""

    @property
    def clock_offset_ms(self) -> float | None:
        """Local clock minus the venue's."""


@dataclass(frozen=True)
class BooksNow:
    """The books of this moment, and why they take no entries (``""`` if they do)."""

    books: Books | None
    halt: str


class OrderGate:
    """Judges one order at a time.

    Parameters
    ----------
    journal : Journal
        Its active orders count as exposure.
    limits : Limits
    leverage : Decimal
        What symbols are set to.
    market : MarketView
    books : callable
        Returns the books of this moment.

    """

    def __init__(
        self,
        journal: Journal,
        limits: Limits,
        leverage: Decimal,
        market: MarketView,
        books: Callable[[], BooksNow],
    ) -> None:
        self._journal = journal
        self._limits = limits
        self._leverage = leverage
        self._market = market
        self._books = books

    def __call__(self, decision: OrderDecision) -> Breach | None:
        """Return the first reason not to send an order, None if it may be sent."""
        opens = decision.leg_name == "entry"
        if opens == decision.reduce_only:
            return Breach(
                "SHAPE",
                f"{decision.leg}: an entry should not be reduce-only and an exit should be, was otherwise",
            )
        if decision.qty <= 0:
            return Breach("SHAPE", f"{decision.leg}: quantity should be positive, was {decision.qty}")
        return self._entry_breach(decision) if opens else None

    def _entry_breach(self, decision: OrderDecision) -> Breach | None:
        now = self._books()
        if now.halt or now.books is None:
            return Breach("HALT", now.halt or "the venue has not been asked yet")
        found = now.books.foreign.get(decision.symbol)
        if found:
            return Breach("FOREIGN", f"{decision.symbol}: {found}")
        quote = self._market.quotes.get(decision.symbol)
        if quote is None:
            return Breach(
                "NO_QUOTE", f"{decision.symbol}: a quote of the order venue was expected, was absent"
            )
        exposures, unpriced = self._exposures(now.books)
        if unpriced:
            return Breach(
                "NO_QUOTE", f"{unpriced}: a mark price is needed to measure the exposure, was absent"
            )
        price = quote.across(decision.side) if decision.price is None else decision.price
        oldest_ns = min(self._market.tickers_at_ns, quote.at_ns)
        entry = Entry(
            notional=decision.qty * price,
            stop_price=decision.stop_price or Decimal(0),
            equity=now.books.equity_usd,
            leverage=self._leverage,
            symbol_notional=exposures.get(decision.symbol, Decimal(0)),
            total_notional=sum(exposures.values(), Decimal(0)),
            ticker_age_s=(self._market.now_ns - oldest_ns) / _NANOSECONDS,
            forecast_age_s=0.0,  # judged when the signal was; a replaced quote rests on the same forecast
            clock_offset_ms=self._market.clock_offset_ms,
        )
        return next(iter(check_entry(entry, self._limits)), None)

    def _exposures(self, books: Books) -> tuple[dict[str, Decimal], str]:
        """Return the notional held or still to be filled by symbol, USD, and a symbol that has no price."""
        held = {symbol: max(abs(own), abs(books.net.get(symbol, own))) for symbol, own in books.own.items()}
        for row in self._journal.active_orders():
            if not row.reduce_only:
                held[row.symbol] = held.get(row.symbol, Decimal(0)) + row.qty - row.filled_qty
        exposures: dict[str, Decimal] = {}
        for symbol, qty in held.items():
            quote = self._market.quotes.get(symbol)
            if qty and quote is None:
                return {}, symbol
            exposures[symbol] = qty * quote.mark if quote is not None else Decimal(0)
        return exposures, ""
