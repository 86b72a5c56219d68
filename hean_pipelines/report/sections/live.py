"""Section: forecasts made live against the rates that were then settled, and against what was promised out of sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hean_pipelines.report.blocks import Block, Cell, Column, Figure, Figures, Key, Note, Row, Section, Table
from hean_pipelines.report.charts import Points, scatter
from hean_pipelines.report.sections.skill import ratio_cell
from hean_pipelines.report.subject import TIE, Subject, forecasts_of
from hean_pipelines.report.text import ABSENT, BPS, bps, moment, number, percent, plural

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.report.inputs import Inputs

_LAST = 15


def build(inputs: Inputs, subject: Subject) -> Section:
    """Return the section."""
    blocks: list[Block] = [*inputs.missing("live_forecasts", "settlements")]
    made, settled = inputs.frame("live_forecasts"), inputs.frame("settlements")
    if made is not None and settled is not None:
        joined = join(made, settled)
        waiting = made.height - joined.height
        words = f"{plural(made.height, 'live forecast')}: {joined.height:,} settled, {waiting:,} not (yet) in the settled rates."
        blocks.append(Note(words))
        if joined.height:
            promised = inputs.frame("forecasts")
            blocks += [_scatters(joined), _table(joined, promised, subject), _last(joined)]
    elif made is not None:
        blocks.append(
            Note(f"{plural(made.height, 'forecast')} made live; without settled rates they cannot be judged.")
        )
    return Section(
        "live",
        "Live forecasts",
        "Forecasts the executor made while running, joined by symbol and settlement to the rates the venue settled. They should "
        "err no more than the out-of-sample forecasts promised.",
        blocks,
    )


def join(made: pl.DataFrame, settled: pl.DataFrame) -> pl.DataFrame:
    """Attach the settled rate as `realised`; forecasts without one are left out."""
    import polars as pl

    rates = settled.select("symbol", "settlement_ts", realised=pl.col("funding_rate").cast(pl.Float64))
    rates = rates.unique(["symbol", "settlement_ts"], keep="last", maintain_order=True)
    joined = made.join(
        rates, left_on=["symbol", "settlement_ns"], right_on=["symbol", "settlement_ts"], how="inner"
    )
    usable = pl.col("predicted").is_finite() & pl.col("realised").is_finite()
    return joined.filter(usable).sort("settlement_ns", "symbol", "horizon_min")


def _horizons(frame: pl.DataFrame) -> list[int]:
    return sorted((int(h) for h in frame["horizon_min"].unique()), reverse=True)


def _scatters(joined: pl.DataFrame) -> Figures:
    import polars as pl

    horizons = _horizons(joined)
    figures = []
    for symbol in sorted(str(s) for s in joined["symbol"].unique()):
        own = joined.filter(pl.col("symbol") == symbol)
        many = []
        for i, horizon in enumerate(horizons):
            part = own.filter(pl.col("horizon_min") == horizon)
            many.append(
                Points(f"h{i % 4}", *(part[name].to_numpy() * BPS for name in ("predicted", "realised")))
            )
        count = plural(own.height, "live forecast")
        svg = scatter(f"{symbol}: settled rate against {count}", many, ("live forecast, bps", "settled, bps"))
        figures.append(Figure(symbol, svg, caption=f"{count}."))
    keys = [Key(f"h{i % 4}", f"{h} min ahead", "dot") for i, h in enumerate(horizons)]
    return Figures(figures, [*keys, Key("agree", "forecast = settled", "dash")], "Settled against forecast")


def _table(joined: pl.DataFrame, promised: pl.DataFrame | None, subject: Subject) -> Table:
    import polars as pl

    rows = []
    for horizon in _horizons(joined):
        for symbol in sorted(str(s) for s in joined["symbol"].unique()):
            part = joined.filter((pl.col("horizon_min") == horizon) & (pl.col("symbol") == symbol))
            if part.height:
                rows.append(_row(part, promised, subject, symbol, horizon))
    columns = [
        Column("symbol", is_number=False),
        Column("n"),
        Column("MAE live", "bps"),
        Column("MAE promised", "bps"),
        Column("live ÷ promised"),
        Column("mean error", "bps"),
        Column("in 5–95 %"),
        Column("model versions", is_number=False),
    ]
    caption = (
        f"Promised: out-of-sample MAE of {subject.model or 'the champion'} for the same symbol and horizon. With few forecasts "
        "the ratio says little. Mean error: settled − forecast."
    )
    return Table("Live error against what was promised", columns, rows, caption)


def _row(
    part: pl.DataFrame, promised: pl.DataFrame | None, subject: Subject, symbol: str, horizon: int
) -> Row:
    predicted, realised, low, high = (
        part[name].cast(float).fill_null(float("nan")).to_numpy()
        for name in ("predicted", "realised", "q05", "q95")
    )
    mae = float(np.abs(realised - predicted).mean())
    before = None
    if promised is not None and subject.model:
        own = forecasts_of(promised, subject.model, symbol, horizon)
        before = float(np.abs(own.realised - own.predicted).mean()) if len(own) else None
    inside = (realised >= low - TIE) & (realised <= high + TIE)
    versions: Sequence[str] = sorted({str(v) for v in part["model_version"].drop_nulls()})
    cells = [
        Cell(symbol),
        Cell(f"{part.height:,}"),
        Cell(bps(mae, 3)),
        Cell(bps(before, 3)),
        ratio_cell(mae / before if before else None),
        Cell(bps(float((realised - predicted).mean()), 3, sign=True)),
        Cell(percent(float(inside.mean()))),
        Cell(", ".join(versions) or ABSENT),
    ]
    return Row(cells, f"{horizon} minutes before settlement")


def _last(joined: pl.DataFrame) -> Table:
    rows = []
    for r in joined.tail(_LAST).reverse().iter_rows(named=True):
        interval = f"{bps(r['q05'])} to {bps(r['q95'])}"
        cells = [
            Cell(moment(r["settlement_ns"])),
            Cell(r["symbol"]),
            Cell(f"{r['horizon_min']}"),
            Cell(bps(r["predicted"], 3)),
            Cell(interval),
            Cell(bps(r["realised"], 3)),
            Cell(number((r["realised"] - r["predicted"]) * BPS, 3, sign=True)),
        ]
        rows.append(Row(cells))
    columns = [
        Column("settlement", "UTC", is_number=False),
        Column("symbol", is_number=False),
        Column("made", "min before"),
        Column("forecast", "bps"),
        Column("5–95 %", "bps"),
        Column("settled", "bps"),
        Column("error", "bps"),
    ]
    return Table("The latest of them", columns, rows, folded=True)
