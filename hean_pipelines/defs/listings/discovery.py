"""Compare what the venue lists with what is known: new contracts, pre-listings, ends of trading. No Dagster here.

An alert is told before the fact is stored. A process killed between the two tells it again the next time, and the alerts' own
memory then keeps it from being sent twice; stored first it could be forgotten. What begins to trade is handled by `begin`,
which the watch calls too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from hean_pipelines.defs.listings.contracts import CONTINUOUS, Contract
from hean_pipelines.defs.listings.store import WATCH_NS, Listed, Listings, utc
from models.alerts import Alert

NEW_NS = 24 * 3600 * 10**9
"""A launch so long ago is no news any more, unless nobody looked meanwhile."""
Tell = Callable[[Alert], object]


@dataclass
class Found:
    """Symbols of one look at the venue, by what happened to them."""

    pre_listed: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)
    delisted: list[str] = field(default_factory=list)


def discover(
    contracts: Iterable[Contract],
    store: Listings,
    base: Iterable[str],
    now_ns: int,
    last_look_ns: int | None,
    tell: Tell,
) -> Found:
    """Bring the store up to date with the venue, telling what is new.

    Parameters
    ----------
    contracts : iterable of Contract
        Of every status.
    store : Listings
    base : iterable of str
        The settings' universe: its ends of trading matter too.
    now_ns : int
        The venue's clock.
    last_look_ns : int or None
        The venue's clock at the last look; what was launched since is new however long ago that was.
    tell : callable
        Takes each alert; must itself see to it that a code is said once.

    """
    found = Found()
    since_ns = now_ns - NEW_NS if last_look_ns is None else min(now_ns - NEW_NS, last_look_ns)
    ours = set(base)
    for contract in contracts:
        known = store.get(contract.symbol)
        if contract.status in ("Delivering", "Closed"):
            _end(contract, known, store, contract.symbol in ours, now_ns, tell, found)
        elif contract.symbol in ours and known is None:
            continue
        elif contract.status == "PreLaunch":
            _pre_listing(contract, known, store, since_ns, now_ns, tell, found)
        elif known is None and contract.launch_ns > since_ns:
            begin(_new(contract, now_ns), store, now_ns, tell, terms(contract))
            found.listed.append(contract.symbol)
        elif known is not None and not known.traded:  # a pre-listing that ended between two looks
            begin(known, store, now_ns, tell, terms(contract))
            found.listed.append(contract.symbol)
    return found


def begin(listed: Listed, store: Listings, now_ns: int, tell: Tell, more: str = "") -> Listed:
    """Announce a contract that trades now, take it into the universe and open its watch."""
    start_ns = listed.trades_from_ns if listed.trades_from_ns is not None else now_ns
    watched = now_ns < start_ns + WATCH_NS
    watch = f"its funding is watched until {utc(start_ns + WATCH_NS)}" if watched else "its first day is over"
    words = f"{listed.symbol} trades since {utc(start_ns)}{more}. It is in the universe now; {watch}."
    tell(Alert(f"NEW_LISTING {listed.symbol} {utc(start_ns)[:10]}", words, "info", now_ns))
    begun = replace(listed, trades_from_ns=start_ns, traded=True, watched=watched)
    store.put(begun)
    return begun


def terms(contract: Contract) -> str:
    """Return how often and how much funding a contract pays, in words."""
    hours = f"{contract.funding_interval_min / 60:g} h"
    cap = "" if contract.funding_cap is None else f", at most {contract.funding_cap:.3%}"
    return f", funding every {hours}{cap}"


def _new(contract: Contract, now_ns: int) -> Listed:
    return Listed(contract.symbol, now_ns, contract.trades_from_ns)


def _pre_listing(
    contract: Contract,
    known: Listed | None,
    store: Listings,
    since_ns: int,
    now_ns: int,
    tell: Tell,
    found: Found,
) -> None:
    start_ns = contract.trades_from_ns
    if known is not None and known.traded:
        return
    trades = contract.phase == CONTINUOUS or (start_ns is not None and start_ns <= now_ns)
    if trades and known is None and start_ns is not None and start_ns <= since_ns:
        return  # trading for long when it was first seen
    if known is None:
        phases = ", ".join(f"{phase.name} {utc(phase.start_ns)}" for phase in contract.phases)
        words = f"{contract.symbol} is in pre-listing, phase {contract.phase or 'unknown'}{terms(contract)}. Phases: {phases}."
        tell(Alert(f"PRE_LISTING {contract.symbol}", words, "info", now_ns))
        found.pre_listed.append(contract.symbol)
    # The venue may move a phase until it begins. Watched from here on: the watch looks for its begin every quarter of an hour.
    listed = replace(known or _new(contract, now_ns), trades_from_ns=start_ns, watched=True)
    if trades:
        begin(listed, store, now_ns, tell, terms(contract))
        found.listed.append(contract.symbol)
    elif listed != known:
        store.put(listed)


def _end(
    contract: Contract,
    known: Listed | None,
    store: Listings,
    in_base: bool,
    now_ns: int,
    tell: Tell,
    found: Found,
) -> None:
    if (known is None and not in_base) or (known is not None and known.delisted_ns is not None):
        return
    end_ns = contract.delivery_ns if contract.delivery_ns is not None else now_ns
    words = f"{contract.symbol}: trading ended {utc(end_ns)}. Its history stays; ingestion leaves it out."
    tell(Alert(f"DELISTED {contract.symbol} {utc(end_ns)[:10]}", words, "warning", now_ns))
    store.put(replace(known or Listed(contract.symbol, now_ns, traded=in_base), delisted_ns=end_ns))
    found.delisted.append(contract.symbol)
