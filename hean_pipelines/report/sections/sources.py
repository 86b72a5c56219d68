"""Section: the files the page was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hean_pipelines.report.blocks import Cell, Column, Row, Section, Table
from hean_pipelines.report.text import moment

if TYPE_CHECKING:
    from hean_pipelines.report.inputs import Inputs


def build(inputs: Inputs) -> Section:
    """Return the section."""
    rows = []
    for source in inputs.sources.values():
        state = (
            Cell(source.problem, tone="bad", strength=0.3)
            if source.problem
            else Cell("read", tone="good", strength=0.3)
        )
        cells = [
            Cell(source.path),
            Cell(source.spec.shows),
            state,
            Cell(f"{source.files:,}"),
            Cell(f"{source.rows:,}"),
            Cell(moment(source.modified_ns)),
        ]
        rows.append(Row(cells))
    columns = [
        Column("file or folder", is_number=False),
        Column("what it holds", is_number=False),
        Column("state", is_number=False),
        Column("files"),
        Column("rows"),
        Column("last written", "UTC", is_number=False),
    ]
    table = Table(
        "Inputs", columns, rows, "Paths are relative to the state folder. Nothing else went into this page."
    )
    return Section("sources", "Made from these files", "", [table], "Sources")
