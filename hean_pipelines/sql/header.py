"""The comment block a SQL file opens with: description, grain, keys and the meaning of every column.

What does not belong here: anything about the statement below the block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from models.errors import ConfigError

FIELDS = ("description", "grain", "keys", "columns")
_FIELD = re.compile(r"^-- (\w+):\s*(.*)$")
_COLUMN = re.compile(r"^(\w+):\s*(.+)$")


@dataclass(frozen=True)
class Header:
    """What a SQL file says about itself.

    Attributes
    ----------
    description : str
        What a row means and what a reader must know, one paragraph.
    grain : str
        What one row is.
    keys : tuple of str
        Columns that name a row; together unique, none null.
    columns : dict of str to str
        Unit and meaning of every column, in the order of the select.

    """

    description: str
    grain: str
    keys: tuple[str, ...]
    columns: dict[str, str]


def parse_header(text: str, path: Path) -> Header:
    """Read the header of a SQL file.

    Parameters
    ----------
    text : str
        The whole file.
    path : Path
        Where it lies, for messages.

    Raises
    ------
    ConfigError
        If a field is missing, unknown or repeated, or a key is not among the columns.

    """
    fields = _fields(text, path)
    missing = [name for name in FIELDS if not " ".join(fields.get(name, [])).strip()]
    if missing:
        raise ConfigError(
            f"{path}: expected a header with {', '.join(FIELDS)}, {', '.join(missing)} was missing",
            remedy="open the file with lines such as '-- grain: one row per symbol and settlement'",
        )
    columns = _columns(fields["columns"], path)
    keys = tuple(key.strip() for key in " ".join(fields["keys"]).split(","))
    unknown = [key for key in keys if key not in columns]
    if unknown:
        raise ConfigError(f"{path}: expected keys among the columns, {', '.join(unknown)} was not")
    return Header(
        description=" ".join(" ".join(fields["description"]).split()),
        grain=" ".join(" ".join(fields["grain"]).split()),
        keys=keys,
        columns=columns,
    )


def _fields(text: str, path: Path) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        start = _FIELD.match(line)
        if not start:
            lines.append(line[2:].strip())
            continue
        name, rest = start.groups()
        if name not in FIELDS or name in fields:
            raise ConfigError(
                f"{path}: expected each of {', '.join(FIELDS)} once in the header, was '{name}'",
                remedy="indent continuation lines by three spaces",
            )
        lines = fields[name] = [rest.strip()]
    return fields


def _columns(lines: list[str], path: Path) -> dict[str, str]:
    columns: dict[str, str] = {}
    for line in filter(None, lines):
        entry = _COLUMN.match(line)
        if not entry or entry[1] in columns:
            raise ConfigError(f"{path}: expected '<column>: <unit or meaning>' once per column, was '{line}'")
        columns[entry[1]] = entry[2]
    return columns
