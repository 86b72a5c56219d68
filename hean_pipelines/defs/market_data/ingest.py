"""Bring one dataset's range into the lake: fetched in parts, split into days, each day replaced whole.

No Dagster here: the assets wrap it, tests and commands call it. What stays in memory is one part (a month of one
symbol) per connection, however long the range.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from hean_pipelines.defs.market_data.progress import Progress, announce
from hean_pipelines.defs.market_data.specs import History
from hean_pipelines.resources.lake import DiskFull, Lake, schema_of
from hean_pipelines.sources.http import PoliteHttp, RequestsBanned
from hean_pipelines.sources.ranges import NS_PER_DAY, NS_PER_S
from models.errors import HeanError, SkipSymbol

if TYPE_CHECKING:
    import polars as pl

_log = logging.getLogger(__name__)


class HistoryClient(Protocol):
    """What an ingestion needs of any venue's client."""

    http: PoliteHttp

    def market_time_ns(self, symbol: str) -> int:
        """Return the venue's clock, ns."""


@dataclass
class Report:
    """What one ingestion did; `failed` symbols make the run fail, `skipped` ones do not."""

    dataset: str
    rows: dict[str, int] = field(default_factory=dict)
    days_written: int = 0
    days_kept: int = 0
    skipped: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    without_history: list[str] = field(default_factory=list)
    venue_now_ns: int = 0
    requests: int = 0
    retries: int = 0
    seconds: float = 0.0
    network_s: float = 0.0
    parse_s: float = 0.0
    write_s: float = 0.0


@dataclass(frozen=True)
class Part:
    """A stretch of one symbol, [start_ns, end_ns), that is fetched at once."""

    symbol: str
    start_ns: int
    end_ns: int


def ingest_history(
    spec: History,
    client: HistoryClient,
    lake: Lake,
    symbols: Sequence[str],
    first: date,
    last: date,
    *,
    connections: int = 4,
    now_ns: int | None = None,
) -> Report:
    """Fetch days `first` to `last` (both included) of `symbols` and replace their partitions.

    Only rows already known at the venue's market time are stored, so days in its future hold nothing and the
    running bar waits until it is closed. A day for which the venue gives no rows keeps the file it has. `now_ns` stands in for
    the time of a source that tells none.

    Returns
    -------
    Report
        A symbol's failure is in it and does not stop the others.

    Raises
    ------
    RequestsBanned, DiskFull
        At once: every symbol would fail the same way. Partitions written so far stay, each one whole.

    """
    started = time.perf_counter()
    before = (client.http.traffic.requests, client.http.traffic.retries)
    asked_ns = client.market_time_ns(symbols[0]) if now_ns is None else now_ns
    work = _Work(spec, client, lake, Report(spec.dataset.name), asked_ns)
    parts = split_range(symbols, first, last, work.report.venue_now_ns, spec.part_days)
    in_future = not parts
    _run_parts(work, parts, connections)
    report = work.report
    troubled = report.failed.keys() | report.skipped.keys()
    if not in_future:
        report.without_history = [s for s in symbols if not report.rows.get(s) and s not in troubled]
    report.requests = client.http.traffic.requests - before[0]
    report.retries = client.http.traffic.retries - before[1]
    report.seconds = time.perf_counter() - started
    return report


def split_range(symbols: Sequence[str], first: date, last: date, now_ns: int, part_days: int) -> list[Part]:
    """Cut days `first` to `last` into parts, oldest first, nothing after `now_ns`."""
    step = part_days * NS_PER_DAY
    start, end = midnight_ns(first), min(midnight_ns(last) + NS_PER_DAY, now_ns + 1)
    return [
        Part(symbol, at, min(at + step, end))
        for at in range(start, max(start, end), step)
        for symbol in symbols
    ]


def midnight_ns(day: date) -> int:
    """Return the first nanosecond of a day, UTC."""
    return (day - date(1970, 1, 1)).days * NS_PER_DAY


def day_of(at_ns: int) -> date:
    """Return the UTC day of an instant."""
    return datetime.fromtimestamp(at_ns // NS_PER_S, UTC).date()


def build_frame(spec: History, symbol: str, columns: NamedTuple, now_ns: int) -> pl.DataFrame:
    """Return the dataset's rows that were known at `now_ns`, in its declared columns."""
    import polars as pl

    dataset = spec.dataset
    values = columns._asdict()
    values["symbol"] = pl.repeat(symbol, len(columns[0]), eager=True)
    values["available_at"] = columns[0] + dataset.available_after_s * NS_PER_S
    schema = schema_of(dataset)
    frame = pl.DataFrame({name: values[name] for name in schema}, schema=schema)
    return frame.filter(pl.col("available_at") <= now_ns)


class _Work:
    """One ingestion under way, shared by its threads."""

    def __init__(self, spec: History, client: HistoryClient, lake: Lake, report: Report, now_ns: int) -> None:
        self.spec, self.client, self.lake, self.report = spec, client, lake, report
        self.report.venue_now_ns = now_ns
        self.lock = threading.Lock()

    def do(self, part: Part) -> None:
        """Fetch and store one part; failures of the symbol go to the report, failures of everything are raised."""
        report, symbol = self.report, part.symbol
        if symbol in report.skipped or symbol in report.failed:
            return
        try:
            started = time.perf_counter()
            columns = self.spec.fetch(self.client, symbol, part.start_ns, part.end_ns)
            frame = build_frame(self.spec, symbol, columns, report.venue_now_ns)
            fetched = time.perf_counter()
            days, kept = self._store(part, frame)
            stored = time.perf_counter()
        except SkipSymbol as error:
            report.skipped[symbol] = str(error)
            return
        except (RequestsBanned, DiskFull):
            raise
        except HeanError as error:
            _log.error("%s of %s: %s", report.dataset, symbol, error)
            report.failed[symbol] = f"{error} {error.remedy}".strip()
            return
        with self.lock:
            report.rows[symbol] = report.rows.get(symbol, 0) + frame.height
            report.days_written += days
            report.days_kept += kept
            report.parse_s += fetched - started  # the network's share is taken off at the end
            report.write_s += stored - fetched

    def _store(self, part: Part, frame: pl.DataFrame) -> tuple[int, int]:
        name, written, kept = self.spec.dataset.name, 0, 0
        times = frame.get_column(self.spec.dataset.time).to_numpy()
        for start in range(part.start_ns, part.end_ns, NS_PER_DAY):
            low, high = times.searchsorted([start, start + NS_PER_DAY])
            day = day_of(start)
            if high > low:
                self.lake.write_partition(name, part.symbol, day, frame[int(low) : int(high)])
                written += 1
            elif self.lake.partition_path(name, part.symbol, day).is_file():
                kept += 1
        return written, kept


def _run_parts(work: _Work, parts: Sequence[Part], connections: int) -> None:
    traffic = work.client.http.traffic
    network_s, waiting_s = traffic.network_s, traffic.waiting_s
    pool = ThreadPoolExecutor(max_workers=connections, thread_name_prefix=work.report.dataset)
    try:
        pending = [pool.submit(work.do, part) for part in parts]
        for done, future in enumerate(as_completed(pending), start=1):
            future.result()
            announce(Progress(work.report.dataset, done, len(parts), sum(work.report.rows.values())))
    finally:
        # After a failure nothing more is started; what is under way ends by itself, each file whole.
        pool.shutdown(wait=True, cancel_futures=True)
    work.report.network_s = traffic.network_s - network_s
    spent = work.report.network_s + traffic.waiting_s - waiting_s
    work.report.parse_s = max(0.0, work.report.parse_s - spent)
