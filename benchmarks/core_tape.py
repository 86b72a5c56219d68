"""Tapes and raw messages `benchmarks.core` measures on: recorded ones where they lie beside the checkout, else synthetic.

Here belongs where the data come from; what is done with them is elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hean_pipelines.sources.tape_files import read_tape_files, stream_blocks, tape_reader
from models.market.readers.bybit import unwrap_cryptofeed
from models.market.tape import (
    DEPTH,
    EVENT,
    KIND_NAMES,
    SNAPSHOT_START,
    TRADE,
    Events,
    shift_receive_time,
)
from models.simulation.order_flow.generator import stream_order_flow
from models.simulation.order_flow.parameters import OrderFlowParameters

STREAMS = Path(__file__).resolve().parents[2] / "shared" / "data" / "streams"
BINANCE = STREAMS / "hftbacktest__usdm_btcusdt_20240808.gz"
BYBIT = STREAMS / "cryptofeed__BYBIT_v5_20260809.jsonl.zst"
CLOCK_BEHIND_NS = 1_300_000_000
"""The recorder's clock ran 1.27 s behind the venue's; hftbacktest takes no negative latency."""
SECOND_NS = 1_000_000_000

CALM = OrderFlowParameters()
BUSY = OrderFlowParameters(book_updates=150.0, background_rate=25.0, refreshed_levels=6)
"""About as many events a second as the recording of BTCUSDT."""


class Tape(NamedTuple):
    """One tape and the steps of its instrument."""

    name: str
    events: Events
    tick_size: float
    lot_size: float

    def facts(self) -> dict[str, object]:
        """Describe the tape for the JSON."""
        seconds = float(self.events["local_ts"][-1] - self.events["local_ts"][0]) / SECOND_NS
        kinds, counts = np.unique(self.events["kind"], return_counts=True)
        return {
            "events": len(self.events),
            "seconds": round(seconds, 1),
            "events_per_tick": round(len(self.events) / (4.0 * seconds), 1),
            "kinds": {KIND_NAMES[int(k)]: int(n) for k, n in zip(kinds, counts, strict=True)},
        }


def join(parts: list[Events]) -> Events:
    """Concatenate parts of a tape, padding and all."""
    return np.concatenate([part.view(np.uint8) for part in parts]).view(EVENT)


def recorded_tape(copies: int) -> Tape | None:
    """Return the recording of Binance's BTCUSDT perpetual, played `copies` times in a row; None where it is absent.

    A copy begins at the recorded snapshot, so that it stands on its own whatever came before.
    """
    if not BINANCE.is_file():
        return None
    reader = tape_reader("binance", "BTCUSDT")
    events = join([chunk.events for chunk in read_tape_files([BINANCE], "binance", reader)])
    events = shift_receive_time(events, CLOCK_BEHIND_NS)
    events = events[int(np.flatnonzero(events["kind"] == SNAPSHOT_START)[0]) :]
    span = int(max(events["local_ts"][-1], events["exch_ts"].max()) - events["local_ts"][0]) + SECOND_NS
    parts = []
    for k in range(copies):
        part = events.copy()
        part["local_ts"] += k * span
        part["exch_ts"] += k * span
        parts.append(part)
    return Tape("recorded", join(parts), 0.1, 0.001)


def synthetic_tape(name: str, parameters: OrderFlowParameters, seconds: float) -> Tape:
    """Return a synthetic market as a tape."""
    chunks = [chunk.events for chunk in stream_order_flow(parameters, 3, seconds)]
    return Tape(name, join(chunks), parameters.tick_size, parameters.lot_size)


def _messages(events: Events) -> Iterator[Events]:
    """Cut a tape into stretches of one receive time."""
    edges = np.flatnonzero(np.diff(events["local_ts"])) + 1
    for first, last in zip([0, *edges.tolist()], [*edges.tolist(), len(events)], strict=True):
        yield events[first:last]


def _levels(rows: Events, side: int) -> str:
    chosen = rows[(rows["kind"] == DEPTH) & (rows["side"] == side)]
    return ",".join(f'["{row["price"]:.2f}","{row["size"]:.3f}"]' for row in chosen)


def as_bybit_lines(events: Events) -> bytes:
    """Write levels and trades of a tape as Bybit's stream would have said them, a line with receive time each."""
    lines, update = [], 1
    for rows in _messages(events):
        ns, ms = int(rows["local_ts"][0]), int(rows["exch_ts"][0]) // 1_000_000
        for row in rows[rows["kind"] == TRADE]:
            side = "Buy" if row["side"] > 0 else "Sell"
            lines.append(
                f'{ns} {{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":{ms},"data":[{{"T":{ms},"s":"BTCUSDT",'
                f'"S":"{side}","v":"{row["size"]:.3f}","p":"{row["price"]:.2f}","L":"PlusTick",'
                f'"i":"2100000000-0000-{len(lines):012d}","BT":false}}]}}'
            )
        if (rows["kind"] == DEPTH).any():
            kind = "snapshot" if update == 1 else "delta"
            lines.append(
                f'{ns} {{"topic":"orderbook.200.BTCUSDT","type":"{kind}","ts":{ms},"data":{{"s":"BTCUSDT",'
                f'"b":[{_levels(rows, 1)}],"a":[{_levels(rows, -1)}],"u":{update},"seq":{update}}},"cts":{ms}}}'
            )
            update += 1
    return ("\n".join(lines) + "\n").encode()


def as_binance_lines(events: Events) -> bytes:
    """Write levels and trades of a tape as Binance's raw streams would have said them."""
    lines, update = [], 1
    for rows in _messages(events):
        ns, ms = int(rows["local_ts"][0]), int(rows["exch_ts"][0]) // 1_000_000
        for row in rows[rows["kind"] == TRADE]:
            maker = "true" if row["side"] < 0 else "false"
            lines.append(
                f'{ns} {{"stream":"btcusdt@trade","data":{{"e":"trade","E":{ms},"T":{ms},"s":"BTCUSDT","t":{len(lines)},'
                f'"p":"{row["price"]:.2f}","q":"{row["size"]:.3f}","X":"MARKET","m":{maker}}}}}'
            )
        if (rows["kind"] == DEPTH).any():
            lines.append(
                f'{ns} {{"stream":"btcusdt@depth@0ms","data":{{"e":"depthUpdate","E":{ms},"T":{ms},"s":"BTCUSDT",'
                f'"U":{update},"u":{update},"pu":{update - 1},"b":[{_levels(rows, 1)}],"a":[{_levels(rows, -1)}]}}}}'
            )
            update += 1
    return ("\n".join(lines) + "\n").encode()


def _repeated(lines: bytes, least_bytes: int) -> bytes:
    return lines * max(1, -(-least_bytes // len(lines)))


def bybit_messages(least_bytes: int, stand_in: Events) -> tuple[str, bytes]:
    """Return raw stamped lines of Bybit and where they are from; the recording is repeated until it is long enough."""
    if not BYBIT.is_file():
        return "synthetic", _repeated(as_bybit_lines(stand_in), least_bytes)
    return "recorded", _repeated(b"".join(unwrap_cryptofeed(stream_blocks(BYBIT), "linear")), least_bytes)


def binance_messages(least_bytes: int, most_bytes: int, stand_in: Events) -> tuple[str, bytes]:
    """Return raw stamped lines of Binance and where they are from: `most_bytes` at most of the recording."""
    if not BINANCE.is_file():
        return "synthetic", _repeated(as_binance_lines(stand_in), least_bytes)
    kept = b""
    for block in stream_blocks(BINANCE):
        kept += block
        if len(kept) >= most_bytes:
            break
    return "recorded", kept[: kept.rindex(b"\n") + 1]
