"""What reaches the engine at one poll, and the one way of deciding on it: the loop's and the replay's.

Here belong the record and the call. Filling it is the runner's business, keeping it the log's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from hean_live.app.engine import Engine
from hean_live.app.snapshot import Command, Snapshot
from hean_live.execution.records import OrderRow
from models.execution.sight import MarketSight

T = TypeVar("T")


@dataclass(frozen=True)
class PollInputs:
    """One poll's inputs; nothing else is told to the engine.

    Attributes
    ----------
    snapshot : Snapshot
        Of the symbols that concern the engine.
    orphans : tuple of (str, list of OrderRow)
        Symbols in which we hold a position that no campaign explains, each with all our orders; taken over before
        the snapshot is decided on.
    sights : mapping of str to MarketSight
        What more than the ticker is known of a symbol's market.

    """

    snapshot: Snapshot
    orphans: tuple[tuple[str, list[OrderRow]], ...] = ()
    sights: Mapping[str, MarketSight] = field(default_factory=dict)


def decide(engine: Engine, inputs: PollInputs) -> list[Command]:
    """Let the engine decide on one poll; returns its commands in their order."""
    commands: list[Command] = []
    for symbol, orders in inputs.orphans:
        commands += engine.adopt(symbol, orders, inputs.snapshot.now_ns)
    return commands + engine.on_poll(inputs.snapshot, inputs.sights)


def concerning(snapshot: Snapshot, symbols: Sequence[str]) -> Snapshot:
    """Leave out of a snapshot what the venue tells of other symbols; a venue lists hundreds.

    Parameters
    ----------
    snapshot : Snapshot
    symbols : sequence of str
        Those the engine watches; what the account holds is added.

    Returns
    -------
    Snapshot

    """
    held = [*snapshot.books.net, *snapshot.books.own] if snapshot.books else []
    wanted = tuple(dict.fromkeys([*symbols, *held]))
    return replace(
        snapshot,
        tickers=_only(snapshot.tickers, wanted),
        quotes=_only(snapshot.quotes, wanted),
        instruments=_only(snapshot.instruments, wanted),
        taker_fees=_only(snapshot.taker_fees, wanted),
    )


def _only(rows: Mapping[str, T], symbols: Sequence[str]) -> dict[str, T]:
    return {symbol: rows[symbol] for symbol in symbols if symbol in rows}
