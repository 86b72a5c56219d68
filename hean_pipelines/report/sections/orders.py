"""Parts of the section on trades: orders by state, what executions cost, and what was blocked and why."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hean_pipelines.report.blocks import Block, Cell, Column, Note, Row, Table
from hean_pipelines.report.text import ABSENT, moment, number, percent

if TYPE_CHECKING:
    import polars as pl

_KINDS = ("block", "kill_switch")


def orders_by_state(frame: pl.DataFrame | None) -> list[Block]:
    """Count orders by mode, leg and state."""
    if frame is None:
        return []
    counts = Counter((str(r["mode"]), str(r["leg"]), str(r["state"])) for r in frame.iter_rows(named=True))
    most = max(counts.values())
    rows = [
        Row([Cell(leg), Cell(state), Cell(f"{count:,}", bar=True, strength=count / most)], group=mode)
        for (mode, leg, state), count in sorted(counts.items())
    ]
    columns = [
        Column("leg", is_number=False),
        Column("state", is_number=False),
        Column("orders", is_number=False),
    ]
    return [Table(f"Orders by state ({frame.height:,} in all)", columns, rows)]


def executions(frame: pl.DataFrame | None) -> list[Block]:
    """Add up fees and funding payments by kind of execution."""
    if frame is None:
        return []
    rows = []
    for kind in sorted({str(kind) for kind in frame["kind"]}):
        own = [r for r in frame.iter_rows(named=True) if str(r["kind"]) == kind]
        paid = sum((Decimal(str(r["fee_usd"])) for r in own if r["fee_usd"] is not None), Decimal(0))
        makers = sum(bool(r["is_maker"]) for r in own) / len(own)
        cells = [
            Cell(kind),
            Cell(f"{len(own):,}"),
            Cell(percent(makers) if kind == "trade" else ABSENT),
            Cell(number(float(paid), 3, sign=True)),
        ]
        rows.append(Row(cells))
    columns = [
        Column("kind", is_number=False),
        Column("executions"),
        Column("as maker"),
        Column("paid", "USD"),
    ]
    return [
        Table(
            "Executions",
            columns,
            rows,
            "Paid: fees of trades; funding paid, negative when received.",
            compact=True,
        )
    ]


def blocked(frame: pl.DataFrame | None) -> list[Block]:
    """Count what kept entries from being made, by reason."""
    if frame is None:
        return []
    counts: Counter[str] = Counter()
    latest: dict[str, tuple[int, str]] = {}
    for row in frame.sort("at_ns").iter_rows(named=True):
        if row["kind"] not in _KINDS:
            continue
        body = _body(row["body"])
        if row["kind"] == "kill_switch" and body.get("state") != "tripped":
            continue
        reason = (
            "KILL_SWITCH" if row["kind"] == "kill_switch" else str(body.get("reason") or "no reason noted")
        )
        counts[reason] += 1
        latest[reason] = (row["at_ns"], str(body.get("arithmetic") or body.get("reason") or ""))
    if not counts:
        kinds = Counter(str(kind) for kind in frame["kind"])
        seen = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common(6))
        return [Note(f"Nothing was blocked. Events in the journal: {seen}.")]
    most = max(counts.values())
    rows = [
        Row(
            [
                Cell(reason),
                Cell(f"{count:,}", bar=True, strength=count / most),
                Cell(moment(latest[reason][0])),
                Cell(latest[reason][1] or ABSENT),
            ]
        )
        for reason, count in counts.most_common()
    ]
    columns = [
        Column("reason", is_number=False),
        Column("times", is_number=False),
        Column("last", "UTC", is_number=False),
        Column("its arithmetic", is_number=False),
    ]
    caption = "Each reason is counted once a signal."
    return [Table(f"Entries blocked ({sum(counts.values()):,})", columns, rows, caption)]


def _body(text: object) -> dict[str, Any]:
    try:
        body = json.loads(str(text))
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
