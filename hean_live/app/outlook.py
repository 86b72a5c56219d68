"""What the engine is told at a poll, gathered from the parts of the loop: reads only, decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hean_live.app.account import JOURNAL_LOST, UNRECONCILED
from hean_live.app.parts import Parts
from hean_live.app.policy import PolicyView, policy_view
from hean_live.app.snapshot import Forecasted, Settled, Snapshot
from hean_live.execution.records import OrderRow
from hean_live.shadow.records import BankNews
from models.execution.sight import MarketSight
from models.portfolio.roster import KINDS, Kind

KILLED = "KILL_SWITCH"
STOPPING = "STOPPING"
DRY_RUN = "DRY_RUN"

_MAKERS: Final = tuple(name for name, kind in KINDS.items() if kind is Kind.MARKET_MAKING)


def snapshot_of(
    parts: Parts, news: Sequence[Forecasted | Settled], halts: Mapping[str, str], *, flatten: bool
) -> Snapshot:
    """Return what is known now.

    Parameters
    ----------
    parts : Parts
    news : sequence of Forecasted or Settled
        Since the last poll.
    halts : mapping of str to str
        Why no entry may be made.
    flatten : bool
        Whether positions are to be closed now.

    Returns
    -------
    Snapshot

    """
    feed, policy = parts.feed, policy_of(parts)
    return Snapshot(
        now_ns=feed.now_ns,
        tickers=feed.tickers,
        tickers_at_ns=feed.tickers_at_ns,
        quotes=feed.quotes,
        instruments=parts.instruments,
        taker_fees=parts.taker_fees,
        books=parts.account.books if parts.account else None,
        orders={symbol: _orders(parts, symbol) for symbol in parts.engine.symbols},
        clock_offset_ms=feed.clock_offset_ms,
        model=parts.models.view(feed.now_ns),
        matrix=parts.models.matrix,
        forecasts=tuple(row for row in news if isinstance(row, Forecasted)),
        settled=tuple(row for row in news if isinstance(row, Settled)),
        halts=halts,
        flatten=flatten,
        bank=_bank_news(parts, policy),
        policy=policy,
    )


def _bank_news(parts: Parts, policy: PolicyView) -> BankNews:
    """Return the shadows' news; quotes only of those who may quote, or whose campaign is not over."""
    if parts.shadows is None:
        return BankNews()
    at_work = parts.engine.strategies_at_work
    parts.shadows.follow_quotes([n for n in _MAKERS if n in at_work or policy.breach(n) is None])
    return parts.shadows.news()


def policy_of(parts: Parts) -> PolicyView:
    """Return what the policy in use and a person's vetoes say now."""
    models, vetoes = parts.models, {} if parts.vetoes is None else parts.vetoes.read()
    return policy_view(models.policy, models.policy_version, parts.feed.now_ns, parts.environment, vetoes)


def halts_of(parts: Parts, stop_reason: str, *, dry_run: bool) -> dict[str, str]:
    """Return why no entry may be made now, by code."""
    halts = {}
    if parts.kill_switch.reason:
        halts[KILLED] = parts.kill_switch.reason
    if stop_reason:
        halts[STOPPING] = stop_reason
    if dry_run:
        halts[DRY_RUN] = "orders are off in a dry run"
    if parts.account is not None and parts.account.problem:
        halts[UNRECONCILED] = parts.account.problem
    if parts.account is not None and parts.account.doubt:
        halts[JOURNAL_LOST] = parts.account.doubt
    if parts.streams is not None:
        halts |= parts.streams.problems()
    return halts


def orphans_of(parts: Parts, snapshot: Snapshot) -> tuple[tuple[str, list[OrderRow]], ...]:
    """Return positions of ours that no campaign explains, after a lost journal for example."""
    if snapshot.books is None or UNRECONCILED in snapshot.halts:
        return ()
    return tuple(
        (symbol, parts.journal.orders_of(symbol))
        for symbol, own in snapshot.books.own.items()
        if own and parts.engine.decision_ns(symbol) is None
    )


def sights_of(parts: Parts) -> dict[str, MarketSight]:
    """Return what more than the ticker is known of each market, by symbol; nothing without streams."""
    return {} if parts.streams is None else parts.streams.sights(parts.feed.now_ns)


def _orders(parts: Parts, symbol: str) -> list[OrderRow]:
    decision_ns = parts.engine.decision_ns(symbol)
    if decision_ns is None:
        # A campaign may begin at this very poll. After a lost journal the venue may have told of orders of the same
        # decision: what they have filled is not bought again.
        ticker = parts.feed.tickers.get(symbol)
        decision_ns = None if ticker is None else ticker.next_funding_ns
    return [] if decision_ns is None else parts.journal.orders_of(symbol, decision_ns)
