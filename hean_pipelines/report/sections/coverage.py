"""Section: how much of each day of each dataset is in the lake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from hean_pipelines.report.blocks import Block, Cell, Column, Figure, Figures, Key, Row, Section, Table
from hean_pipelines.report.svg import DAY_NS
from hean_pipelines.report.text import day, number, percent, plural
from hean_pipelines.report.time_charts import Strip, strips

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.report.inputs import Inputs

_MOST_BINS = 120


def build(inputs: Inputs) -> Section:
    """Return the section."""
    blocks: list[Block] = [*inputs.missing("coverage")]
    frame = inputs.frame("coverage")
    if frame is not None:
        blocks += [_figures(_numbered(frame)), _table(_numbered(frame))]
    return Section(
        "coverage",
        "Data coverage",
        "Rows in the lake over the rows a complete lake would hold, by dataset, symbol and UTC day, from a symbol's first row to "
        "the dataset's last.",
        blocks,
    )


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """Attach `number`, the days since 1970, whatever type the date has."""
    import polars as pl

    days = (
        pl.col("date").cast(pl.String).str.slice(0, 10).str.to_date("%Y-%m-%d").to_physical().cast(pl.Int64)
    )
    return frame.with_columns(number=days).sort("dataset", "symbol", "number")


def _figures(frame: pl.DataFrame) -> Figures:
    days = frame["number"].to_numpy()
    low, high = int(days.min()), int(days.max()) + 1
    size = -(-(high - low) // _MOST_BINS)
    figures = []
    for (dataset,), part in frame.group_by(["dataset"], maintain_order=True):
        rows = [
            Strip(str(symbol), list(stretches(own, low, size)))
            for (symbol,), own in part.group_by(["symbol"], maintain_order=True)
        ]
        total = float(part["rows"].sum()) / max(float(part["expected_rows"].sum()), 1.0)
        label = f"Coverage of {dataset} by symbol and day: {percent(total, 2)} over all"
        svg = strips(label, rows, (low * DAY_NS, high * DAY_NS))
        figures.append(
            Figure(
                str(dataset).removeprefix("raw_bybit__"),
                svg,
                caption=f"{percent(total, 2)} of expected rows.",
            )
        )
    keys = [
        Key("full", "complete"),
        Key("partly", "partly, the paler the less"),
        Key("nothing", "nothing"),
        Key("void", "not expected"),
    ]
    steps = "One step is a day." if size == 1 else f"One step is {size} days."
    return Figures(figures, keys, caption=steps)


def stretches(frame: pl.DataFrame, origin: int, size: int) -> Iterator[tuple[int, int, float, str]]:
    """Give stretches of equal share: days gathered into steps of `size`, equal neighbours joined."""
    import polars as pl

    steps = (
        frame.with_columns(step=(pl.col("number") - origin) // size)
        .group_by("step")
        .agg(pl.col("rows", "expected_rows").sum(), first=pl.col("number").min(), last=pl.col("number").max())
        .sort("step")
    )
    open_: tuple[int, int, float] | None = None
    for row in steps.iter_rows(named=True):
        # A share that is not quite complete must never be drawn as complete.
        whole = row["rows"] >= row["expected_rows"]
        share = 1.0 if whole else min(round(row["rows"] / max(row["expected_rows"], 1), 2), 0.99)
        if open_ is not None and open_[2] == share and open_[1] == row["first"]:
            open_ = (open_[0], row["last"] + 1, share)
            continue
        if open_ is not None:
            yield _stretch(*open_)
        open_ = (row["first"], row["last"] + 1, share)
    if open_ is not None:
        yield _stretch(*open_)


def _stretch(first: int, end: int, share: float) -> tuple[int, int, float, str]:
    until = "" if end - first == 1 else f" to {day((end - 1) * DAY_NS)}"
    return first * DAY_NS, end * DAY_NS, share, f"{day(first * DAY_NS)}{until}: {percent(share, 0)}"


def _table(frame: pl.DataFrame) -> Table:
    import polars as pl

    totals = frame.group_by("dataset", "symbol", maintain_order=True).agg(
        pl.col("rows", "expected_rows").sum(),
        first=pl.col("number").min(),
        last=pl.col("number").max(),
        short=(pl.col("rows") < pl.col("expected_rows")).sum(),
    )
    rows = []
    for r in totals.iter_rows(named=True):
        cells = [
            Cell(r["symbol"]),
            Cell(day(r["first"] * DAY_NS)),
            Cell(day(r["last"] * DAY_NS)),
            Cell(number(r["rows"], 0)),
            Cell(number(r["expected_rows"], 0)),
            Cell(percent(r["rows"] / max(r["expected_rows"], 1), 2)),
            Cell(plural(r["short"], "day")),
        ]
        rows.append(Row(cells, group=str(r["dataset"])))
    columns = [
        Column("symbol", is_number=False),
        Column("first day", is_number=False),
        Column("last day", is_number=False),
        Column("rows"),
        Column("expected"),
        Column("share"),
        Column("incomplete"),
    ]
    return Table("Rows by dataset and symbol", columns, rows, folded=True)
