"""Part of the section on trades: how far the mid moved after live fills (X4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hean_pipelines.report.blocks import Block, Cell, Column, Note, Row, Table
from hean_pipelines.report.text import ABSENT, number, plural

if TYPE_CHECKING:
    from hean_pipelines.report.inputs import Inputs

_VERDICTS = {
    "toxic": "the mid moves against maker fills within 2 s, interval and all: the market knows more than our quotes",
    "suspect": "the mid moves against maker fills within 2 s, but not surely",
    "sound": "the mid does not move against maker fills within 2 s",
    "unknown": "no maker fill was marked out",
}


def markouts(inputs: Inputs) -> list[Block]:
    """Return the table of mean markouts, or why there is none; nothing where it was never measured."""
    if "markouts" not in inputs.sources:
        return []
    body = inputs.documents.get("markouts")
    if body is None:
        return list(inputs.missing("markouts"))
    if not body["fills"]:
        elsewhere = int(body["elsewhere"])
        other = f"; {plural(elsewhere, 'fill')} of a venue of which no tape is recorded" if elsewhere else ""
        return [Note(f"No live fill to be marked out{other}.")]
    rows = [
        Row([Cell(str(each["group"])), Cell(f"{each['fills']:,}"), *map(_cell, each["means"])])
        for each in body["groups"]
    ]
    columns = [
        Column("fills of", is_number=False),
        Column("number"),
        *(Column(f"after {horizon:g} s", "bps") for horizon in body["horizons_s"]),
    ]
    verdict = str(body["verdict"])
    caption = (
        "How far the mid of the recorded tape moved in the direction of live fills, from their price, before fees; below it the "
        f"95 % interval where there are enough. Our quotes: {verdict}, {_VERDICTS[verdict]}."
    )
    return [Table("Markouts of live fills", columns, rows, caption)]


def _cell(mean: dict[str, Any] | None) -> Cell:
    if mean is None:
        return Cell(ABSENT)
    detail = (
        ()
        if mean["low"] is None
        else (f"{number(mean['low'], 2, sign=True)} to {number(mean['high'], 2, sign=True)}",)
    )
    return Cell(number(mean["value"], 2, sign=True), detail=detail)
