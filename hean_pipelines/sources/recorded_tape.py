"""The executor's recordings as days: which segments belong to a day, whether they are whole, and their events.

A segment is a file of raw messages and an index beside it (`docs/recorder.md`); only closed ones have an index. Segments
end at midnight UTC, and a day begins with snapshots, so days are read by themselves. What does not belong here: the
lake, assets.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hean_pipelines.sources.tape_files import BLOCK_BYTES, read_tape_files
from models.errors import DataError
from models.market.readers.blocks import Chunk
from models.market.readers.bybit import BybitReader

FORMAT = "hean-tape-1"
_NS_PER_DAY = 86_400_000_000_000


@dataclass(frozen=True)
class Segment:
    """A closed segment: its file and what its index says."""

    path: Path
    first_ns: int
    last_ns: int
    messages: int
    sha256: str
    dropped: int
    recovered: bool


def segments_of(folder: Path, day: date) -> list[Segment]:
    """Return the closed segments of a day, in the order they were recorded.

    Raises
    ------
    DataError
        When an index is unreadable, of another format, or its segment absent.

    """
    start = (day - date(1970, 1, 1)).days * _NS_PER_DAY
    found = [_load(path) for path in sorted(folder.glob("*.json"))]
    return sorted(
        (one for one in found if start <= one.first_ns < start + _NS_PER_DAY), key=lambda one: one.first_ns
    )


def days_recorded(folder: Path) -> list[date]:
    """Return the days with closed segments, ascending."""
    days = {_load(path).first_ns // _NS_PER_DAY for path in folder.glob("*.json")}
    return [date.fromordinal(date(1970, 1, 1).toordinal() + day) for day in sorted(days)]


def damaged(segments: Sequence[Segment]) -> list[str]:
    """Return the names of segments whose bytes are not those their index vouches for."""
    return [one.path.name for one in segments if _sha256(one.path) != one.sha256]


def read_segments(segments: Sequence[Segment], reader: BybitReader) -> Iterator[Chunk]:
    """Read segments as one recording; `reader.stats` afterwards says what could not be used."""
    yield from read_tape_files([one.path for one in segments], "bybit", reader)


def _load(path: Path) -> Segment:
    try:
        index = json.loads(path.read_text())
        if index["format"] != FORMAT:
            raise DataError(f"{path.name}: expected a tape of {FORMAT}, was {index['format']}")
        segment = Segment(
            path.with_name(index["file"]),
            int(index["first_ns"]),
            int(index["last_ns"]),
            int(index["messages"]),
            str(index["sha256"]),
            int(index["dropped"]),
            bool(index["recovered"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path.name}: expected the index of a tape segment, was not: {error}") from error
    if not segment.path.is_file():
        raise DataError(f"{path.name}: expected its segment {segment.path.name} beside it, was absent")
    return segment


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
