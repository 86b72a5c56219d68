"""Headers of SQL files: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from hean_pipelines.sql.header import parse_header
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
