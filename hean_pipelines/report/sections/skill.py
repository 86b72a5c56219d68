"""Section: how well each model forecasts, by symbol and horizon, against the baselines.

Scores come from the file; what needs rows that two models share is computed here from the forecasts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hean_pipelines.report.blocks import Block, Cell, Column, Figure, Figures, Key, Note, Row, Section, Table
from hean_pipelines.report.charts import Bars, grouped_bars
from hean_pipelines.report.subject import MODEL_WORDS, POOLED, Floats, Subject, baselines
from hean_pipelines.report.text import bps, number, percent

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.report.inputs import Inputs

_FLOOR = -0.5
_CAPTION = (
    "MAE ratio: the model's over that baseline's, on the settlements both forecast; below 1 (green) the model errs less. "
    "Sign accuracy: share of settlements whose change against the last rate was forecast in its direction (last_rate forecasts "
    "no change, so none). Pinball: mean loss over 99 quantile levels. In 5–95\u00a0%: share of realised rates within [q05, q95], "
    "nominal 90\u00a0%."
)
_Score = dict[str, Any]


@dataclass
class SharedRows:
    """Figures on rows that models share: MAE over a baseline's by (model, baseline, symbol, horizon), and R² and count."""

    ratio: dict[tuple[str, str, str, int], float] = field(default_factory=dict)
    r2: dict[tuple[str, str, int], float] = field(default_factory=dict)
    n: dict[tuple[str, int], int] = field(default_factory=dict)


def build(inputs: Inputs, subject: Subject) -> Section:
    """Return the section."""
    blocks: list[Block] = []
    scores, forecasts = inputs.frame("scores"), inputs.frame("forecasts")
    blocks += inputs.missing("scores")
    if scores is not None:
        rows = list(scores.iter_rows(named=True))
        shared = shared_rows(forecasts, subject) if forecasts is not None else SharedRows()
        blocks += [_bars(rows, subject), *_tables(rows, shared, subject), _legend(subject)]
    return Section(
        "skill",
        "Forecast skill",
        "Every candidate forecasts each settlement's rate out of sample: purged walk-forward, refitted on the past alone. R² is "
        "1 − squared error over squared deviation from the symbol's own mean; ALL pools the symbols, each about its own mean.",
        blocks,
    )


def shared_rows(frame: pl.DataFrame, subject: Subject) -> SharedRows:
    """Compute errors on the settlements that models share, so that no model gains by starting later."""
    import polars as pl

    settled = frame.filter(pl.col("predicted").is_finite() & pl.col("realised").is_finite())
    wide = settled.pivot(
        on="model",
        index=["symbol", "settlement_ts", "horizon_min", "realised"],
        values="predicted",
        aggregate_function="first",
    )
    out = SharedRows()
    models = [model for model in subject.models if model in wide.columns]
    for horizon in wide["horizon_min"].unique().to_list():
        for symbol in (*subject.symbols, POOLED):
            mask = pl.col("horizon_min") == horizon
            part = wide.filter(mask if symbol == POOLED else mask & (pl.col("symbol") == symbol))
            if part.height:
                _share(out, part, models, symbol, int(horizon))
    return out


def _share(out: SharedRows, part: pl.DataFrame, models: list[str], symbol: str, horizon: int) -> None:
    realised = part["realised"].to_numpy()
    names = part["symbol"].to_numpy()
    predicted = {model: part[model].cast(float).fill_null(float("nan")).to_numpy() for model in models}
    everyone = np.isfinite(np.column_stack(list(predicted.values()))).all(axis=1)
    out.n[symbol, horizon] = int(everyone.sum())
    for model in models:
        out.r2[model, symbol, horizon] = r_squared(
            realised[everyone], predicted[model][everyone], names[everyone]
        )
        for baseline in baselines(tuple(models)):
            both = np.isfinite(predicted[model]) & np.isfinite(predicted[baseline])
            own = float(np.abs(realised - predicted[model])[both].mean()) if both.any() else math.nan
            other = float(np.abs(realised - predicted[baseline])[both].mean()) if both.any() else math.nan
            out.ratio[model, baseline, symbol, horizon] = own / other if other > 0.0 else math.nan


def r_squared(realised: Floats, predicted: Floats, symbol: np.ndarray) -> float:
    """1 − squared error over squared deviation from each symbol's own mean; NaN where nothing moved."""
    centre = np.empty_like(realised)
    for each in np.unique(symbol):
        own = symbol == each
        centre[own] = realised[own].mean()
    deviation = float(((realised - centre) ** 2).sum())
    return 1.0 - float(((realised - predicted) ** 2).sum()) / deviation if deviation > 0.0 else math.nan


def _bars(rows: list[_Score], subject: Subject) -> Figures:
    found = {(r["model"], r["symbol"], r["horizon_min"]): r["r2"] for r in rows}
    horizons = sorted({int(r["horizon_min"]) for r in rows}, reverse=True)
    symbols = sorted({str(r["symbol"]) for r in rows}, key=lambda s: (s == POOLED, s))
    lowest = min((r["r2"] for r in rows if r["r2"] is not None and math.isfinite(r["r2"])), default=0.0)
    figures = []
    for symbol in symbols:
        series = []
        for model in subject.models:
            values = [found.get((model, symbol, h)) for h in horizons]
            series.append(
                Bars(
                    subject.colour(model),
                    model,
                    [math.nan if v is None else float(v) for v in values],
                    strong=model == subject.model,
                )
            )
        groups = [f"{h} min ahead" for h in horizons]
        label = f"R² of each model for {symbol}, {', '.join(groups)}; the values are in the table below"
        svg = grouped_bars(label, groups, series, "R², out of sample", _FLOOR)
        figures.append(Figure("ALL symbols pooled" if symbol == POOLED else symbol, svg))
    keys = [Key(subject.colour(m), f"{m} ★" if m == subject.model else m) for m in subject.models]
    cut = f" Bars below {number(_FLOOR, 1)} are cut (▾)." if lowest < _FLOOR else ""
    star = (
        f"★ {'champion' if subject.is_champion else subject.why}; its bars carry their value."
        if subject.model
        else ""
    )
    return Figures(figures, keys, "R² by horizon and model", star + cut, is_small=True)


def _tables(rows: list[_Score], shared: SharedRows, subject: Subject) -> list[Block]:
    tables: list[Block] = []
    counts: dict[tuple[str, int], set[int]] = {}
    for r in rows:
        counts.setdefault((r["symbol"], r["horizon_min"]), set()).add(r["n"])
    differ = any(len(seen) > 1 for seen in counts.values())
    uneven = differ and bool(shared.n)
    if differ:
        words = "Learned candidates forecast only after enough training days, so the counts n differ: R² of different rows are "
        words += "not comparable."
        if uneven:
            words += " “R² shared” is on the settlements that every model forecast."
        tables.append(Note(words))
    symbols = sorted({str(r["symbol"]) for r in rows}, key=lambda s: (s != POOLED, s))
    names = baselines(subject.models)
    for symbol in symbols:
        own = [r for r in rows if r["symbol"] == symbol]
        order = {model: i for i, model in enumerate(subject.models)}
        own.sort(key=lambda r: (-r["horizon_min"], order[r["model"]]))
        columns = [Column("model", is_number=False), Column("n"), Column("R²")]
        columns += [Column("R² shared")] if uneven else []
        columns += [Column("MAE", "bps")] + [
            Column(f"÷\u00a0{_breakable(name)}", "MAE ratio") for name in names
        ]
        columns += [Column("sign accuracy"), Column("pinball", "bps"), Column("in 5–95\u00a0%")]
        tables.append(
            Table(
                "Scores, all symbols pooled" if symbol == POOLED else f"Scores, {symbol}",
                columns,
                [_row(r, names, shared, subject, uneven) for r in own],
                _CAPTION,
                folded=symbol != POOLED,
            )
        )
    return tables


def _breakable(name: str) -> str:
    """Let a long name break at its underscores."""
    return name.replace("_", "_\u200b") if len(name) > 12 else name


def _row(r: _Score, names: list[str], shared: SharedRows, subject: Subject, uneven: bool) -> Row:
    key = r["symbol"], r["horizon_min"]
    cells = [
        Cell(r["model"], colour=subject.colour(r["model"])),
        Cell(f"{r['n']:,}"),
        Cell(number(r["r2"], 3)),
    ]
    if uneven:
        cells.append(Cell(number(shared.r2.get((r["model"], *key)), 3)))
    cells.append(Cell(bps(r["mae"], 3)))
    for name in names:
        cells.append(
            Cell("1") if name == r["model"] else ratio_cell(shared.ratio.get((r["model"], name, *key)))
        )
    cells += [Cell(percent(r["sign_accuracy"])), Cell(bps(r["pinball"], 3)), Cell(percent(r["coverage_90"]))]
    return Row(cells, f"{r['horizon_min']} minutes before settlement", strong=r["model"] == subject.model)


def ratio_cell(ratio: float | None) -> Cell:
    """Return a cell for a ratio of errors, green below one and red above."""
    if ratio is None or not math.isfinite(ratio) or ratio <= 0.0:
        return Cell(number(ratio, 2))
    return Cell(
        number(ratio, 2), tone="good" if ratio < 1.0 else "bad", strength=min(abs(math.log(ratio)), 1.0)
    )


def _legend(subject: Subject) -> Table:
    rows = [
        Row(
            [
                Cell(model, colour=subject.colour(model)),
                Cell(MODEL_WORDS.get(model, "not one of this release's candidates")),
            ],
            strong=model == subject.model,
        )
        for model in subject.models
    ]
    columns = [Column("model", is_number=False), Column("how it forecasts", is_number=False)]
    return Table("What the models are", columns, rows, folded=True)
