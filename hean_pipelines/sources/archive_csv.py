"""A published file as the table it holds: plain, gzip or zip; with or without its header; whole or batch by batch.

Polars unpacks gzip beside its parsing, several times faster than Python's own zlib; the only member of a zip is the same deflate
stream and is handed over as gzip. Both check the length and the CRC. What does not belong here: what the columns mean.
"""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from models.errors import DataError

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["f64", "i64", "str"]
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


def read_table(path: Path, documented: str, kinds: Mapping[str, Kind], wanted: Sequence[str]) -> pl.DataFrame:
    """Return the wanted columns of a file that may lack its header, or have columns added at the end.

    Parameters
    ----------
    path : Path
    documented : str
        The header as the venue documents it, names parted by blanks.
    kinds : mapping of str to Kind
        Types of columns; without one it follows from the first 10,000 rows.
    wanted : sequence of str
        Columns, in the order they are returned.

    Raises
    ------
    DataError
        When the file is damaged, or is not such a table.

    """
    with _told_plainly(path, documented):
        return _lazily(path, documented, kinds, wanted).collect()


def table_batches(
    path: Path, documented: str, kinds: Mapping[str, Kind], wanted: Sequence[str], rows: int
) -> Iterator[pl.DataFrame]:
    """Yield the same table in batches of `rows` rows, the last one smaller; the next are parsed while one is worked on.

    Raises
    ------
    DataError
        As `read_table`; possibly after some batches.

    """
    with _told_plainly(path, documented):
        table = _lazily(path, documented, kinds, wanted)
        yield from table.collect_batches(maintain_order=True, chunk_size=rows)


def _lazily(path: Path, documented: str, kinds: Mapping[str, Kind], wanted: Sequence[str]) -> pl.LazyFrame:
    import polars as pl

    header = documented.split()
    first = [cell.strip().strip('"') for cell in _first_line(path).split(",")]
    has_header = first[0] == header[0]
    names = first if has_header else header[: len(first)]
    if any(name not in names for name in wanted):
        raise DataError(
            f"{path.name}: expected columns {', '.join(wanted)}, was {', '.join(first)[:200]}",
            remedy="the venue may have changed its format: compare the file with its documentation",
        )
    content = _content(path)
    heads = pl.scan_csv(content, has_header=has_header, infer_schema_length=1).collect_schema().names()
    columns = {heads[names.index(name)]: name for name in wanted}
    types = {"f64": pl.Float64, "i64": pl.Int64, "str": pl.String}
    # Types told beforehand: a size that is whole for ten thousand rows would be taken for an integer, and the next one refused.
    known = {column: types[kinds[name]] for column, name in columns.items() if name in kinds}
    table = pl.scan_csv(content, has_header=has_header, schema_overrides=known, infer_schema_length=10_000)
    return table.select(pl.col(column).alias(name) for column, name in columns.items())


@contextmanager
def _told_plainly(path: Path, documented: str) -> Iterator[None]:
    """Say of any way a file can be unreadable which file it is and what was expected."""
    import polars as pl

    try:
        yield
    except (OSError, EOFError, UnicodeDecodeError, zlib.error, zipfile.BadZipFile, struct.error) as error:
        raise DataError(
            f"{path.name}: expected a whole file, was damaged: {str(error)[:200]}",
            remedy="delete it and fetch it again",
        ) from None
    except pl.exceptions.PolarsError as error:
        raise DataError(
            f"{path.name}: expected a table of {', '.join(documented.split())}, was unreadable: {str(error)[:200]}",
            remedy="delete the file and fetch it again",
        ) from None


def _first_line(path: Path) -> str:
    magic = _magic(path)
    opened: IO[bytes]
    if magic == _ZIP:
        with zipfile.ZipFile(path) as archive, archive.open(_only_member(archive, path)) as opened:
            return opened.readline().decode().strip()
    with gzip.open(path) if magic[:2] == _GZIP else path.open("rb") as opened:
        return opened.readline().decode().strip()


def _content(path: Path) -> Path | bytes:
    """Return what Polars unpacks itself."""
    if _magic(path) != _ZIP:
        return path
    with zipfile.ZipFile(path) as archive:
        member = _only_member(archive, path)
        if member.compress_type != zipfile.ZIP_DEFLATED:
            return archive.read(member)
    with path.open("rb") as file:
        # A member's header is 30 bytes, its last two numbers the lengths of name and extra field that follow it.
        file.seek(member.header_offset + 26)
        name, extra = struct.unpack("<HH", file.read(4))
        file.seek(name + extra, 1)
        deflated = file.read(member.compress_size)
    head = _GZIP + b"\x08" + bytes(6) + b"\xff"
    return head + deflated + struct.pack("<II", member.CRC, member.file_size & 0xFFFFFFFF)


def _only_member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    members = [info for info in archive.infolist() if not info.is_dir()]
    if len(members) != 1:
        raise DataError(f"{path.name}: expected an archive of one file, was {len(members)}")
    return members[0]


def _magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)
