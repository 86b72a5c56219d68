"""`docs/systems.md` names every system, and everything it names exists."""

from __future__ import annotations

import re

import pytest

from tests.support import ROOT

COUNTS = {"D": 15, "F": 16, "M": 5, "E": 7, "S": 19, "G": 13, "P": 5, "X": 5, "R": 4, "L": 5, "O": 6}
STATES = ("works", "partly", "not yet")


def rows() -> list[list[str]]:
    lines = (ROOT / "docs/systems.md").read_text(encoding="utf-8").splitlines()
    table = [line.strip("|").split("|") for line in lines if re.match(r"\| [A-Z]\d+ \|", line)]
    return [[cell.strip() for cell in row] for row in table]


def test_every_system_has_one_line() -> None:
    expected = [f"{letter}{number}" for letter, count in COUNTS.items() for number in range(1, count + 1)]
    assert sorted(row[0] for row in rows()) == sorted(expected)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_what_a_line_names_exists(row: list[str]) -> None:
    _, _, where, test, state = row
    assert state.startswith(STATES), f"state should begin with one of {STATES}, was {state!r}"
    for path in re.findall(r"`([^`]+)`", where + test):
        assert (ROOT / path).exists(), f"{path} does not exist"
    if not state.startswith("not yet"):
        assert "`" in where, "a system that works says where it lives"
        assert "`tests/" in test, "a system that works has a test"
    if state.startswith("partly"):
        assert ":" in state, "partly says what is missing"
