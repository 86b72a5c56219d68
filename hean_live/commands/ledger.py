"""`hean ledger`: arguments and printing; the sums are `hean_live.execution.ledger`'s."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hean_live.ledger import Account, Kept
    from hean_live.settings import LiveSettings

UNBALANCED = 7

_DESCRIPTION = """\
Add up the journal's fills, fees, funding and realised profit since the executor first saw the account, and compare with the
venue's wallet and positions, to the cent. Transfers and whatever else moved the wallet are read from the venue. Changes nothing;
the executor may be running or not.
"""

_EPILOG = """\
examples:
  hean ledger                       ask the venue
  hean ledger --offline             against the wallet as the journal last saw it; needs no venue and no key
  hean ledger --json

A fill the venue has and the journal has not, after the executor was stopped, is booked by its next start.
exit codes: 0 reconciles, 2 configuration, 4 venue not reachable, 7 does not reconcile
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `hean ledger`."""
    parser = subparsers.add_parser(
        "ledger",
        help="add the journal up and compare with the venue's wallet",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--offline", action="store_true", help="compare with the journal's last reconciliation"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare and print; returns 0 if everything agrees, `UNBALANCED` otherwise."""
    from hean_live.app.start import journal_path
    from hean_live.ledger import from_journal, read_journal
    from hean_live.settings import load_settings

    settings = load_settings()
    kept = read_journal(journal_path(settings))
    account = from_journal(kept) if arguments.offline else _ask(settings, kept)
    if arguments.json:
        print(json.dumps(as_json(account)))
    else:
        _table(account)
    return 0 if account.verdict.reconciles else UNBALANCED


def as_json(account: Account) -> dict[str, object]:
    """Return everything the comparison found; amounts as text with all their digits."""
    verdict, ledger = account.verdict, account.ledger
    return {
        "reconciles": verdict.reconciles,
        "difference_usd": str(verdict.difference_usd),
        "start_ns": ledger.start.at_ns,
        "at_ns": account.at_ns,
        "cash_at_start_usd": str(ledger.start.cash_usd),
        "cash_expected_usd": str(ledger.cash_usd),
        "cash_venue_usd": account.cash_usd,
        "transfers_usd": str(ledger.transfers_usd),
        "symbols": {
            line.symbol: {
                "fills": line.fills,
                "volume_usd": str(line.volume_usd),
                "realised_usd": str(line.realised_usd),
                "fees_usd": str(line.fees_usd),
                "funding_usd": str(line.funding_usd),
                "net_usd": str(line.net_usd),
                "position": str(line.held.qty),
            }
            for line in ledger.lines
        },
        "positions_differing": {symbol: list(map(str, pair)) for symbol, pair in verdict.positions.items()},
        "not_in_journal": list(verdict.not_in_journal),
        "not_at_venue": list(verdict.not_at_venue),
    }


def _ask(settings: LiveSettings, kept: Kept) -> Account:
    from hean_live.ledger import from_venue
    from hean_live.venues.bybit import BybitVenue
    from hean_live.venues.public import PublicMarket
    from models.errors import ConfigError

    if not settings.has_key:
        raise ConfigError(
            "an API key of the order venue was expected, none is configured",
            remedy="set HEAN_LIVE_API_KEY and HEAN_LIVE_API_SECRET, or use --offline",
        )
    key, secret = settings.api_key.get_secret_value(), settings.api_secret.get_secret_value()
    venue = BybitVenue(
        settings.orders_at, key, secret, timeout_s=settings.timeout_s, recv_window_ms=settings.recv_window_ms
    )
    now_ns = PublicMarket(settings.orders_at, timeout_s=settings.timeout_s).tickers().market_ns
    return from_venue(kept, venue, now_ns)


def _table(account: Account) -> None:
    from rich.console import Console
    from rich.table import Table

    verdict, ledger = account.verdict, account.ledger
    table = Table(title="since the executor first saw the account, USD")
    for column in ("symbol", "fills", "volume", "realised", "fees", "funding", "net", "position"):
        table.add_column(column, justify="left" if column == "symbol" else "right", no_wrap=True)
    for line in ledger.lines:
        amounts = (line.volume_usd, line.realised_usd, line.fees_usd, line.funding_usd, line.net_usd)
        cells = [f"{amount:.2f}" for amount in amounts]
        table.add_row(line.symbol, str(line.fills), *cells, f"{line.held.qty.normalize():f}")
    console = Console(soft_wrap=True, highlight=False, width=120)
    console.print(table)
    console.print(
        f"cash at the start {ledger.start.cash_usd:.2f}, transfers {ledger.transfers_usd:+.2f}, expected {ledger.cash_usd:.2f}, "
        f"venue {float(account.cash_usd):.2f}, difference {verdict.difference_usd:+.4f}"
    )
    for symbol, (ours, theirs) in verdict.positions.items():
        console.print(f"{symbol}: our fills add up to {ours}, the venue holds {theirs}")
    if not verdict.reconciles:
        for words, ids in (
            ("only at the venue", verdict.not_in_journal),
            ("only here", verdict.not_at_venue),
        ):
            if ids:
                console.print(f"{len(ids)} executions {words}: {', '.join(ids)}")
    console.print("reconciles" if verdict.reconciles else "does NOT reconcile")
