"""Asset `report_hean__live_markouts`: X4, how far the mid moved after live fills, by maker and taker and by strategy.

Fills are the journal's, mids those of the recorder's tape. Both must be of one venue: fills of a testnet say nothing about
mids of the main market, and are left out. Here belongs reading and showing; mids are found by
`models.learning.live_markouts`, means, intervals and the verdict are those of the backtest.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from hean_pipelines.resources.products import Products
    from hean_pipelines.settings import PipelineSettings

NAME = "report_hean__live_markouts"
EVENTS = "mart_hean__events"
_FILLS, _ORDERS = "raw_hean__fills", "raw_hean__orders"
_INSTRUMENTS = "raw_bybit__snapshot_instruments"
_DAY_NS = 86_400_000_000_000


def markout_definitions(settings: "PipelineSettings") -> dg.Definitions:
    """Return the asset."""

    @dg.asset(
        name=NAME,
        group_name="learning",
        kinds={"numpy"},
        deps=[dg.AssetKey(key) for key in (_FILLS, _ORDERS, EVENTS)],
        description="X4: how far the mid of the recorded tape moved after live fills, in their direction, with intervals and "
        "what it says about our quotes. Information: nothing acts on it.",
    )
    def live_markouts(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from hean_pipelines.defs.learning.inputs import markdown_table, product, without_nan
        from hean_pipelines.defs.learning.pictures import markouts_figure
        from hean_pipelines.plots import markdown_image
        from hean_pipelines.resources.products import Products
        from models.simulation.backtest.records import MARKOUTS_S

        products = Products(settings.lake_root)
        body = measure(settings, products)
        products.write_json(product(products, "markouts"), without_nan(body))
        columns = ["fills of", "number", *(f"{horizon:g} s" for horizon in MARKOUTS_S)]
        picture = markouts_figure(body["horizons_s"], body["groups"])
        rows = [[each["group"], each["fills"], *map(_words, each["means"])] for each in body["groups"]]
        return dg.MaterializeResult(
            metadata={
                "verdict": body["verdict"],
                "fills": body["fills"],
                "of another venue than the tape": body["elsewhere"],
                "table": dg.MetadataValue.md(markdown_table(columns, rows)),
                "picture": dg.MetadataValue.md(
                    markdown_image(picture, "mean markouts of live fills by horizon")
                ),
            }
        )

    return dg.Definitions(assets=[live_markouts])


def measure(settings: "PipelineSettings", products: "Products") -> dict[str, Any]:
    """Return counts, the verdict on our quotes, and mean markouts by group, as plain data."""
    import numpy as np

    from models.simulation.backtest.markouts import markouts_of, quoting_verdict
    from models.simulation.backtest.records import FILL, MARKOUTS_S

    known, elsewhere = _fills(settings, products)
    parts = {key: _marked(settings, str(key[0]), own) for key, own in known.group_by("symbol", "strategy")}

    def joined(rows: "list[np.ndarray]") -> "np.ndarray":
        fills = np.concatenate([np.zeros(0, FILL), *rows])
        return fills[np.argsort(fills["exch_ns"], kind="stable")]

    every = markouts_of(joined(list(parts.values())))
    strategies = sorted({str(key[1]) for key in parts})
    by_strategy = {
        name: markouts_of(joined([rows for key, rows in parts.items() if key[1] == name]))["all"]
        for name in strategies
    }
    groups = [
        {"group": name, "fills": own.fills, "means": [m and asdict(m) for m in own.means]}
        for name, own in {**every, **by_strategy}.items()
    ]
    return {
        "fills": known.height,
        "elsewhere": elsewhere,
        "verdict": quoting_verdict(every["maker"]),
        "horizons_s": list(MARKOUTS_S),
        "groups": groups,
    }


def _words(mean: dict[str, Any] | None) -> str:
    if mean is None:
        return ""
    interval = "" if mean["low"] is None else f" ({mean['low']:+.2f} to {mean['high']:+.2f})"
    return f"{mean['value']:+.2f}{interval}"


def _fills(settings: "PipelineSettings", products: "Products") -> "tuple[pl.DataFrame, int]":
    """Return live fills whose venue the tape is of, with their strategy, and how many are of another venue."""
    import polars as pl

    from hean_pipelines.resources.lake import Lake

    lake = Lake(settings.lake_root)
    orders = lake.scan(_ORDERS).select("client_id", "strategy").collect().unique("client_id")
    fills = lake.scan(_FILLS).filter(pl.col("kind") == "trade").collect().unique("exec_id")
    fills = fills.join(orders, on="client_id", how="left").sort("at_ns")
    fills = fills.with_columns(
        pl.col("price").cast(pl.Float64, strict=False), strategy=pl.col("strategy").fill_null("unknown")
    ).drop_nulls(["price", "side"])
    events = products.mart(EVENTS)
    shape = {"order_url": pl.String(), "market_data_url": pl.String()}
    starts = pl.DataFrame(schema={"at_ns": pl.Int64(), "is_one": pl.Boolean()})
    if events.is_file():
        told = pl.read_parquet(events).filter(pl.col("kind") == "start")
        urls = told.get_column("body").str.json_decode(pl.Struct(shape)).struct
        is_one = (urls.field("order_url") == urls.field("market_data_url")).fill_null(value=False)
        starts = told.select("at_ns").with_columns(is_one=is_one).sort("at_ns")
    placed = fills.join_asof(starts, on="at_ns")
    same = placed.filter(pl.col("is_one").fill_null(value=False))
    return same, placed.height - same.height


def _marked(settings: "PipelineSettings", symbol: str, own: "pl.DataFrame") -> "np.ndarray":
    """Return the fills of one symbol with their markouts, as far as its tape goes."""
    from datetime import UTC, datetime

    from hean_pipelines.defs.market_data.tape_ingest import partition_path, read_tape
    from hean_pipelines.resources.lake import Lake
    from models.learning.live_markouts import MidReader, fills_of, mark_out, times_of

    fills = fills_of(*(own.get_column(name).to_numpy() for name in ("at_ns", "side", "price", "is_maker")))
    contract = Lake(settings.lake_root).scan(_INSTRUMENTS, [symbol]).collect()
    if not contract.height:
        return fills
    tick_size = float(contract.get_column("tick_size")[-1])
    times = times_of(fills)
    reader = MidReader(tick_size, times)
    touched = {int(at_ns) // _DAY_NS for at_ns in times}
    # The book goes on over midnight: its snapshot may lie in the day before.
    for day in sorted(touched | {day - 1 for day in touched}):
        date = datetime.fromtimestamp(day * 86_400, tz=UTC).date()
        if partition_path(settings.lake_root, symbol, date).is_file():
            for events in read_tape(settings.lake_root, symbol, date):
                reader.take(events)
    mark_out(fills, times, reader.mids)
    return fills
