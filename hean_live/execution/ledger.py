"""The account added up: what the journal's fills make of the cash there was at the start, against the venue's wallet.

Cash now = cash at the start + realised profit − fees + funding received + what else moved the wallet (transfers). Realised
profit is by average cost, as the venue books it. Pure: rows in, sums out. What does not belong here: reading files and asking
the venue (`hean_live.ledger`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any, Final

from hean_live.execution.fills import FUNDING
from hean_live.execution.records import FillRow
from models.errors import DataError
from models.market.trading_records import Execution, Position, Wallet
from models.market.wallet_changes import WalletChange

ZERO: Final = Decimal(0)
CENT: Final = Decimal("0.01")
START_KEY: Final = "ledger_start"
LAST_KEY: Final = "ledger_last"
_COIN: Final = "USDT"


@dataclass(frozen=True)
class Held:
    """What a symbol holds: signed quantity, and what it was entered for (USD, positive)."""

    qty: Decimal = ZERO
    cost_usd: Decimal = ZERO


@dataclass(frozen=True)
class Mark:
    """The account at one reconciliation.

    Attributes
    ----------
    at_ns : int
        Market time, ns UTC.
    cash_usd, equity_usd : Decimal
        The venue's wallet balance of the settle coin; with unrealised profit.
    fills : int
        Number of the journal's newest fill by then: later ones are not in the cash yet.
    held : mapping of str to Held
        Positions that are not flat.

    """

    at_ns: int
    cash_usd: Decimal
    equity_usd: Decimal
    fills: int
    held: Mapping[str, Held] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """Sums of one symbol since the start, USD; `held` is what it holds in the end."""

    symbol: str
    fills: int
    volume_usd: Decimal
    realised_usd: Decimal
    fees_usd: Decimal
    funding_usd: Decimal
    held: Held

    @property
    def net_usd(self) -> Decimal:
        """What the symbol did to the cash."""
        return self.realised_usd - self.fees_usd + self.funding_usd


@dataclass(frozen=True)
class Ledger:
    """Sums since the start."""

    start: Mark
    lines: tuple[Line, ...]
    transfers_usd: Decimal = ZERO

    @property
    def cash_usd(self) -> Decimal:
        """What the wallet should hold."""
        return self.start.cash_usd + sum((line.net_usd for line in self.lines), ZERO) + self.transfers_usd


@dataclass(frozen=True)
class Verdict:
    """The ledger against the venue.

    Attributes
    ----------
    difference_usd : Decimal
        The venue's cash minus ours.
    positions : mapping of str to (Decimal, Decimal)
        Symbols whose quantity differs: ours, the venue's.
    not_in_journal, not_at_venue : tuple of str
        Execution ids only the other side has.

    """

    difference_usd: Decimal
    positions: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    not_in_journal: tuple[str, ...] = ()
    not_at_venue: tuple[str, ...] = ()

    @property
    def reconciles(self) -> bool:
        """Whether cash agrees to the cent, and positions exactly."""
        return abs(self.difference_usd) < CENT / 2 and not self.positions


def cash_of(wallet: Wallet) -> Decimal:
    """Return the balance of the settle coin: other coins' worth moves without any trade."""
    coin = wallet.coins.get(_COIN)
    return wallet.wallet_usd if coin is None else coin.wallet_balance


def held_of(positions: Iterable[Position]) -> dict[str, Held]:
    """Return what the venue says is held, by symbol; where it gives no average price, nothing was paid."""
    found: dict[str, Held] = {}
    for row in positions:
        if not row.size:
            continue
        before, cost = found.get(row.symbol, Held()), row.size * (row.avg_price or ZERO)
        found[row.symbol] = Held(before.qty + row.signed_size, before.cost_usd + cost)
    return found


def add_up(start: Mark, fills: Sequence[FillRow], changes: Iterable[WalletChange] = ()) -> Ledger:
    """Add fills up to sums by symbol.

    Parameters
    ----------
    start : Mark
    fills : sequence of FillRow
        All since the start in the order they were journalled, foreign ones and funding included.
    changes : iterable of WalletChange
        What the venue says moved the wallet; trades among them are left out, for they are the fills.

    """
    by_symbol: dict[str, list[FillRow]] = {symbol: [] for symbol in start.held}
    for fill in sorted(fills, key=lambda fill: fill.at_ns):  # stable: a listing comes in the venue's order
        by_symbol.setdefault(fill.symbol, []).append(fill)
    lines = [_line(symbol, start.held.get(symbol, Held()), by_symbol[symbol]) for symbol in sorted(by_symbol)]
    moved = [
        row.change for row in changes if row.coin == _COIN and not row.is_trading and row.at_ns > start.at_ns
    ]
    return Ledger(start, tuple(lines), sum(moved, ZERO))


def judge(
    ledger: Ledger,
    cash_usd: Decimal,
    held: Mapping[str, Held] | None = None,
    ids: tuple[Iterable[str], Iterable[str]] = ((), ()),
) -> Verdict:
    """Compare the ledger with what the venue says.

    Parameters
    ----------
    ledger : Ledger
    cash_usd : Decimal
    held : mapping of str to Held, optional
        The venue's positions; None where they are not known.
    ids : (iterable of str, iterable of str)
        Execution ids since the start, in the journal and at the venue.

    """
    ours = {line.symbol: line.held.qty for line in ledger.lines if line.held.qty}
    theirs = ours if held is None else {symbol: row.qty for symbol, row in held.items()}
    differing = {
        symbol: (ours.get(symbol, ZERO), theirs.get(symbol, ZERO))
        for symbol in sorted({*ours, *theirs})
        if ours.get(symbol, ZERO) != theirs.get(symbol, ZERO)
    }
    journal, venue = set(ids[0]), set(ids[1])
    difference = cash_usd - ledger.cash_usd
    return Verdict(difference, differing, tuple(sorted(venue - journal)), tuple(sorted(journal - venue)))


def trade(held: Held, side: int, qty: Decimal, price: Decimal) -> tuple[Held, Decimal]:
    """Return what is held after a trade, and the profit it realised before fees, by average cost."""
    closed = min(qty, abs(held.qty)) if held.qty * side < 0 else ZERO
    realised, cost = ZERO, held.cost_usd
    if closed:
        removed = cost if closed == abs(held.qty) else cost * closed / abs(held.qty)
        realised = (removed - closed * price) * side
        cost -= removed
    return Held(held.qty + side * qty, cost + (qty - closed) * price), realised


def ids_since(start: Mark, executions: Iterable[Execution]) -> list[str]:
    """Return the ids of the venue's executions after the start."""
    return [row.exec_id for row in executions if row.at_ns > start.at_ns]


def to_text(mark: Mark) -> str:
    """Return a mark as the journal keeps it."""
    return json.dumps(asdict(mark), default=str)


def from_text(text: str) -> Mark:
    """Read a mark back; raises `DataError` if it is none."""
    try:
        row: dict[str, Any] = json.loads(text)
        held = {
            symbol: Held(Decimal(each["qty"]), Decimal(each["cost_usd"]))
            for symbol, each in row["held"].items()
        }
        cash, equity = Decimal(row["cash_usd"]), Decimal(row["equity_usd"])
        return Mark(int(row["at_ns"]), cash, equity, int(row["fills"]), held)
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise DataError(f"ledger: the account at a reconciliation was expected, was {text[:80]!r}") from error


def _line(symbol: str, held: Held, fills: Sequence[FillRow]) -> Line:
    realised, fees, funding, volume = ZERO, ZERO, ZERO, ZERO
    for fill in fills:
        if fill.kind == FUNDING:
            funding -= fill.fee_usd
            continue
        held, profit = trade(held, fill.side, fill.qty, fill.price)
        realised += profit
        fees += fill.fee_usd
        volume += fill.qty * fill.price
    return Line(symbol, len(fills), volume, realised, fees, funding, held)
