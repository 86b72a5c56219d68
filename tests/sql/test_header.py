"""Headers of SQL files: what is read, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hean_pipelines.sql.header import Parameter, parse_header, with_parameters
from models.errors import ConfigError

GOOD = """-- description: First line,
--   second line.
-- grain: one row per k
-- keys: k, t
-- columns:
--   k: name
--   t: ns UTC; note: with a colon
select 1
-- keys: not read, below the header
"""
PATH = Path("x.sql")


def test_header_is_read():
    header = parse_header(GOOD, PATH)
    assert header.description == "First line, second line."
    assert header.grain == "one row per k"
    assert header.keys == ("k", "t")
    assert header.columns == {"k": "name", "t": "ns UTC; note: with a colon"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("-- grain: one row per k\n", "", "grain was missing"),
        ("-- grain: one row per k\n", "-- grain:\n", "grain was missing"),
        ("-- grain:", "-- grian:", "was 'grian'"),
        ("-- grain: one row per k\n", "-- grain: a\n-- grain: b\n", "was 'grain'"),
        ("-- keys: k, t", "-- keys: k, z", "expected keys among the columns, z was not"),
        ("--   k: name", "--   k", "expected '<column>: <unit or meaning>'"),
        ("--   t: ns UTC; note: with a colon", "--   k: again", "expected '<column>: <unit or meaning>'"),
    ],
)
def test_faulty_headers_are_refused(old: str, new: str, message: str):
    with pytest.raises(ConfigError, match=message) as caught:
        parse_header(GOOD.replace(old, new), PATH)
    assert "x.sql" in str(caught.value)


PARTED = """-- description: d
-- grain: g
-- keys: dataset, symbol, day
-- partitions: dataset, symbol, day
-- parameters:
--   size = 2.5: USD of a bar
--   most = 10: bars
-- columns:
--   dataset: d
--   symbol: s
--   day: days since 1970-01-01 UTC
select $size, $most
"""


def test_parameters_are_put_into_the_statement():
    header = parse_header(PARTED, PATH)
    assert header.is_partitioned
    assert header.parameters == {"size": Parameter("2.5", "USD of a bar"), "most": Parameter("10", "bars")}
    assert with_parameters(PARTED, header, PATH).endswith("select 2.5, 10\n")
    assert not parse_header(GOOD, PATH).is_partitioned


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("$most", "1", "expected the parameters of the header"),
        ("$most", "$other", "was other, size"),
        ("--   most = 10: bars", "--   most: bars", "expected '<name> = <number>: <meaning>'"),
        ("--   most = 10: bars", "--   most = x: bars", "expected '<name> = <number>: <meaning>'"),
        (
            "partitions: dataset, symbol, day",
            "partitions: symbol, day",
            "expected partitions dataset, symbol, day",
        ),
    ],
)
def test_faulty_parameters_and_partitions_are_refused(old: str, new: str, message: str):
    text = PARTED.replace(old, new)
    with pytest.raises(ConfigError, match=re.escape(message)):
        with_parameters(text, parse_header(text, PATH), PATH)
