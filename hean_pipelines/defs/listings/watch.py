"""The first day's funding of a new contract: seen every quarter of an hour, told when extreme, summed up at the end. No Dagster.

The rate is the running estimate for the settlement to come, a fraction, as the ticker gives it; the venue's interval may be
1, 2, 4 or 8 hours. When contracts are found and announced is `discovery.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hean_pipelines.defs.listings.discovery import Tell, begin
from hean_pipelines.defs.listings.store import Listed, Listings, Summary, utc
from hean_pipelines.sources.bybit import BybitPublicClient
from models.alerts import Alert

EXTREME_RATE = 0.003


@dataclass
class Poll:
    """What one look did: rates by symbol, symbols without one, watches opened and closed."""

    seen_at: int
    rates: dict[str, float] = field(default_factory=dict)
    without: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    closed: list[Listed] = field(default_factory=list)


def awaiting(store: Listings, now_ns: int) -> list[Listed]:
    """Return the symbols whose watch is open, or is to be opened or closed, at `now_ns`."""
    return [listed for listed in store.all() if listed.awaits(now_ns)]


def poll(client: BybitPublicClient, store: Listings, tell: Tell) -> Poll | None:
    """Look at the tickers of every watched symbol once; None where nothing is watched.

    A rate seen after the watch's end is not part of it. A symbol without a ticker (not yet trading, or halted) is looked at
    again next time, until its watch ends.
    """
    listed = [each for each in store.all() if each.watched and each.summary is None]
    if not listed:
        return None
    now_ns, tickers = client.tickers([each.symbol for each in listed])
    rates = {ticker.symbol: ticker.funding_rate for ticker in tickers}
    result = Poll(now_ns)
    for each in listed:
        if each.awaits(now_ns):
            _look(each, each.symbol in rates, rates.get(each.symbol), store, tell, result)
    return result


def _look(
    listed: Listed, trades: bool, rate: float | None, store: Listings, tell: Tell, result: Poll
) -> None:
    now_ns, symbol = result.seen_at, listed.symbol
    if trades and not listed.traded:
        listed = begin(listed, store, now_ns, tell)
        result.opened.append(symbol)
    ends_ns = listed.watch_ends_ns
    assert ends_ns is not None  # noqa: S101 - `awaits` holds only where trading has begun
    if now_ns < ends_ns:
        if rate is None:
            result.without.append(symbol)
            return
        store.add_rate(symbol, now_ns, rate)
        result.rates[symbol] = rate
        if abs(rate) > EXTREME_RATE:
            _tell_extreme(listed, rate, now_ns, tell)
        return
    done = replace(listed, summary=summarise(store.rates(symbol)["funding_rate"].to_list()))
    store.put(done)
    result.closed.append(done)


def summarise(rates: Sequence[float]) -> Summary:
    """Return count, the rate largest by size (with its sign) and the mean."""
    if not rates:
        return Summary(0, None, None)
    return Summary(len(rates), max(rates, key=abs), sum(rates) / len(rates))


def _tell_extreme(listed: Listed, rate: float, now_ns: int, tell: Tell) -> None:
    payer = "longs" if rate > 0 else "shorts"
    words = f"{listed.symbol}, trading since {utc(listed.trades_from_ns or now_ns)}: running funding {rate:+.3%}, {payer} pay."
    tell(Alert(f"LISTING_FUNDING {listed.symbol} {payer} pay", words, "warning", now_ns))
