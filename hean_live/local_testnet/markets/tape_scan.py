"""What a tape holds, learnt by reading it once: its symbols, when their books begin, how finely prices and sizes are written.

Here belongs that first pass. Playing the tape is `tape`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from hean_live.local_testnet.markets.recorded_listing import STEPS
from hean_live.local_testnet.markets.tape_files import read_tape
from models.errors import ConfigError
from models.market.tape import DEPTH, END_OF_MESSAGE, SNAPSHOT, SNAPSHOT_START, TRADE
from models.simulation.listing import Listing, decimals_of
from models.simulation.ticks.replay import VenueOrder

MOST_DECIMALS = 8


@dataclass
class Seen:
    """What a tape says of one symbol; venue times in ns, 0 until there is one."""

    first_ns: int = 0
    book_ns: int = 0
    last_ns: int = 0
    price_decimals: int = 0
    size_decimals: int = 0

    def take(self, events: NDArray[np.void]) -> None:
        """Take in rows stamped with venue times."""
        times = events["exch_ts"]
        self.first_ns = min(self.first_ns or int(times.min()), int(times.min()))
        self.last_ns = max(self.last_ns, int(times.max()))
        if not self.book_ns and np.any(events["kind"] == SNAPSHOT_START):
            begun = int(np.argmax(events["kind"] == SNAPSHOT_START))
            ended = np.flatnonzero(events["kind"][begun:] == END_OF_MESSAGE)
            self.book_ns = int(times[begun + (int(ended[0]) if ended.size else 0)])
        priced = np.isin(events["kind"], (TRADE, DEPTH, SNAPSHOT))
        self.price_decimals = decimals_in(events["price"][priced], self.price_decimals)
        self.size_decimals = decimals_in(events["size"][priced], self.size_decimals)


def decimals_in(values: NDArray[np.float64], least: int) -> int:
    """Decimals that are needed to write all values, `least` at least and eight at most."""
    decimals = least
    while decimals < MOST_DECIMALS:
        units = values * 10.0**decimals
        if np.all(np.abs(units - np.round(units)) < 1e-6 * np.maximum(1.0, np.abs(units) * 1e-6)):
            break
        decimals += 1
    return decimals


def scan_tape(path: Path, symbols: Sequence[str] | None) -> dict[str, Seen]:
    """Read a tape once; shows progress on a terminal.

    Raises
    ------
    ConfigError
        No such tape, nothing in it, or not one of the symbols.

    """
    seen: dict[str, Seen] = {}
    orders: dict[str, VenueOrder] = {}
    with Progress(disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("reading tape", total=path.stat().st_size if path.is_file() else None)
        for symbol, events in read_tape(path, lambda count: progress.advance(task, count)):
            order = orders.setdefault(symbol, VenueOrder())
            order.add(events)
            seen.setdefault(symbol, Seen()).take(order.take(int(order.newest_ns)))
    missing = sorted(set(symbols or ()) - set(seen))
    if missing or not seen:
        raise ConfigError(
            f"symbols must be on the tape, {', '.join(sorted(seen))}, was {', '.join(missing) or 'none'}"
        )
    return {symbol: seen[symbol] for symbol in sorted(symbols or seen)}


def listing_of(symbol: str, seen: Seen) -> Listing:
    """Return the listing of a recorded perpetual: known steps where they fit, else as finely as its data are written."""
    tick, step = Decimal(1).scaleb(-seen.price_decimals), Decimal(1).scaleb(-seen.size_decimals)
    leverage, largest, largest_market = "50.00", step * 1_000_000, step * 200_000
    index_decimals = seen.price_decimals
    known = STEPS.get(symbol)
    if (
        known is not None
        and decimals_of(Decimal(known[0])) >= seen.price_decimals
        and decimals_of(Decimal(known[1])) >= seen.size_decimals
    ):
        tick, step = Decimal(known[0]), Decimal(known[1])
        largest, largest_market, leverage, index_decimals = (
            Decimal(known[2]),
            Decimal(known[3]),
            known[4],
            known[5],
        )
    return Listing(
        symbol=symbol,
        base_coin=symbol.removesuffix("USDT"),
        tick_size=tick,
        qty_step=step,
        min_order_qty=step,
        max_order_qty=largest,
        max_market_qty=largest_market,
        min_notional_usd=Decimal("5"),
        max_leverage=Decimal(leverage),
        interval_h=8,
        funding_cap=Decimal("0.02"),
        index_decimals=index_decimals,
        launch_ms=seen.first_ns // 1_000_000,
    )
