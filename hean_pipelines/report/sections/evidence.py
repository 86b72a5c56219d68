"""Section: study E1, what the premium 90 minutes before a settlement says about the rate; E4, and the studies on tapes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hean_pipelines.report.blocks import Block, Cell, Column, Figure, Figures, Key, Note, Row, Section, Table
from hean_pipelines.report.charts import Estimate, both_widths, estimates
from hean_pipelines.report.inputs import CLAIM, STUDY, TAPE_STUDIES
from hean_pipelines.report.subject import POOLED
from hean_pipelines.report.text import number

if TYPE_CHECKING:
    from hean_pipelines.report.inputs import Inputs

PASSES_ABOVE = 0.25
"""As in `models.evidence.premium_study`, whose import costs seconds (SciPy); a test holds them equal."""

_TONES = {"passed": "good", "failed": "bad"}


def build(inputs: Inputs) -> Section:
    """Return the section."""
    blocks: list[Block] = [*inputs.missing("evidence")]
    body = inputs.documents.get("evidence")
    if body is not None:
        studies = (
            [row for row in body["rows"] if isinstance(row, dict)] if isinstance(body["rows"], list) else []
        )
        blocks += (
            _shown(studies, bool(body["passed"]))
            if studies
            else [Note("The study holds no symbol.", "warning")]
        )
    blocks += _tapes(inputs)
    return Section(
        "evidence",
        "Evidence: study E1 and the studies on tapes",
        "Squared correlation of the premium 90 minutes before each settlement with the rate that was paid, 95 % interval by a "
        f"block jackknife over ten stretches of time. The study passes where the estimate exceeds {number(PASSES_ABOVE, 2)}.",
        blocks,
        "Evidence",
    )


def figure(row: dict[str, Any], key: str) -> float:
    """Return a number of a study's row, NaN where there is none."""
    value = row.get(key)
    return float(value) if isinstance(value, int | float) else math.nan


def _shown(studies: list[dict[str, Any]], passed: bool) -> list[Block]:
    rows = [
        Estimate(
            str(row.get("symbol")),
            figure(row, "low"),
            figure(row, "r2"),
            figure(row, "high"),
            row.get("symbol") == POOLED,
        )
        for row in studies
    ]
    label = "Estimates of E1 with their intervals: " + "; ".join(
        f"{r.name} {number(r.value, 2)}" for r in rows
    )
    drawn = both_widths(
        lambda width: estimates(label, rows, PASSES_ABOVE, "R² of rate and premium 90 min before", width)
    )
    keys = [
        Key("gain", "above the threshold", "dot"),
        Key("loss", "not above", "dot"),
        Key("threshold", f"threshold {number(PASSES_ABOVE, 2)}", "dash"),
    ]
    columns = [
        Column("symbol", is_number=False),
        Column("n", "settlements"),
        Column("R²"),
        Column("95 % interval"),
        Column("verdict", is_number=False),
    ]
    table = Table("Study E1", columns, [_row(row) for row in studies])
    words = "E1 passed." if passed else "E1 has not passed: the executor blocks entries that rest on it."
    return [Note(words, "info" if passed else "warning"), Figures([Figure("", *drawn)], keys), table]


def _row(row: dict[str, Any]) -> Row:
    low, high = figure(row, "low"), figure(row, "high")
    interval = f"{number(low, 3)} to {number(high, 3)}" if math.isfinite(low) else number(low, 3)
    verdict = str(row.get("verdict"))
    count = figure(row, "n")
    cells = [
        Cell(str(row.get("symbol"))),
        Cell(number(count, 0)),
        Cell(number(figure(row, "r2"), 3)),
        Cell(interval),
        Cell(verdict, tone=_TONES.get(verdict, "neutral"), strength=0.6),
    ]
    return Row(cells, strong=row.get("symbol") == POOLED)


def _tapes(inputs: Inputs) -> list[Block]:
    """Return what the studies on tapes say, and which of them say nothing yet."""
    names = sorted((*TAPE_STUDIES, CLAIM))
    blocks: list[Block] = [*inputs.missing(*(name for name in names if name in inputs.sources))]
    found = {name: inputs.documents[name] for name in names if name in inputs.documents}
    if found:
        columns = [
            Column("study", is_number=False),
            Column("asks", is_number=False),
            Column("market", is_number=False),
            Column("n"),
            Column("estimate"),
            Column("95 % interval"),
            Column("verdict", is_number=False),
        ]
        blocks.append(
            Table(
                "Studies on tapes and trades",
                columns,
                [_tape_row(name.upper(), body) for name, body in found.items()],
            )
        )
    absent = [name.upper() for name in TAPE_STUDIES if name not in inputs.sources]
    if absent:
        blocks.append(Note(f"Not run here: {', '.join(absent)}; {STUDY}."))
    return blocks


def _tape_row(name: str, body: dict[str, Any]) -> Row:
    market = body["market"] if isinstance(body["market"], dict) else {}
    verdict = str(body["verdict"])
    interval = f"{number(figure(body, 'low'), 3)} to {number(figure(body, 'high'), 3)}"
    cells = [
        Cell(name),
        Cell(str(body["asks"])),
        Cell(f"{market.get('kind', 'unknown')}: {market.get('name', 'unknown')}"),
        Cell(number(figure(body, "n"), 0)),
        Cell(number(figure(body, "estimate"), 3)),
        Cell(interval),
        # A verdict on a synthetic market is about the study, not about the market that is traded.
        Cell(
            verdict,
            tone=_TONES.get(verdict, "neutral") if market.get("kind") == "recorded" else "neutral",
            strength=0.6,
            detail=(str(body["reason"]),),
        ),
    ]
    return Row(cells)
