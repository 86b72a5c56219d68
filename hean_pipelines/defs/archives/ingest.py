"""Bring published files into the lake: fetched ahead, checked, stored day by day, each day whole.

No Dagster here. Memory holds one file's rows and the next file on disk, however long the range. A day whose file has not
changed since it was stored is not fetched again: beside the day's rows lies what they came from.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hean_pipelines.defs.archives.findings import NS_PER_DAY, Findings, inspect
from hean_pipelines.defs.archives.in_order import store_in_order
from hean_pipelines.defs.archives.specs import Archive
from hean_pipelines.defs.market_data.ingest import midnight_ns
from hean_pipelines.defs.market_data.progress import Progress, announce
from hean_pipelines.quality.two_sources import difference
from hean_pipelines.resources.lake import DiskFull, Lake
from hean_pipelines.sources.archives import ArchiveFetcher, NotPublished, Source, read_source
from hean_pipelines.sources.http import RequestsBanned
from models.errors import HeanError

if TYPE_CHECKING:
    import polars as pl

_log = logging.getLogger(__name__)
NOTE = "source.json"


@dataclass
class ArchiveReport:
    """What one ingestion did. Days are written as ``SYMBOL 2025-01-31``."""

    dataset: str
    files: int = 0
    unchanged: int = 0
    bytes: int = 0
    days_written: int = 0
    unverified: int = 0
    findings: Findings = field(default_factory=Findings)
    not_published: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    differs_from_rest: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    fetch_s: float = 0.0
    stream_s: float = 0.0
    parse_s: float = 0.0
    check_s: float = 0.0
    write_s: float = 0.0


@dataclass(frozen=True)
class Piece:
    """One file: a symbol and the days it covers, both ends included."""

    symbol: str
    first: date
    last: date

    @property
    def name(self) -> str:
        """How it is called in reports."""
        return f"{self.symbol} {self.first}"


def ingest_archives(
    spec: Archive,
    fetcher: ArchiveFetcher,
    lake: Lake,
    symbols: Sequence[str],
    first: date,
    last: date,
    *,
    keep_files: bool = False,
) -> ArchiveReport:
    """Fetch, check and store the files that hold days `first` to `last` of `symbols`.

    Parameters
    ----------
    spec : Archive
    fetcher : ArchiveFetcher
    lake : Lake
    symbols : sequence of str
    first, last : date
        Both included; of a monthly file the whole month is stored.
    keep_files : bool
        Leave the files on disk after their rows are stored.

    Returns
    -------
    ArchiveReport
        A file's failure is in it and does not stop the others.

    Raises
    ------
    RequestsBanned, DiskFull
        At once: every file would fail the same way. Days stored so far stay.

    """
    started = time.perf_counter()
    report = ArchiveReport(spec.dataset.name)
    pieces = list(split(spec, symbols, first, last))
    with ThreadPoolExecutor(1, thread_name_prefix=spec.dataset.name) as pool:
        ahead: Future[tuple[Path, Source] | None] | None = None
        for done, piece in enumerate(pieces, start=1):
            current = ahead or pool.submit(_fetch, spec, fetcher, lake, piece)
            # The next file comes while this one is worked up.
            ahead = pool.submit(_fetch, spec, fetcher, lake, pieces[done]) if done < len(pieces) else None
            try:
                _take(spec, lake, piece, current, report, keep_files=keep_files)
            except (RequestsBanned, DiskFull):
                if ahead is not None:
                    ahead.cancel()
                raise
            announce(Progress(report.dataset, done, len(pieces), report.findings.rows))
    report.seconds = time.perf_counter() - started
    return report


def split(spec: Archive, symbols: Sequence[str], first: date, last: date) -> Iterator[Piece]:
    """Yield the files of a range, oldest first, symbol by symbol."""
    low, high = max(first, spec.first_day or first), min(last, spec.last_day or last)
    for symbol in symbols:
        day = low
        while day <= high:
            if spec.period == "day":
                yield Piece(symbol, day, day)
                day += timedelta(1)
            else:
                month = day.replace(day=1)
                day = (month + timedelta(32)).replace(day=1)
                yield Piece(symbol, month, day - timedelta(1))


def _fetch(spec: Archive, fetcher: ArchiveFetcher, lake: Lake, piece: Piece) -> tuple[Path, Source] | None:
    url = spec.url(piece.symbol, piece.first)
    known = read_source(_note(spec, lake, piece.symbol, piece.first))
    if known is not None and known.url != url:
        known = None
    return fetcher.fetch(url, checksum_url=url + spec.checksum if spec.checksum else None, known=known)


def _take(
    spec: Archive,
    lake: Lake,
    piece: Piece,
    future: Future[tuple[Path, Source] | None],
    report: ArchiveReport,
    *,
    keep_files: bool,
) -> None:
    begun = time.perf_counter()
    try:
        fetched = future.result()
        report.fetch_s += time.perf_counter() - begun
        if fetched is None:
            report.unchanged += 1
            return
        path, source = fetched
        _store(spec, lake, piece, path, source, report)
        if not keep_files:
            path.unlink()
    except NotPublished:
        report.not_published.append(piece.name)
    except (RequestsBanned, DiskFull):
        raise
    except HeanError as error:
        _log.error("%s of %s: %s", report.dataset, piece.name, error)
        report.failed[piece.name] = f"{error} {error.remedy}".strip()


def _store(
    spec: Archive, lake: Lake, piece: Piece, path: Path, source: Source, report: ArchiveReport
) -> None:
    bounds = midnight_ns(piece.first), midnight_ns(piece.last) + NS_PER_DAY
    findings: Findings | None = None
    if spec.batches is not None:
        begun = time.perf_counter()
        batches = spec.batches(path, piece.symbol)
        findings = store_in_order(batches, spec.dataset, lake, piece.symbol, piece.first, bounds, path.name)
        report.stream_s += time.perf_counter() - begun
        report.days_written += 0 if findings is None or not findings.rows else 1
    if findings is None:
        findings = _store_whole(spec, lake, piece, path, bounds, report)
    # After the rows: a note without rows would keep them from ever being fetched.
    note = _note(spec, lake, piece.symbol, piece.first)
    note.parent.mkdir(parents=True, exist_ok=True)
    fresh = note.with_name(f".{NOTE}.new")
    fresh.write_text(source.to_json() + "\n", encoding="utf-8")
    fresh.replace(note)
    report.files += 1
    report.bytes += source.size
    report.unverified += not source.verified
    report.findings.add(findings)


def _store_whole(
    spec: Archive, lake: Lake, piece: Piece, path: Path, bounds_ns: tuple[int, int], report: ArchiveReport
) -> Findings:
    """Hold the whole file's rows, put them right and store them day by day."""
    begun = time.perf_counter()
    frame = spec.parse(path, piece.symbol)
    parsed = time.perf_counter()
    frame, findings = inspect(frame, spec.dataset, *bounds_ns, path.name)
    checked = time.perf_counter()
    times = frame.get_column(spec.dataset.time)
    for offset in range((piece.last - piece.first).days + 1):
        day = piece.first + timedelta(offset)
        midnight = midnight_ns(day)
        low, high = times.search_sorted(midnight), times.search_sorted(midnight + NS_PER_DAY)
        if high > low:
            rows = frame.slice(low, high - low)
            _compare_with_rest(spec, lake, piece.symbol, day, rows, report)
            lake.write_partition(spec.dataset.name, piece.symbol, day, rows, is_distinct=True)
            report.days_written += 1
    report.parse_s += parsed - begun
    report.check_s += checked - parsed
    report.write_s += time.perf_counter() - checked
    return findings


def _compare_with_rest(
    spec: Archive, lake: Lake, symbol: str, day: date, rows: pl.DataFrame, report: ArchiveReport
) -> None:
    """Note how a day that REST told before differs from what its file says; the file then takes its place."""
    month = day.replace(day=1) if spec.period == "month" else day
    if _note(spec, lake, symbol, month).exists():
        return  # what is there came from a file
    rest = lake.read_partition(spec.dataset.name, symbol, day)
    words = difference(rest, rows, spec.dataset).words if rest.height else ""
    if words:
        report.differs_from_rest[f"{symbol} {day}"] = words
        _log.warning("%s of %s %s: file and REST differ: %s", spec.dataset.name, symbol, day, words)


def _note(spec: Archive, lake: Lake, symbol: str, day: date) -> Path:
    return lake.partition_path(spec.dataset.name, symbol, day).with_name(NOTE)
