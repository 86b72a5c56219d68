"""Recordings in a folder: which files are tapes, in which format, and which symbols they hold.

Formats are told apart by their first bytes. Files whose names differ in a date only are one recording, read in the order of their
names. A first pass over a recording finds its symbols, their tick and lot sizes and what is wrong with it. What does not belong
here: the formats themselves (`models.market.readers`), opening files (`hean_pipelines.sources.tape_files`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hean_pipelines.studies.outcome import Market
from hean_pipelines.studies.tapes import Tape
from models.errors import ConfigError, DataError

if TYPE_CHECKING:
    from hean_pipelines.sources.tape_files import OnBytes, TapeFormat
    from models.market.tape import Events

UNITS = 1e8
"""Prices and sizes are whole multiples of 1e-8."""
_HOUR_NS = 3_600_000_000_000
_DATE = re.compile(r"[_-]?\d{4}-?\d{2}-?\d{2}(?!\d)")
_SNIFF_BYTES = 1 << 16


@dataclass(frozen=True)
class Recording:
    """Files that follow each other, in one format.

    Attributes
    ----------
    name : str
        The files' common name, without date.
    tape_format : str
    paths : tuple of Path

    """

    name: str
    tape_format: TapeFormat
    paths: tuple[Path, ...]


@dataclass
class _Seen:
    """What the first pass learns of a symbol."""

    check: Any
    price_unit: int = 0
    size_unit: int = 0


def find_recordings(paths: Sequence[Path]) -> tuple[list[Recording], list[str]]:
    """Find tapes among files and folders.

    Parameters
    ----------
    paths : sequence of Path
        Files, or folders that are searched through.

    Returns
    -------
    recordings : list of Recording
        By name.
    passed_over : list of str
        Files that are no tape, with the reason.

    Raises
    ------
    ConfigError
        When a path does not exist.

    """
    groups: dict[tuple[str, str], list[Path]] = {}
    passed_over = []
    for path in paths:
        if not path.exists():
            raise ConfigError(
                f"recordings: expected a file or folder, was nothing at {path}",
                remedy="name another --tape, or mend HEAN_PIPELINES_RECORDINGS",
            )
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if not file.is_file() or file.name.startswith("."):
                continue
            formats = sniff(file)
            if not formats:
                passed_over.append(f"{file.name}: no tape format this reads")
            for tape_format in formats:
                stem = _DATE.sub("", file.name.split(".")[0]).strip("_-") or file.name.split(".")[0]
                groups.setdefault((stem, tape_format), []).append(file)
    found = [Recording(name, kind, tuple(files)) for (name, kind), files in sorted(groups.items())]  # type: ignore[arg-type]
    return found, passed_over


def sniff(path: Path) -> tuple[TapeFormat, ...]:
    """Say in which formats a file can be read, by its first lines; none when it is no tape."""
    from hean_pipelines.sources.tape_files import stream_blocks

    head = b""
    try:
        for block in stream_blocks(path, block_bytes=_SNIFF_BYTES):
            head += block
            if len(head) >= _SNIFF_BYTES:
                break
    except DataError:
        return ()
    line = head.lstrip()[:4096]
    if line.startswith(b'{"t":"header"') or line.startswith(b'{"t":"connect"'):
        return ("cryptofeed-linear", "cryptofeed-spot")
    if line.startswith(b'{"topic":"orderbook'):
        return ("bybit-order-book",)
    stamped = re.match(rb"\d{16,19} (\{.*)", line)
    if stamped is None:
        return ()
    return ("bybit",) if b'"topic"' in line or b'"op"' in line else ("binance",)


def open_tapes(recording: Recording, on_bytes: OnBytes | None = None) -> list[Tape]:
    """Read a recording once and return a tape for each symbol with a book or trades.

    Parameters
    ----------
    recording : Recording
    on_bytes : callable, optional
        Told how many bytes on disk were read.

    Returns
    -------
    list of Tape
        By symbol.

    """
    from models.market.tape_report import TapeCheck

    reader, chunks = _read(recording, on_bytes)
    seen: dict[str, _Seen] = {}
    for symbol, events in chunks:
        own = seen.setdefault(symbol, _Seen(TapeCheck()))
        own.check.update(events)
        _learn_units(own, events)
    problems = tuple(reader.stats.problems())
    return [
        _tape(recording, symbol, own, problems)
        for symbol, own in sorted(seen.items())
        if own.price_unit and own.size_unit
    ]


def _read(recording: Recording, on_bytes: OnBytes | None = None) -> tuple[Any, Iterator[Any]]:
    from hean_pipelines.sources.tape_files import read_tape_files, tape_reader

    symbol = None
    if recording.tape_format == "binance":
        # REST snapshots do not name their symbol; the recorder put it in the name.
        parts = [part for part in recording.name.upper().split("__")[-1].split("_")[1:] if part]
        symbol = "_".join(parts) or None
    reader = tape_reader(recording.tape_format, symbol)
    return reader, read_tape_files(recording.paths, recording.tape_format, reader, on_bytes=on_bytes)


def _learn_units(own: _Seen, events: Events) -> None:
    import numpy as np

    from models.market.tape import BBO, DEPTH, SNAPSHOT, TRADE

    rows = events[np.isin(events["kind"], (TRADE, DEPTH, SNAPSHOT, BBO))]
    for name, attribute in (("price", "price_unit"), ("size", "size_unit")):
        whole = np.unique(np.round(rows[name] * UNITS)).astype(np.int64)
        unit = int(np.gcd.reduce(np.append(whole, getattr(own, attribute))))
        setattr(own, attribute, unit)


def _tape(recording: Recording, symbol: str, own: _Seen, problems: tuple[str, ...]) -> Tape:
    from models.market.tape import sort_stream

    report = own.check.report()
    hours = (report.last_local_ts - report.first_local_ts) / _HOUR_NS
    slack_ns = report.largest_step_back_ns

    def chunks() -> Iterator[Events]:
        _, found = _read(recording)
        own_chunks = (events for name, events in found if name == symbol)
        yield from sort_stream(own_chunks, slack_ns) if slack_ns else own_chunks

    spot = ", spot" if recording.tape_format == "cryptofeed-spot" else ""
    market = Market(
        "recorded",
        f"{symbol}{spot} of {recording.name}",
        symbol,
        None,
        tuple(path.name for path in recording.paths),
        hours,
        problems + report.problems() + _lacks(report.counts),
    )
    return Tape(market, own.price_unit / UNITS, own.size_unit / UNITS, chunks)


def _lacks(counts: dict[str, int]) -> tuple[str, ...]:
    kinds = (
        ("snapshot", "no snapshot: the book cannot be built"),
        ("trade", "no trades"),
        ("open_interest", "no open interest"),
        ("liquidation", "no liquidation prints"),
        ("funding", "no funding settlement"),
    )
    return tuple(words for kind, words in kinds if not counts.get(kind))
