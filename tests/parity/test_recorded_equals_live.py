"""Real recorded stretches and a synthetic one through the batch loop and event by event, as a live process does: equal bits.

The live path takes one event at a time, keeps a market of its own beside the venue, and calls what a live process calls; on
Bybit's recording it also parses one frame at a time. Stretches: all 42 s of Bybit's recording, the first 350 000 events of
Binance's, half an hour of the synthetic market. A whole day takes minutes this way: `HEAN_PARITY_HOURS=24` asks for it.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from hean_pipelines.sources.tape_files import stream_blocks
from models.market.feature_spec import FEATURE_NAMES
from models.market.readers.bybit import BybitReader, unwrap_cryptofeed
from models.market.step import features_of
from models.simulation.backtest.results import Results
from models.simulation.backtest.run import (
    Strategy,
    forced_flow_exhaustion_strategy,
    impact_reversion_strategy,
    run_compiled,
    run_events,
)
from tests.parity.recorded import (
    BINANCE,
    BYBIT,
    PARAMS,
    S5,
    S6,
    recorded_tape,
    synthetic_tape,
    with_liquidations,
)
from tests.support import shared_path

HOURS = float(os.environ.get("HEAN_PARITY_HOURS", "0.5"))
BINANCE_EVENTS = 350_000
STRETCHES = ("bybit BTCUSDT", "bybit SOLUSDT", "binance BTCUSDT", "synthetic")
QUIET = {("bybit BTCUSDT", "S5"), ("bybit BTCUSDT", "S6"), ("bybit SOLUSDT", "S6")}
"""The mid of BTC changes twice in those 42 s, and no flow is forced: both strategies hold, which is compared too."""
KEPT = ("intents", "orders", "fills", "trades", "equity", "markouts_bps")


def stretch(name: str) -> tuple[np.ndarray, Any]:
    if name == "synthetic":
        return synthetic_tape(3600.0 * HOURS)
    venue, symbol = name.split()
    if venue == "bybit":
        return recorded_tape(BYBIT, symbol)
    events, parameters = recorded_tape(BINANCE, symbol)
    return with_liquidations(events[:BINANCE_EVENTS], 3), parameters


def strategy(name: str) -> Strategy:
    return impact_reversion_strategy(S5) if name == "S5" else forced_flow_exhaustion_strategy(S6)


def live(events: np.ndarray, venue: Any, own: Strategy) -> tuple[Results, np.ndarray, np.ndarray]:
    rows: list[np.ndarray] = []
    times: list[int] = []

    def keep(at_ns: int, vector: np.ndarray) -> None:
        times.append(at_ns)
        rows.append(vector.copy())

    result = run_events([events], own, venue, None, PARAMS, on_features=keep)
    return result, np.array(times), np.array(rows)


@pytest.mark.parametrize("name", STRETCHES)
def test_every_feature_intent_and_fill_is_the_same_bits(name: str) -> None:
    events, venue = stretch(name)
    times, features = features_of(events, venue.tick_size, PARAMS)
    for which in ("S5", "S6"):
        found, live_times, live_features = live(events, venue, strategy(which))
        assert live_times.tobytes() == times.tobytes()
        assert live_features.tobytes() == features.tobytes()
        batch = run_compiled(np.array_split(events, 3), strategy(which), venue, None, PARAMS)
        for kind in KEPT:
            assert getattr(batch, kind).tobytes() == getattr(found, kind).tobytes(), (which, kind)
        if (name, which) not in QUIET:
            assert len(batch.fills) > 0, f"{which} should trade on this stretch, or the test shows nothing"
    defined = [f for f, column in zip(FEATURE_NAMES, features.T, strict=True) if np.isfinite(column).any()]
    # Without a model of regimes one feature never is; a short recording brings no settlement and no liquidation.
    assert len(defined) >= 55, sorted(set(FEATURE_NAMES) - set(defined))


def test_frames_taken_one_by_one_make_the_tape_of_whole_blocks() -> None:
    path = shared_path(BYBIT)
    lines = b"".join(unwrap_cryptofeed(stream_blocks(path), "linear"))
    reader, pieces = BybitReader(), []
    for line in lines.splitlines():
        pieces += [events for symbol, events in reader.feed(line) if symbol == "BTCUSDT"]
    whole, _ = recorded_tape(BYBIT, "BTCUSDT")
    single = np.concatenate(pieces)
    assert len(pieces) > 100
    assert single.dtype == whole.dtype
    for field in whole.dtype.names or ():
        assert np.array_equal(single[field], whole[field]), field
