"""Section: the first step of each strategy: whether what it lives on follows its signals at all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hean_pipelines.report.blocks import Block, Cell, Column, Figure, Figures, Key, Note, Row, Section, Table
from hean_pipelines.report.charts import Estimate, both_widths, estimates
from hean_pipelines.report.inputs import FIRST_STEP, FIRST_STEPS
from hean_pipelines.report.text import ABSENT, number
from models.portfolio.roster import STRATEGIES

if TYPE_CHECKING:
    from hean_pipelines.report.inputs import Inputs

_TONES = {"passed": "good", "failed": "bad"}
_FAR = 6.0


def build(inputs: Inputs) -> Section:
    """Return the section."""
    names = dict(zip(FIRST_STEPS, STRATEGIES, strict=True))
    blocks: list[Block] = [*inputs.missing(*(key for key in names if key in inputs.sources))]
    found = {key: inputs.documents[key] for key in names if key in inputs.documents}
    if found:
        blocks += [_verdicts(found), _drawing(found, names), _table(found, names)]
    absent = [key.upper() for key in names if key not in inputs.sources]
    if absent:
        blocks.append(Note(f"Not run here: {', '.join(absent)}; {FIRST_STEP}."))
    return Section(
        "first-steps",
        "First steps: does what a strategy lives on exist?",
        "What each strategy's signals were worth, before fills, beside random times or equal moves of the same market. A verdict "
        "on a synthetic market is about the study; only one on a recorded market is about a market.",
        blocks,
        "First steps",
    )


def _verdicts(found: dict[str, dict[str, Any]]) -> Note:
    recorded = [body for body in found.values() if _market(body).get("kind") == "recorded"]
    passed = sum(body["verdict"] == "passed" for body in recorded)
    if recorded:
        return Note(f"{passed} of {len(recorded)} passed on a recorded market.")
    return Note("All of them ran on synthetic markets: they show that the studies find what is planted.")


def _drawing(found: dict[str, dict[str, Any]], names: dict[str, str]) -> Figures:
    """Draw every worth over the least that would have been found, so that all fit one axis."""
    rows = []
    for key, body in found.items():
        least = _details(body).get("least_found_bps")
        unit = float(least) if isinstance(least, int | float) and least > 0.0 else math.nan
        ends = (_number(body, "low") / unit, _number(body, "estimate") / unit, _number(body, "high") / unit)
        rows.append(Estimate(f"{key.upper()} {names[key]}", *ends))
    label = "Worth of signals over the least effect the sample would have found: " + "; ".join(
        f"{row.name} {number(row.value, 1)}" for row in rows
    )
    title = "worth in least effects found, four of five times"
    known = [end for row in rows for end in (row.low, row.high) if math.isfinite(end)]
    x = max(min([-1.0, *known]), -_FAR), min(max([2.0, *known]), _FAR)
    drawn = both_widths(lambda width: estimates(label, rows, 0.0, title, width, x))
    keys = [
        Key("gain", "above zero", "dot"),
        Key("loss", "not above", "dot"),
        Key("threshold", "nothing", "dash"),
    ]
    caption = f"At 1 the sample was just large enough. What lies beyond {number(_FAR, 0)} is drawn there."
    return Figures([Figure("", *drawn, caption=caption)], keys)


def _table(found: dict[str, dict[str, Any]], names: dict[str, str]) -> Table:
    columns = [
        Column("id", is_number=False),
        Column("strategy and what is asked", is_number=False),
        Column("signals"),
        Column("worth", "bps"),
        Column("95 % interval", "bps"),
        Column("least found", "bps"),
        Column("verdict", is_number=False),
    ]
    rows = [_row(key, names[key], body) for key, body in found.items()]
    return Table("First step of each strategy", columns, rows)


def _row(key: str, name: str, body: dict[str, Any]) -> Row:
    market, verdict = _market(body), str(body["verdict"])
    is_recorded = market.get("kind") == "recorded"
    low, high = _number(body, "low"), _number(body, "high")
    interval = f"{number(low, 1)} to {number(high, 1)}" if math.isfinite(low) else ABSENT
    beside = [
        f"{_market(row).get('name')}: {row.get('verdict')}"
        for row in body.get("rows", [])
        if isinstance(row, dict) and _market(row) != market
    ]
    cells = [
        Cell(key.upper()),
        Cell(name, detail=(str(body["asks"]),)),
        Cell(number(_number(body, "n"), 0)),
        Cell(number(_number(body, "estimate"), 1, sign=True)),
        Cell(interval),
        Cell(number(_number(_details(body), "least_found_bps"), 1)),
        Cell(
            verdict,
            tone=_TONES.get(verdict, "neutral") if is_recorded else "neutral",
            strength=0.6 if is_recorded else 0.2,
            detail=(
                f"{market.get('kind', 'unknown')}: {market.get('name', 'unknown')}",
                str(body["reason"]),
                *beside[:3],
            ),
        ),
    ]
    return Row(cells)


def _market(body: dict[str, Any]) -> dict[str, Any]:
    market = body.get("market")
    return market if isinstance(market, dict) else {}


def _details(body: dict[str, Any]) -> dict[str, Any]:
    """Return the details of the market that speaks for the study."""
    rows = [row for row in body.get("rows", []) if isinstance(row, dict) and _market(row) == _market(body)]
    details = rows[0].get("details") if rows else None
    return details if isinstance(details, dict) else {}


def _number(body: dict[str, Any], key: str) -> float:
    value = body.get(key)
    return float(value) if isinstance(value, int | float) else math.nan
