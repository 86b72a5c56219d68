"""Pictures of a table on Dagster's page, drawn while it is being built. What does not belong here: any other metadata."""

from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from hean_pipelines.sql.model import SqlModel

COVERAGE = "mart_coverage__symbol_day"
Ask = Callable[[str], Sequence[Sequence[Any]]]


def pictures(model: SqlModel, ask: Ask) -> dict[str, dg.MetadataValue]:
    """Return the pictures of a table, by name; none for most.

    Parameters
    ----------
    model : SqlModel
    ask : callable
        A select to its rows.

    """
    if model.name != COVERAGE:
        return {}
    from hean_pipelines.plots import markdown_image

    png = coverage_figure(ask)
    if png is None:
        return {}
    return {"coverage": dg.MetadataValue.md(markdown_image(png, "coverage by dataset and day"))}


def coverage_figure(ask: Ask) -> bytes | None:
    """Draw the share of each dataset and UTC day, all its symbols together; PNG, None without rows."""
    import numpy as np

    from hean_pipelines.plots import new_figure, png_bytes

    rows = ask(
        f"select dataset, date - date '1970-01-01' as day, sum(rows) / sum(expected_rows) as share, "
        f"count(distinct symbol) as symbols from {COVERAGE} group by all order by all"
    )
    if not rows:
        return None
    datasets = sorted({row[0] for row in rows})
    first, last = min(row[1] for row in rows), max(row[1] for row in rows)
    shares = np.full((len(datasets), last - first + 1), np.nan)
    symbols = dict.fromkeys(datasets, 0)
    for dataset, day, share, count in rows:
        shares[datasets.index(dataset), day - first] = share
        symbols[dataset] = max(symbols[dataset], count)
    figure = new_figure(11.0, 1.2 + 0.24 * len(datasets))
    axis = figure.subplots()
    edges = np.arange(first, last + 2).astype("datetime64[D]")
    mesh = axis.pcolormesh(edges, np.arange(len(datasets) + 1), shares, cmap="RdYlGn", vmin=0.0, vmax=1.0)
    axis.set_yticks(
        np.arange(len(datasets)) + 0.5, [f"{name} ({symbols[name]})" for name in datasets], fontsize=7
    )
    axis.invert_yaxis()
    axis.tick_params(axis="x", labelsize=7)
    axis.set_title("share of expected rows by UTC day (symbols in brackets; white: not expected)", fontsize=8)
    figure.colorbar(mesh, ax=axis)
    return png_bytes(figure)
