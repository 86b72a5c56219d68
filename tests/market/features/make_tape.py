"""A small seeded tape with everything on it: book, trades, whales, liquidations, reports, a gap. Not a realistic market."""

from __future__ import annotations

import numpy as np

from models.market.tape import (
    BBO,
    DEPTH,
    END_OF_MESSAGE,
    EVENT,
    FUNDING,
    GAP,
    INDEX,
    LIQUIDATION,
    MARK,
    OPEN_INTEREST,
    PREMIUM,
    SNAPSHOT,
    SNAPSHOT_START,
    TRADE,
)

TICK_SIZE = 0.1
START = 1_700_000_000_123_456_789

Row = tuple[int, int, int, int, float, float]


def _book(generator: np.random.Generator, at: int, middle: int, snapshot: bool) -> list[Row]:
    rows: list[Row] = []
    if snapshot:
        rows.append((at, at, SNAPSHOT_START, 0, 0.0, 0.0))
    for side in (1, -1):
        best = middle - side
        kind = SNAPSHOT if snapshot else BBO
        rows.append((at, at, kind, side, best * TICK_SIZE, float(generator.lognormal())))
        for depth in generator.choice(np.arange(1, 40), 6, replace=False):
            kind = SNAPSHOT if snapshot else DEPTH
            size = 0.0 if generator.random() < 0.2 and not snapshot else float(generator.lognormal())
            rows.append((at, at, kind, side, (best - side * int(depth)) * TICK_SIZE, size))
    rows.append((at, at, END_OF_MESSAGE, 0, 0.0, 0.0))
    return rows


def _reports(generator: np.random.Generator, at: int, price: float) -> list[Row]:
    chance = generator.random()
    if chance < 0.3:
        return [(at, at, OPEN_INTEREST, 0, 0.0, 1e5 + 50.0 * float(generator.normal()))]
    if chance < 0.4:
        return [(at, at, LIQUIDATION, int(generator.choice([-1, 1])), price, float(generator.lognormal(1.0)))]
    kind = int(generator.choice([MARK, INDEX, PREMIUM, FUNDING]))
    return [(at, at, kind, 0, price if kind in (MARK, INDEX) else 1e-4, 0.0)]


def make_tape(seconds: int, seed: int, *, per_second: int = 20, gap: bool = True) -> np.ndarray:
    """Return a sorted tape of some seconds; with `gap` the feed is lost at two thirds and heals a little later."""
    generator = np.random.default_rng(seed)
    n = seconds * per_second
    times = START + np.sort(generator.integers(0, seconds * 1_000_000_000, n))
    middles = 600_000 + np.cumsum(generator.choice([-30, -1, 0, 0, 0, 1, 30], n))
    rows = _book(generator, int(times[0]) - 1, int(middles[0]), True)
    lost, healed = (2 * n // 3, 2 * n // 3 + n // 20) if gap else (n, n)
    for i in range(n):
        at, middle, chance = int(times[i]), int(middles[i]), generator.random()
        if i == lost:
            rows.append((at, at, GAP, 0, 0.0, 0.0))
        if chance < 0.4:
            side = int(generator.choice([-1, 1]))
            beyond = int(generator.choice([1, 1, 1, 100]))
            size = float(generator.lognormal(-2.0, 1.5))
            rows.append((at, at, TRADE, side, (middle + side * beyond) * TICK_SIZE, size))
        elif chance < 0.5:
            rows += _reports(generator, at, middle * TICK_SIZE)
        elif i < lost or i > healed:
            rows += _book(generator, at, middle, False)
        elif i == healed or chance > 0.95:
            rows += _book(generator, at, middle, i == healed)
    if gap:
        rows += _book(generator, int(times[-1]), int(middles[-1]), True)
    return np.array(rows, dtype=EVENT)
