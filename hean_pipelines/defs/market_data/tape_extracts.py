"""What is taken out of recorded tape into datasets of its own: forced orders, and open interest minute by minute.

The tape holds both among millions of book events; marts want the few rows. No Dagster in the work, wiring at the end. What does
not belong here: reading segments (`tape_ingest.py`).
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np

from hean_pipelines.defs.market_data.assets import GROUP, column_schema, partition_days, told_plainly
from hean_pipelines.partitions import backfill_policy, beta_features
from hean_pipelines.resources.lake_schemas import DATASETS
from hean_pipelines.settings import PipelineSettings

if TYPE_CHECKING:
    import polars as pl

LIQUIDATIONS = "raw_bybit__liquidations"
OPEN_INTEREST = "raw_bybit__60s_open_interest"
TAPE = "raw_bybit__tape"
_MINUTE_NS = 60 * 10**9
Extract = Callable[[Iterable[np.ndarray], str], "pl.DataFrame"]


def liquidations_of(chunks: Iterable[np.ndarray], symbol: str) -> "pl.DataFrame":
    """Return the forced orders of a day of tape, by receive time.

    Parameters
    ----------
    chunks : iterable of array of EVENT
        In order.
    symbol : str

    """
    import polars as pl

    from hean_pipelines.resources.lake import schema_of
    from models.market.tape import EVENT, LIQUIDATION

    parts = [chunk[chunk["kind"] == LIQUIDATION] for chunk in chunks]
    rows = np.concatenate([np.empty(0, EVENT), *parts])
    return pl.DataFrame(
        {
            "local_ts": rows["local_ts"],
            "exch_ts": rows["exch_ts"],
            "symbol": [symbol] * len(rows),
            "side": rows["side"].astype("i8"),
            "price": rows["price"],
            "size": rows["size"],
            "seq": np.arange(len(rows)),
            "available_at": rows["local_ts"],
        },
        schema=schema_of(DATASETS[LIQUIDATIONS]),
    )


def open_interest_of(chunks: Iterable[np.ndarray], symbol: str) -> "pl.DataFrame":
    """Return the last open interest received in each minute of a day of tape; see `liquidations_of`."""
    import polars as pl

    from hean_pipelines.resources.lake import schema_of
    from models.market.tape import EVENT
    from models.market.tape import OPEN_INTEREST as KIND

    parts = [chunk[chunk["kind"] == KIND] for chunk in chunks]
    rows = np.concatenate([np.empty(0, EVENT), *parts])
    minutes = rows["local_ts"] // _MINUTE_NS
    last = np.append(minutes[1:] != minutes[:-1], True)[: len(rows)]
    kept = rows[last]
    return pl.DataFrame(
        {
            "ts": kept["local_ts"],
            "symbol": [symbol] * len(kept),
            "open_interest": kept["size"],
            "available_at": kept["local_ts"],
        },
        schema=schema_of(DATASETS[OPEN_INTEREST]),
    )


EXTRACTS: dict[str, Extract] = {LIQUIDATIONS: liquidations_of, OPEN_INTEREST: open_interest_of}


def extract_days(dataset: str, lake_root: Path, first: date, last: date) -> dict[str, int]:
    """Take a dataset out of every day of tape from `first` to `last`; returns rows by symbol.

    A day without such rows has no file; the file of an earlier run of that day is left as it is.
    """
    from hean_pipelines.defs.market_data.tape_ingest import read_tape
    from hean_pipelines.resources.lake import Lake

    lake, counts = Lake(lake_root), {}
    symbols = sorted(
        path.name.removeprefix("symbol=") for path in (lake_root / TAPE).glob("venue=bybit/symbol=*")
    )
    for symbol in symbols:
        for offset in range((last - first).days + 1):
            day = first + timedelta(offset)
            if not (lake_root / TAPE / "venue=bybit" / f"symbol={symbol}" / f"date={day}").is_dir():
                continue
            frame = EXTRACTS[dataset](read_tape(lake_root, symbol, day), symbol)
            if frame.height:
                lake.write_partition(dataset, symbol, day, frame)
            counts[symbol] = counts.get(symbol, 0) + frame.height
    return counts


def extract_asset(
    dataset: str, settings: PipelineSettings, partitions: dg.PartitionsDefinition
) -> dg.AssetsDefinition:
    """Return the asset of one extract."""
    declared = DATASETS[dataset]

    def compute(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        first, last = partition_days(context)
        with told_plainly():
            rows = extract_days(dataset, settings.lake_root, first, last)
        metadata: dict[str, Any] = {"rows": sum(rows.values()), "rows_by_symbol": rows}
        return dg.MaterializeResult(metadata=metadata)

    with beta_features():
        return dg.asset(
            name=dataset,
            description=declared.description,
            deps=[TAPE],
            partitions_def=partitions,
            backfill_policy=backfill_policy(settings),
            group_name=GROUP,
            kinds={"bybit", "parquet"},
            metadata={
                "folder": str(settings.lake_root / dataset),
                "key": ", ".join(declared.key),
                "dagster/column_schema": column_schema(declared),
            },
        )(compute)
