"""A history of another venue for a range: published files first, REST for the days they do not hold. No Dagster here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from hean_pipelines.defs.archives.ingest import ArchiveReport, ingest_archives
from hean_pipelines.defs.archives.specs import Archive
from hean_pipelines.defs.market_data.ingest import Report, ingest_history
from hean_pipelines.defs.other_venues.clients import names_on
from hean_pipelines.defs.other_venues.specs import VenueHistory
from hean_pipelines.resources.lake import Lake
from hean_pipelines.sources.archives import ArchiveFetcher


@dataclass
class VenueReport:
    """What came from files (None where the dataset has none), what from REST, range by range, and which symbols are absent."""

    files: ArchiveReport | None = None
    rest: list[Report] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> dict[str, str]:
        """Failures of both."""
        found = dict(self.files.failed) if self.files else {}
        for report in self.rest:
            found |= report.failed
        return found


def ingest_venue(
    spec: VenueHistory,
    client: Any,
    lake: Lake,
    symbols: Sequence[str],
    first: date,
    last: date,
    *,
    archive: tuple[Archive, ArchiveFetcher] | None = None,
    connections: int = 2,
) -> VenueReport:
    """Bring days `first` to `last` of `symbols` (Bybit's names) into the lake.

    A day that a published file holds is not asked for by REST. Days of the venue's future hold nothing.

    Raises
    ------
    RequestsBanned, DiskFull
        As the two ingestions raise them.

    """
    report = VenueReport()
    names, report.absent = names_on(spec.venue, symbols, spec.listed(client))  # type: ignore[arg-type]
    wanted = list(names.values())
    if archive is not None and wanted:
        report.files = ingest_archives(archive[0], archive[1], lake, wanted, first, last)
    for low, high in missing_ranges(
        lake, spec.history.dataset.name, wanted, first, last, files=archive is not None
    ):
        report.rest.append(
            ingest_history(spec.history, client, lake, wanted, low, high, connections=connections)
        )
    return report


def missing_ranges(
    lake: Lake, dataset: str, symbols: Sequence[str], first: date, last: date, *, files: bool
) -> list[tuple[date, date]]:
    """Return the stretches of days that not every symbol has from a file; the whole range without files."""
    if not symbols:
        return []
    if not files:
        return [(first, last)]
    ranges: list[tuple[date, date]] = []
    for offset in range((last - first).days + 1):
        day = first + timedelta(offset)
        if all(_from_file(lake, dataset, symbol, day) for symbol in symbols):
            continue
        if ranges and ranges[-1][1] == day - timedelta(1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges


def _from_file(lake: Lake, dataset: str, symbol: str, day: date) -> bool:
    path = lake.partition_path(dataset, symbol, day)
    # A monthly file leaves its note with the first of the month.
    notes = (
        path.with_name("source.json"),
        lake.partition_path(dataset, symbol, day.replace(day=1)).with_name("source.json"),
    )
    return path.is_file() and any(note.is_file() for note in notes)
