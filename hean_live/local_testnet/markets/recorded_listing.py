"""Listings of recorded symbols: what the files do not say and the venue must.

Here belong the assumed steps and limits and how they are guessed for unknown symbols; see `recorded` for what is served as data.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from hean_live.local_testnet.markets.base import BarKind
from hean_live.local_testnet.markets.recorded_bars import LENGTHS
from hean_live.local_testnet.markets.recorded_files import Recording, step_of
from models.simulation.bars import MINUTE_MS
from models.simulation.listing import Listing, decimals_of

HOUR_MS = 60 * MINUTE_MS
REGULAR_INTERVAL_H = 8
CAP = Decimal("0.02")
# tick, quantity step, maximum order, maximum market order, maximum leverage, index decimals
STEPS: dict[str, tuple[str, str, str, str, str, int]] = {
    "BTCUSDT": ("0.10", "0.001", "1190.000", "500.000", "100.00", 2),
    "ETHUSDT": ("0.01", "0.01", "7500.00", "1500.00", "100.00", 2),
    "SOLUSDT": ("0.010", "0.1", "79770.0", "8000.0", "100.00", 3),
    "XRPUSDT": ("0.0001", "0.1", "3000000.0", "600000.0", "75.00", 4),
    "DOGEUSDT": ("0.00001", "1", "20000000", "4000000", "75.00", 5),
    "BNBUSDT": ("0.10", "0.01", "3200.00", "1000.00", "75.00", 2),
    "ADAUSDT": ("0.0001", "1", "5000000", "1000000", "75.00", 4),
    "WIFUSDT": ("0.0001", "1", "1600000", "320000", "50.00", 4),
    "HYPEUSDT": ("0.001", "0.01", "60000.00", "12000.00", "75.00", 3),
}


def span_of(recording: Recording, symbol: str) -> tuple[int, int]:
    """First instant of any datum of a symbol, and the end of its last."""
    firsts, lasts = [], []
    for (_, minutes), by_symbol in recording.bars.items():
        if symbol in by_symbol:
            firsts.append(int(by_symbol[symbol].ts_ms[0]))
            lasts.append(int(by_symbol[symbol].ts_ms[-1]) + minutes * MINUTE_MS)
    for series in (recording.funding.get(symbol), recording.open_interest.get(symbol)):
        if series is not None:
            firsts.append(int(series[0][0]))
            lasts.append(int(series[0][-1]))
    return min(firsts), max(lasts)


def listing_of(recording: Recording, symbol: str, category: str, launch_ms: int) -> Listing:
    """Build the listing of a recorded symbol: perpetuals from the table, others from how finely their data are written.

    Parameters
    ----------
    recording : Recording
    symbol : str
    category : str
        ``linear`` or ``spot``, whose steps differ.
    launch_ms : int
        First recorded instant, which stands for the listing date.

    """
    known = STEPS.get(symbol) if category == "linear" else None
    kinds = (BarKind.PERP, BarKind.SPOT) if category == "linear" else (BarKind.SPOT, BarKind.PERP)
    tick, step, largest, largest_market, leverage, index_decimals = known or _guessed(
        recording, symbol, kinds
    )
    return Listing(
        symbol=symbol,
        base_coin=symbol.removesuffix("USDT"),
        tick_size=Decimal(tick),
        qty_step=Decimal(step),
        min_order_qty=Decimal(step),
        max_order_qty=Decimal(largest),
        max_market_qty=Decimal(largest_market),
        min_notional_usd=Decimal("5"),
        max_leverage=Decimal(leverage),
        interval_h=_usual_interval_h(recording, symbol),
        funding_cap=CAP,
        index_decimals=index_decimals,
        launch_ms=launch_ms,
    )


def _guessed(
    recording: Recording, symbol: str, kinds: tuple[BarKind, ...]
) -> tuple[str, str, str, str, str, int]:
    for kind in kinds:
        for minutes in LENGTHS:
            bars = recording.bars.get((kind, minutes), {}).get(symbol)
            if bars is not None and bars.volume is not None:
                tick, step = step_of(bars.open, bars.high, bars.low, bars.close), step_of(bars.volume)
                return (
                    f"{tick:f}",
                    f"{step:f}",
                    f"{step * 1_000_000:f}",
                    f"{step * 200_000:f}",
                    "50.00",
                    decimals_of(tick),
                )
    return "0.0001", "1", "1000000", "200000", "50.00", 4


def _usual_interval_h(recording: Recording, symbol: str) -> int:
    times = recording.funding.get(symbol, (np.empty(0, dtype=np.int64), np.empty(0)))[0]
    if len(times) < 2:
        return REGULAR_INTERVAL_H
    return int(min(max(round(float(np.median(np.diff(times))) / HOUR_MS), 1), REGULAR_INTERVAL_H))
