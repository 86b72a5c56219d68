"""Bybit's daily order-book files, as tape events, in bounded memory.

One JSON message a line; the depth published was 500 levels until 2025-08-20 and is 200 since. A file ends with a snapshot
stamped just after midnight: it is the next day's and is left out. Messages carry no receive time, so the venue's own stands for
both. What is odd is counted.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hean_pipelines.defs.archives.findings import NS_PER_DAY, Findings
from hean_pipelines.defs.archives.ingest import NOTE, ArchiveReport
from hean_pipelines.defs.market_data.ingest import midnight_ns
from hean_pipelines.defs.market_data.progress import Progress, announce
from hean_pipelines.resources.lake import DiskFull, Lake, schema_of
from hean_pipelines.resources.lake_schemas import DATASETS
from hean_pipelines.resources.lake_stream import open_partition
from hean_pipelines.sources.archives import ArchiveFetcher, NotPublished, Source, read_source
from hean_pipelines.sources.http import RequestsBanned
from models.errors import DataError, HeanError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

DATASET = "raw_bybit__book_events"
_LAST_OF_500 = date(2025, 8, 20)


def book_url(base: str, symbol: str, day: date) -> str:
    """Return the address of a day's file."""
    depth = 500 if day <= _LAST_OF_500 else 200
    return f"{base}/orderbook/linear/{symbol}/{day:%Y-%m-%d}_{symbol}_ob{depth}.data.zip"


def ingest_books(
    base: str,
    fetcher: ArchiveFetcher,
    lake: Lake,
    symbols: Sequence[str],
    first: date,
    last: date,
    *,
    keep_files: bool = False,
) -> ArchiveReport:
    """Fetch and store the book files of days `first` to `last`.

    Returns
    -------
    ArchiveReport
        A file's failure is in it and does not stop the others.

    Raises
    ------
    RequestsBanned, DiskFull
        At once; days stored so far stay.

    """
    started = time.perf_counter()
    report = ArchiveReport(DATASET)
    days = [(symbol, first + timedelta(i)) for symbol in symbols for i in range((last - first).days + 1)]
    for done, (symbol, day) in enumerate(days, start=1):
        url = book_url(base, symbol, day)
        note = lake.partition_path(DATASET, symbol, day).with_name(NOTE)
        known = read_source(note)
        try:
            begun = time.perf_counter()
            fetched = fetcher.fetch(url, known=known if known is not None and known.url == url else None)
            report.fetch_s += time.perf_counter() - begun
            if fetched is None:
                report.unchanged += 1
            else:
                _take(lake, symbol, day, fetched, note, report)
                if not keep_files:
                    fetched[0].unlink()
        except NotPublished:
            report.not_published.append(f"{symbol} {day}")
        except (RequestsBanned, DiskFull):
            raise
        except HeanError as error:
            report.failed[f"{symbol} {day}"] = f"{error} {error.remedy}".strip()
        announce(Progress(DATASET, done, len(days), report.findings.rows))
    report.seconds = time.perf_counter() - started
    return report


def _take(
    lake: Lake, symbol: str, day: date, fetched: tuple[Path, Source], note: Path, report: ArchiveReport
) -> None:
    begun = time.perf_counter()
    path, source = fetched
    found = Findings()
    with open_partition(lake, DATASET, symbol, day) as stream:
        for frame in book_frames(path, symbol, day, found):
            stream.add(frame)
    if not found.rows:
        raise DataError(f"{path.name}: expected book messages of {day}, was none")
    report.days_written += 1
    report.files += 1
    report.bytes += source.size
    report.unverified += not source.verified
    report.findings.add(found)
    report.parse_s += time.perf_counter() - begun
    note.write_text(source.to_json() + "\n", encoding="utf-8")


def book_frames(path: Path, symbol: str, day: date, found: Findings) -> Iterator[pl.DataFrame]:
    """Yield the events of one file as frames of the dataset, those of its own day only.

    Parameters
    ----------
    path : Path
        A file as published.
    symbol : str
    day : date
    found : Findings
        Counts what was odd: events of another day or out of order, gaps and repeats in the venue's numbering, unreadable lines.

    """
    from hean_pipelines.sources.tape_files import read_tape_files, tape_reader

    reader = tape_reader("bybit-order-book")
    start, end = midnight_ns(day), midnight_ns(day) + NS_PER_DAY
    sequence, last_ns = 0, start
    for chunk in read_tape_files([path], "bybit-order-book", reader):
        if chunk.symbol != symbol:
            raise DataError(f"{path.name}: expected messages of {symbol}, was {chunk.symbol}")
        events = chunk.events
        inside = (events["exch_ts"] >= start) & (events["exch_ts"] < end)
        found.outside_day += int((~inside).sum())
        kept = events[inside]
        if not len(kept):
            continue
        found.out_of_order += int((kept["exch_ts"][1:] < kept["exch_ts"][:-1]).sum()) + int(
            kept["exch_ts"][0] < last_ns
        )
        last_ns = int(kept["exch_ts"][-1])
        found.rows += len(kept)
        yield _frame(kept, symbol, sequence)
        sequence += len(kept)
    found.holes += reader.stats.gaps
    found.repeated += reader.stats.duplicates
    found.blanks += reader.stats.malformed


def _frame(events: np.ndarray, symbol: str, first_sequence: int) -> pl.DataFrame:
    import polars as pl

    exch = events["exch_ts"]
    return pl.DataFrame(
        {
            "local_ts": events["local_ts"],
            "exch_ts": exch,
            "symbol": pl.repeat(symbol, len(events), eager=True),
            "kind": events["kind"].astype("i8"),
            "side": events["side"].astype("i8"),
            "price": events["price"],
            "size": events["size"],
            "seq": pl.int_range(first_sequence, first_sequence + len(events), eager=True),
            "available_at": exch,
        },
        schema=schema_of(DATASETS[DATASET]),
    )
