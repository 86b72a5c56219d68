"""What `benchmarks.core` measures of ours: the whole loop, VPIN alone, the live step, parsing. Each piece can be run by itself.

Nothing here knows the peers.
"""

from __future__ import annotations

import gc
import time
from typing import Any, NamedTuple

import numpy as np

from benchmarks.core_tape import Tape
from models.market.feature_params import params_record
from models.market.features import vpin
from models.market.features.records import new_record
from models.market.readers.blocks import LineReader
from models.market.record import feature_view, new_symbols
from models.market.step import event_of, tick_of
from models.market.tape import Events
from models.simulation.backtest.records import BacktestParameters
from models.simulation.backtest.results import Results
from models.simulation.backtest.run import Strategy, run_compiled, two_sided_quotes_strategy
from models.simulation.fills.parameters import FillParameters, constant_latency
from models.strategies.two_sided_quotes import Params

LATENCY_MS = 80.0
QUOTES = Params(distance_bps=1.0, requote_bps=0.5, capital_share=0.001)
RULES = BacktestParameters()
BLOCK_BYTES = 1 << 20


def venue_of(tick_size: float, lot_size: float) -> FillParameters:
    """Return the venue all engines simulate: one latency in, one out, conservative queue, partial fills."""
    return constant_latency(FillParameters(tick_size, lot_size), LATENCY_MS, LATENCY_MS)


def quote_strategy() -> Strategy:
    """Return the reference strategy, with nothing sent."""
    return two_sided_quotes_strategy(QUOTES)


def peer_parameters(tape: Tape) -> dict[str, Any]:
    """Say to a peer what the loop is told here."""
    venue, nanoseconds = venue_of(tape.tick_size, tape.lot_size), int(LATENCY_MS * 1e6)
    return {
        "tick_size": tape.tick_size,
        "lot_size": tape.lot_size,
        "entry_ns": nanoseconds,
        "response_ns": nanoseconds,
        "maker_fee": venue.maker_fee,
        "taker_fee": venue.taker_fee,
        "period_ns": int(params_record()["tick_ns"]),
        "distance": 1e-4 * QUOTES.distance_bps,
        "requote": 1e-4 * QUOTES.requote_bps,
        "share": QUOTES.capital_share,
        "capital": RULES.capital,
    }


def full_loop(tape: Tape, events: Events) -> tuple[float, Results]:
    """Run book, trades, all features, quotes and fills over a stretch of tape; returns seconds and what came of it."""
    started = time.process_time()
    result = run_compiled([events], quote_strategy(), venue_of(tape.tick_size, tape.lot_size), RULES)
    return time.process_time() - started, result


def vpin_alone(trades: int, repeats: int) -> list[float]:
    """Seconds to update VPIN by lognormal trades of mixed sides, about fifteen a bucket."""
    draws = np.random.default_rng(0)
    notionals = draws.lognormal(np.log(2000.0), 1.0, trades)
    sides = draws.choice(np.array([-1, 1], dtype=np.int8), trades)
    seconds = []
    for _ in range(repeats + 1):
        state = new_record(vpin.VPIN)
        started = time.process_time()
        vpin.update_all(state, notionals, sides, 50_000.0, 50)
        seconds.append(time.process_time() - started)
    return seconds[1:]


class LiveTimes(NamedTuple):
    """Nanoseconds of each call from Python: an event, a tick that was due, and the clock itself."""

    events: np.ndarray
    ticks: np.ndarray
    clock: np.ndarray
    defined: int


def live_step(tape: Tape, warm: int, timed: int) -> LiveTimes:
    """Time `event_of` and `tick_of`, one call at a time, on the `timed` events after the first `warm`."""
    own = new_symbols([tape.tick_size], [params_record()])
    rows = tape.events[: warm + timed]
    stamps = rows["local_ts"].tolist()
    now = time.perf_counter_ns
    events, ticks, clock = [], [], []
    for row, stamp in enumerate(stamps[:warm]):
        while tick_of(own, 0, stamp):
            pass
        event_of(own, 0, rows, row)
    gc.disable()
    try:
        for row in range(warm, len(rows)):
            while True:
                started = now()
                due = tick_of(own, 0, stamps[row])
                ended = now()
                if not due:
                    break
                ticks.append(ended - started)
            started = now()
            event_of(own, 0, rows, row)
            ended = now()
            events.append(ended - started)
            started = now()
            ended = now()
            clock.append(ended - started)
    finally:
        gc.enable()
    defined = int(np.isfinite(feature_view(own["market"])[0]).sum())
    return LiveTimes(np.array(events), np.array(ticks), np.array(clock), defined)


def parse(reader: LineReader, messages: bytes) -> tuple[float, int]:
    """Parse raw messages a block at a time, as from a file; returns seconds and rows."""
    blocks = [messages[i : i + BLOCK_BYTES] for i in range(0, len(messages), BLOCK_BYTES)]
    started = time.process_time()
    rows = sum(len(chunk.events) for chunk in reader.read(blocks))
    return time.process_time() - started, rows
