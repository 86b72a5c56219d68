"""Markouts of live fills on the page: a table, or in words why there is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hean_pipelines.report.blocks import Missing, Note, Table
from hean_pipelines.report.inputs import load_inputs
from hean_pipelines.report.sections.markouts import markouts


def blocks(home: Path, body: dict[str, Any] | None) -> list[Any]:
    lake = home / "lake"
    if body is not None:
        path = lake / "learning" / "markouts.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(body), encoding="utf-8")
    return markouts(load_inputs(home, lake))


def test_what_was_measured_is_shown(tmp_path: Path) -> None:
    mean = {"value": -1.234, "low": -2.0, "high": -0.5, "n": 40}
    body = {
        "fills": 40,
        "elsewhere": 0,
        "verdict": "toxic",
        "horizons_s": [0.5, 120.0],
        "groups": [{"group": "maker", "fills": 40, "means": [mean, None]}],
    }
    (table,) = blocks(tmp_path, body)
    assert isinstance(table, Table)
    assert [column.label for column in table.columns] == ["fills of", "number", "after 0.5 s", "after 120 s"]
    cells = table.rows[0].cells
    assert cells[2].text == "\u22121.23"
    assert cells[2].detail == ("\u22122.00 to \u22120.50",)
    assert "toxic, the mid moves against maker fills" in table.caption


def test_why_there_is_none_is_said(tmp_path: Path) -> None:
    assert blocks(tmp_path / "a", None) == []
    empty = {"fills": 0, "elsewhere": 3, "verdict": "unknown", "horizons_s": [], "groups": []}
    (note,) = blocks(tmp_path / "b", empty)
    assert isinstance(note, Note)
    assert "3 fills of a venue" in note.text
    (missing,) = blocks(tmp_path / "c", {"fills": 0})
    assert isinstance(missing, Missing)
