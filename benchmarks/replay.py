"""What writing down the engine's inputs costs a poll, and how fast they are decided on again.

Prints one JSON object. Ten symbols whose tickers and quotes all change at every poll, as with streams in a busy market; two
symbols have orders. What does not belong here: whether the replay is right (`tests/live/test_replay.py`).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from hean_live.kernel_cache import name_kernel_cache

name_kernel_cache()

from hean_live.app.alarms import Alarms  # noqa: E402 - the kernel cache is named first
from hean_live.app.engine import Engine  # noqa: E402
from hean_live.app.snapshot import ModelView, Quote, Snapshot  # noqa: E402
from hean_live.execution.journal import Journal  # noqa: E402
from hean_live.execution.reconcile import Books  # noqa: E402
from hean_live.execution.records import OrderRow  # noqa: E402
from hean_live.replay.inputs import PollInputs, decide  # noqa: E402
from hean_live.replay.log import InputLog, LogRules  # noqa: E402
from hean_live.replay.replay import replay  # noqa: E402
from hean_live.replay.session import find_segments  # noqa: E402
from hean_live.simulation.process import RULES  # noqa: E402
from models.market.bybit_v5_market import Ticker  # noqa: E402
from models.market.instruments import Instrument  # noqa: E402

NS = 1_000_000_000
START_NS = 1_748_793_600 * NS
NEXT_NS = START_NS + 8 * 3600 * NS
SYMBOLS = tuple(
    f"{letter}USDT" for letter in ("BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC", "UNI", "ETC", "APT")
)
STEP = Decimal("0.1")


def polls(count: int, seed: int = 1) -> list[PollInputs]:
    """Return the inputs of so many polls, a tenth of a second apart."""
    generator = np.random.default_rng(seed)
    first = _snapshot()
    found = []
    for at in range(count):
        now_ns = START_NS + at * NS // 10
        moves = generator.integers(-30, 31, len(SYMBOLS)).tolist()
        prices = {symbol: 1000.0 + move / 10 for symbol, move in zip(SYMBOLS, moves, strict=True)}
        quotes = {s: _quote(price, now_ns) for s, price in prices.items()}
        tickers = {s: _ticker(s, price, float(generator.random())) for s, price in prices.items()}
        moved = replace(first, now_ns=now_ns, tickers_at_ns=now_ns, tickers=tickers, quotes=quotes)
        found.append(PollInputs(moved))
    return found


def measure(count: int) -> dict[str, float]:
    """Write, then replay, so many polls."""
    told = polls(count)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        journal = Journal(home / "journal.sqlite")
        log = InputLog(home, RULES, LogRules(), Alarms(journal))
        engine = Engine(SYMBOLS, RULES)
        took = np.empty(count)
        for at, inputs in enumerate(told):
            begun = time.perf_counter()
            log.heard(engine, inputs)
            heard = time.perf_counter()
            commands = decide(engine, inputs)
            decided = time.perf_counter()
            log.decided(commands)
            took[at] = heard - begun + time.perf_counter() - decided
        log.close()
        journal.close()
        paths = find_segments(home)
        begun = time.perf_counter()
        outcome = replay(paths)
        seconds = time.perf_counter() - begun
        written = sum(path.stat().st_size for path in paths)
    return {
        "polls": outcome.polls,
        "differences": outcome.differences,
        "bytes_per_poll": round(written / count, 1),
        "write_us_p50": round(float(np.quantile(took, 0.5)) * 1e6, 1),
        "write_us_p99": round(float(np.quantile(took, 0.99)) * 1e6, 1),
        "replayed_polls_per_s": round(count / seconds),
    }


def _snapshot() -> Snapshot:
    flat = dict.fromkeys(SYMBOLS, Decimal(0))
    return Snapshot(
        now_ns=START_NS,
        tickers={},
        tickers_at_ns=START_NS,
        quotes={},
        instruments={symbol: _instrument(symbol) for symbol in SYMBOLS},
        taker_fees=dict.fromkeys(SYMBOLS, Decimal("0.00055")),
        books=Books(flat, flat, {}, Decimal(10_000), Decimal(10_000), START_NS),
        orders={symbol: [_order(symbol, leg) for leg in ("e0", "e1", "e2")] for symbol in SYMBOLS[:2]},
        clock_offset_ms=3.5,
        model=ModelView("7", True, "", ()),
    )


def _instrument(symbol: str) -> Instrument:
    cap = Decimal("0.005")
    steps = (STEP, Decimal("0.01"), Decimal("0.01"), Decimal(100), Decimal(5), Decimal(100))
    return Instrument(symbol, "Trading", symbol[:3], "USDT", "USDT", *steps, 1, 480, cap, -cap, 0)


def _order(symbol: str, leg: str) -> OrderRow:
    price = Decimal("1000.0")
    return OrderRow(f"{symbol}-{leg}", "S1", symbol, 1, "Limit", STEP, price, False, "entry", NEXT_NS, "open")


def _quote(price: float, at_ns: int) -> Quote:
    mark = Decimal(str(price))
    return Quote(mark - STEP, mark + STEP, mark, at_ns)


def _ticker(symbol: str, price: float, size: float) -> Ticker:
    size = round(size * 100, 3)
    return Ticker(
        symbol=symbol,
        last_price=price,
        mark_price=price,
        index_price=price,
        bid1_price=price - 0.1,
        bid1_size=size,
        ask1_price=price + 0.1,
        ask1_size=size,
        funding_rate=0.0001,
        next_funding_ns=NEXT_NS,
        funding_interval_h=8,
        funding_cap=0.005,
        open_interest=1e6 + size,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--polls", type=int, default=5000)
    print(json.dumps(measure(parser.parse_args().polls)))
