"""The comment block a SQL file opens with: description, grain, keys and the meaning of every column.

Two more fields may be there. `parameters` (`<name> = <value>: <meaning>`) gives values a reader may want to change; the
statement names them as `$name`. `partitions: dataset, symbol, day` says that the rows of a day's files depend on these
files alone, so that the table is made day by day. What does not belong here: the statement below the block.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import ConfigError

FIELDS = ("description", "grain", "keys", "columns")
OPTIONAL_FIELDS = ("parameters", "partitions")
PARTITION_COLUMNS = ("dataset", "symbol", "day")
_FIELD = re.compile(r"^-- (\w+):\s*(.*)$")
_COLUMN = re.compile(r"^(\w+):\s*(.+)$")
_USED = re.compile(r"\$([a-z]\w*)")
_PARAMETER = re.compile(r"^(\w+) = ([\d.]+): (.+)$")


@dataclass(frozen=True)
class Parameter:
    """A value of the header, as written, and what it means."""

    value: str
    meaning: str


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
    parameters : dict of str to Parameter
        Values the statement names as `$name`.
    is_partitioned : bool
        Whether the table is made day by day, from changed files only.

    """

    description: str
    grain: str
    keys: tuple[str, ...]
    columns: dict[str, str]
    parameters: dict[str, Parameter] = field(default_factory=dict)
    is_partitioned: bool = False


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
    is_partitioned = "partitions" in fields
    if is_partitioned:
        _check_partitions(" ".join(fields["partitions"]), columns, path)
    return Header(
        description=" ".join(" ".join(fields["description"]).split()),
        grain=" ".join(" ".join(fields["grain"]).split()),
        keys=keys,
        columns=columns,
        parameters=_parameters(fields.get("parameters", []), path),
        is_partitioned=is_partitioned,
    )


def with_parameters(sql: str, header: Header, path: Path) -> str:
    """Return the statement with the header's values in the place of `$name`.

    Raises
    ------
    ConfigError
        If a name is used that the header does not give, or given and not used.

    """
    used = set(_USED.findall(sql))
    if used != set(header.parameters):
        raise ConfigError(
            f"{path}: expected the parameters of the header ({', '.join(header.parameters) or 'none'}) in the statement, "
            f"was {', '.join(sorted(used)) or 'none'}"
        )
    return _USED.sub(lambda found: header.parameters[found[1]].value, sql)


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
        if name not in (*FIELDS, *OPTIONAL_FIELDS) or name in fields:
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


def _parameters(lines: list[str], path: Path) -> dict[str, Parameter]:
    parameters: dict[str, Parameter] = {}
    for line in filter(None, lines):
        entry = _PARAMETER.match(line)
        if not entry or entry[1] in parameters:
            raise ConfigError(f"{path}: expected '<name> = <number>: <meaning>' once each, was '{line}'")
        parameters[entry[1]] = Parameter(entry[2], entry[3])
    return parameters


def _check_partitions(text: str, columns: dict[str, str], path: Path) -> None:
    named = tuple(name.strip() for name in text.split(","))
    if named != PARTITION_COLUMNS or not set(named) <= set(columns):
        raise ConfigError(
            f"{path}: expected partitions {', '.join(PARTITION_COLUMNS)}, all among the columns, was {text}"
        )
