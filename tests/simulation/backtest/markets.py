"""Small seeded markets for the tests of the backtest."""

from __future__ import annotations

import numpy as np

from models.market.book import apply_all, depth_levels, new_book
from models.market.tape import DEPTH, END_OF_MESSAGE, EVENT, GAP, MARK, SNAPSHOT, SNAPSHOT_START
from models.simulation.fills.parameters import FillParameters
from models.simulation.order_flow.generator import generate_order_flow
from models.simulation.order_flow.parameters import OrderFlowParameters, without_episodes

VENUE = FillParameters(0.5, 0.001)
# Whales every half minute, and more background orders than usual, so that the median size is soon known.
PLANTED = OrderFlowParameters(whales_per_hour=120.0, background_rate=4.0, cascades_per_hour=0.0)


def planted(duration_s, seed=3):
    return generate_order_flow(PLANTED, seed, duration_s).events


def null(duration_s, seed=3):
    """No whales: large orders of the crowd in a volatile market look like impact, and nothing reverts."""
    market = without_episodes(PLANTED)._replace(trade_size_sigma=1.4, regime_volatility_bps=(3.0, 3.0, 3.0))
    return generate_order_flow(market, seed, duration_s).events


def near_funding(duration_s, seed=5):
    """A market in which a settlement comes after two minutes, at a rate that is not small."""
    eight_hours = 8 * 3600 * 1_000_000_000
    start = PLANTED.start_ns + eight_hours - 120 * 1_000_000_000
    market = PLANTED._replace(start_ns=start, premium_mean=0.003)
    return generate_order_flow(market, seed, duration_s).events


def shaken(tape):
    """The same tape with marks that jump by a twentieth now and then, enough to liquidate at 25 times leverage."""
    out = tape.copy()
    marks = np.flatnonzero(out["kind"] == MARK)[10::20]
    out["price"][marks] *= np.where(np.arange(len(marks)) % 2 == 0, 0.95, 1.05)
    return out


def _message(rows, at):
    out = np.zeros(len(rows) + 1, EVENT)
    out["local_ts"], out["exch_ts"], out["kind"][-1] = at["local_ts"], at["exch_ts"], END_OF_MESSAGE
    for i, row in enumerate(rows):
        out["kind"][i], out["side"][i], out["price"][i], out["size"][i] = row
    return out


def _snapshot(book, at):
    rows = []
    for side in (1, -1):
        levels = np.zeros((64, 2))
        found = depth_levels(book, side, 64, levels)
        rows.append((SNAPSHOT_START, side, 0.0, 0.0))
        rows += [(SNAPSHOT, side, tick * VENUE.tick_size, size) for tick, size in levels[:found]]
    return _message(rows, at)


def interrupted(tape, every=500):
    """The same tape with gaps, each healed by a snapshot 100 messages later, and bids that cross for 100 messages."""
    book = new_book(VENUE.tick_size)
    ends = np.flatnonzero(tape["kind"] == END_OF_MESSAGE) + 1
    parts, done = [], 0
    for k in range(every // 2, len(ends) - every, every):
        first, healed, crossed, uncrossed = ends[k], ends[k + 100], ends[k + 150], ends[k + 250]
        apply_all(book, tape[done:healed])
        gap = np.zeros(1, EVENT)
        gap["local_ts"], gap["exch_ts"], gap["kind"] = (
            tape["local_ts"][first - 1],
            tape["exch_ts"][first - 1],
            GAP,
        )
        price = (book.best[0] + 40) * VENUE.tick_size
        parts += [tape[done:first], gap, tape[first:healed], _snapshot(book, tape[healed - 1])]
        parts += [tape[healed:crossed], _message([(DEPTH, 1, price, 0.5)], tape[crossed - 1])]
        parts += [tape[crossed:uncrossed], _message([(DEPTH, 1, price, 0.0)], tape[uncrossed - 1])]
        apply_all(book, tape[healed:uncrossed])
        done = uncrossed
    parts.append(tape[done:])
    return np.concatenate([part.view(np.uint8) for part in parts]).view(EVENT)
