"""X4 of live fills from a lake: joined with their strategy, and left out where the tape is of another venue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hean_pipelines.defs.learning.markouts import markout_definitions, measure
from hean_pipelines.defs.market_data.tape_ingest import partition_path
from hean_pipelines.resources.lake import Lake, schema_of
from hean_pipelines.resources.lake_schemas import ALL_SYMBOLS, DATASETS
from hean_pipelines.resources.products import Products
from hean_pipelines.settings import PipelineSettings
from models.market.tape import EVENT, SNAPSHOT
from tests.learning.test_live_markouts import S_NS, T, tape, touch
from tests.pipelines.learning.marts import settings_of

DAY = datetime.fromtimestamp(T / 1e9, tz=UTC).date()
SYMBOL = "BTCUSDT"


def put(lake: Lake, dataset: str, rows: list[dict[str, object]], symbol: str = ALL_SYMBOLS) -> None:
    schema = schema_of(DATASETS[dataset])
    frame = pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
    lake.write_partition(dataset, symbol, DAY, frame)


def prepare(settings: PipelineSettings, data_url: str = "http://venue") -> None:
    lake, products = Lake(settings.lake_root), Products(settings.lake_root)
    fill = {"symbol": SYMBOL, "kind": "trade", "qty": "1", "fee_usd": "0", "available_at": T}
    fills = [
        {**fill, "exec_id": "a", "client_id": "c1", "side": 1, "price": "99.5", "is_maker": 1, "at_ns": T},
        {
            **fill,
            "exec_id": "b",
            "client_id": "c2",
            "side": -1,
            "price": "100.5",
            "is_maker": 0,
            "at_ns": T + 1,
        },
        {
            **fill,
            "exec_id": "f",
            "client_id": None,
            "side": 1,
            "price": "",
            "at_ns": T + 2,
            "kind": "funding",
        },
    ]
    put(lake, "raw_hean__fills", fills)
    order = {"symbol": SYMBOL, "decision_ns": T, "created_ns": T, "updated_ns": T, "available_at": T}
    put(lake, "raw_hean__orders", [{**order, "client_id": "c1", "strategy": "S7"}])
    begun = {"order_url": "http://venue", "market_data_url": data_url}
    starts = pl.DataFrame({"at_ns": [T - 1], "kind": ["start"], "body": [json.dumps(begun)]})
    products.write(products.mart("mart_hean__events"), starts)
    put(lake, "raw_bybit__snapshot_instruments", [{"symbol": SYMBOL, "tick_size": 0.5, "seen_at": T}], SYMBOL)
    events = tape(touch(T - S_NS, 100.0, SNAPSHOT), touch(T + 3 * S_NS, 101.0))
    path = partition_path(settings.lake_root, SYMBOL, DAY)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({name: events[name] for name in EVENT.names}), path)


def test_markouts_of_the_journals_fills(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    prepare(settings)
    assert dg.materialize(list(markout_definitions(settings).assets or [])).success
    body = json.loads((settings.lake_root / "learning" / "markouts.json").read_text())
    assert (body["fills"], body["elsewhere"], body["verdict"]) == (2, 0, "sound")
    groups = {group["group"]: group for group in body["groups"]}
    assert set(groups) == {"all", "maker", "taker", "S7", "unknown"}
    first = groups["S7"]["means"][0]
    assert first["value"] == pytest.approx(1e4 * 0.5 / 99.5)
    assert first["low"] is None
    # The tape ends after three seconds.
    assert groups["S7"]["means"][3:] == [None, None, None]


def test_fills_of_another_venue_are_left_out(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    prepare(settings, data_url="http://elsewhere")
    body = measure(settings, Products(settings.lake_root))
    assert (body["fills"], body["elsewhere"], body["verdict"]) == (0, 2, "unknown")


def test_an_empty_lake_says_unknown(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    body = measure(settings, Products(settings.lake_root))
    assert (body["fills"], body["verdict"], len(body["groups"])) == (0, "unknown", 3)
