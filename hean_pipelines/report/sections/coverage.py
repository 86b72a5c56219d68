"""Section: how much of each day of each dataset is in the lake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hean_pipelines.report.blocks import Block, Cell, Column, Figure, Figures, Key, Row, Section, Table
from hean_pipelines.report.charts import NARROW, WIDE
from hean_pipelines.report.svg import DAY_NS
from hean_pipelines.report.text import day, number, percent, plural
from hean_pipelines.report.time_charts import Strip, strips

if TYPE_CHECKING:
    import polars as pl
    from markupsafe import Markup

    from hean_pipelines.report.inputs import Inputs

_STEPS = {NARROW: 120, WIDE: 366}
"""Most steps of time across a drawing of a width: more would be thinner than a pixel or two."""
_MOST_FIGURES, _MOST_SYMBOLS = 8, 12
"""Of many datasets and symbols those that lack most are drawn; the table has all."""


def build(inputs: Inputs) -> Section:
    """Return the section."""
    blocks: list[Block] = [*inputs.missing("coverage")]
    frame = inputs.frame("coverage")
    if frame is not None:
        numbered = _numbered(frame)
        blocks += [_overview(numbered), *filter(None, [_gaps(numbered)]), _table(numbered)]
    return Section(
        "coverage",
        "Data coverage",
        "Rows in the lake over the rows a complete lake would hold, by dataset, symbol and UTC day, from a symbol's first row to "
        "the dataset's last. Trades, snapshots and recordings come as they come: of such a day one row is expected.",
        blocks,
    )


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    """Attach `number`, the days since 1970, whatever type the date has."""
    import polars as pl

    days = (
        pl.col("date").cast(pl.String).str.slice(0, 10).str.to_date("%Y-%m-%d").to_physical().cast(pl.Int64)
    )
    return frame.with_columns(number=days).sort("dataset", "symbol", "number")


def _overview(frame: pl.DataFrame) -> Figures:
    """Draw one row for each dataset, all its symbols together, a figure for each venue."""
    import polars as pl

    ends = _ends(frame)
    venues = frame.with_columns(
        venue=pl.col("dataset").str.extract(r"^raw_(\w+?)__"), short=pl.col("dataset").str.extract(r"__(.+)$")
    )
    figures = []
    for (venue,), part in venues.group_by(["venue"], maintain_order=True):
        # A day of trades has more rows than a year of bars: days count alike here.
        share = percent(
            float(
                part["share"].clip(0.0, 1.0).mean()  # type: ignore[arg-type]
            ),
            2,
        )
        label = f"Coverage of {venue} by dataset and day: {share} of a day on average"
        groups = [(str(short), own) for (short,), own in part.group_by(["short"], maintain_order=True)]
        narrow, wide = (_drawn(label, groups, ends, width) for width in (NARROW, WIDE))
        symbols = plural(part["symbol"].n_unique(), "symbol")
        caption = f"{plural(len(groups), 'dataset')}, {symbols}: {share} of a day on average."
        figures.append(Figure(str(venue), narrow, wide, caption))
    keys = [
        Key("full", "complete"),
        Key("partly", "partly, the paler the less"),
        Key("nothing", "nothing"),
        Key("void", "not expected"),
    ]
    days = ends[1] - ends[0]
    steps = "One step is a day." if days <= _STEPS[WIDE] else f"One step is {-(-days // _STEPS[WIDE])} days."
    return Figures(figures, keys, caption=steps)


def _gaps(frame: pl.DataFrame) -> Figures | None:
    """Draw the symbols that lack something, the most lacking datasets and symbols first; None where all is complete."""
    import polars as pl

    ends = _ends(frame)
    short = (
        frame.group_by("dataset", "symbol")
        .agg(missing=(pl.col("expected_rows") - pl.col("rows")).clip(0).sum() / pl.col("expected_rows").sum())
        .filter(pl.col("missing") > 0)
        .sort("missing", "symbol", descending=[True, False])
    )
    worst = (
        short.group_by("dataset")
        .agg(pl.col("missing").max())
        .sort("missing", "dataset", descending=[True, False])
    )
    figures = []
    for dataset in worst["dataset"].head(_MOST_FIGURES):
        lacking = short.filter(pl.col("dataset") == dataset)["symbol"].to_list()
        part = frame.filter(pl.col("dataset") == dataset)
        groups = [(symbol, part.filter(pl.col("symbol") == symbol)) for symbol in lacking[:_MOST_SYMBOLS]]
        label = f"Coverage of {dataset} by symbol and day, symbols that lack something"
        rest = part["symbol"].n_unique() - len(groups)
        caption = f"{percent(_share(part), 2)} of expected rows."
        caption += f" Not drawn: {plural(rest, 'symbol')}." if rest else ""
        svg = _drawn(label, groups, ends, NARROW)
        figures.append(Figure(dataset.removeprefix("raw_").replace("__", " "), svg, caption=caption))
    if not figures:
        return None
    more = worst.height - len(figures)
    shown = f"Not drawn: {plural(more, 'dataset')} that lack less; the table has them." if more else ""
    return Figures(figures, title="Where something is missing", caption=shown)


def _ends(frame: pl.DataFrame) -> tuple[int, int]:
    days = frame["number"].to_numpy()
    return int(days.min()), int(days.max()) + 1


def _share(frame: pl.DataFrame) -> float:
    return float(frame["rows"].sum()) / max(float(frame["expected_rows"].sum()), 1.0)


def _drawn(
    label: str, groups: Sequence[tuple[str, pl.DataFrame]], ends: tuple[int, int], width: float
) -> Markup:
    size = -(-(ends[1] - ends[0]) // _STEPS[width])
    rows = [Strip(name, list(stretches(own, ends[0], size))) for name, own in groups]
    return strips(label, rows, (ends[0] * DAY_NS, ends[1] * DAY_NS), width)


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
