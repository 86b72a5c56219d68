"""L5's inputs: live errors from the journal, errors out of sample from training."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hean_live.app.bank.forecasts import keep_forecasts
from hean_live.app.snapshot import Note
from hean_live.shadow.records import CascadeForecast
from hean_pipelines.defs.learning.cascade_losses import cascade_losses
from hean_pipelines.defs.learning.drift import drift_definitions, drifted, measure
from hean_pipelines.defs.market_data.tape_ingest import partition_path
from hean_pipelines.defs.training.cascade_promotion import products_of
from hean_pipelines.resources.products import Products
from models.learning.drift import Drift
from models.market.tape import EVENT, GAP, LIQUIDATION, TRADE
from tests.pipelines.learning.marts import settings_of

HOUR_NS = 3_600_000_000_000


def write(products: Products, worsening: float, live: int = 90) -> None:
    rng = np.random.default_rng(1)
    times = np.arange(300) * 8 * HOUR_NS
    before = pl.DataFrame(
        {
            "model": "ridge",
            "horizon_min": 90,
            "settlement_ts": times,
            "predicted": 0.0,
            "realised": rng.normal(0.0, 1e-4, 300),
        }
    )
    other = before.with_columns(model=pl.lit("last"), realised=pl.lit(1.0))
    products.write(products.out_of_sample, pl.concat([before, other]))
    now = {
        "horizon_min": [90] * live + [60],
        "settlement_ns": (times[-1] + np.arange(1, live + 2) * 8 * HOUR_NS).tolist(),
        "predicted": [0.0] * (live + 1),
        "realised": [*rng.normal(0.0, worsening * 1e-4, live - 1).tolist(), None, 5.0],
    }
    products.write(products.mart("mart_hean__forecasts"), pl.DataFrame(now))
    products.write_json(products.champion, {"candidate": "ridge"})


def found(home: Path, worsening: float, live: int = 90) -> Drift:
    products = Products(settings_of(home).lake_root)
    write(products, worsening, live)
    return measure(products)["M1"]


def test_unchanged_forecasts_are_steady_and_worse_ones_are_not(tmp_path: Path) -> None:
    steady = found(tmp_path, 1.0)
    assert (steady.verdict, steady.live, steady.reference) == ("steady", 89, 300)
    assert 0.5 < steady.live_loss < 1.1  # mean |N(0, 1)| is 0.8 bps
    assert found(tmp_path, 2.5).verdict == "drifted"


def test_without_a_champion_or_forecasts_nothing_is_said(tmp_path: Path) -> None:
    products = Products(settings_of(tmp_path).lake_root)
    assert measure(products)["M1"].verdict == "not enough data"
    assert drifted(products) == set()


def test_the_asset_tells_promotion(tmp_path: Path) -> None:
    import dagster as dg

    settings = settings_of(tmp_path)
    products = Products(settings.lake_root)
    write(products, 2.5)
    assert dg.materialize(list(drift_definitions(settings).assets or [])).success
    assert drifted(products) == {"M1"}


# --- M2

S_NS = 1_000_000_000
HORIZON_NS = 300 * S_NS
BEGIN = 20_000 * 86_400 * S_NS


def record(products: Products, rows: list[tuple[int, int, int]], symbol: str = "BTCUSDT") -> None:
    """Write one day of tape: rows of (time, kind, side)."""
    events = np.zeros(len(rows), EVENT)
    for place, (at_ns, kind, side) in enumerate(sorted(rows)):
        events[place] = (at_ns, at_ns, kind, side, 100.0, 1.0)
    path = partition_path(products.root, symbol, datetime.fromtimestamp(rows[0][0] / 1e9, tz=UTC).date())
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({name: events[name] for name in EVENT.names}), path)


def cascade_at(at_ns: int, orders: int = 10, side: int = -1) -> list[tuple[int, int, int]]:
    return [(at_ns + k * S_NS, LIQUIDATION, side) for k in range(orders)]


def keep(
    products: Products, said: list[tuple[int, float]], symbol: str = "BTCUSDT", version: str = "3"
) -> None:
    rows = [
        {"symbol": symbol, "at_ns": at_ns, "probability": p, "horizon_s": 300.0, "version": version}
        for at_ns, p in said
    ]
    frame = pl.DataFrame({"kind": "cascade_forecast", "body": [json.dumps(row) for row in rows]})
    path = products.mart("mart_hean__events")
    products.write(path, pl.concat([pl.read_parquet(path), frame]) if path.is_file() else frame)


def test_what_the_executor_journals_is_what_is_read(tmp_path: Path) -> None:
    products = Products(settings_of(tmp_path).lake_root)
    train(products, 0.1, np.zeros(4))
    said = CascadeForecast("BTCUSDT", BEGIN + HORIZON_NS, 0.2, 300.0, "3", "00", "11")
    (note,) = keep_forecasts([said])
    assert isinstance(note, Note)
    frame = pl.DataFrame({"kind": [note.kind, "start"], "body": [json.dumps(dict(note.body)), "{}"]})
    products.write(products.mart("mart_hean__events"), frame)
    record(products, [(BEGIN + 1, TRADE, 1), (BEGIN + 9 * HORIZON_NS, TRADE, 1)])
    assert cascade_losses(products).live.gaps == pytest.approx([-0.2])


def train(products: Products, probability: float, labels: np.ndarray) -> None:
    """What training left: two tested samples a horizon before anything was live, the second of which does not count."""
    _, champion, tested = products_of(products)
    times = BEGIN - (len(labels) + 10) * HORIZON_NS + np.arange(len(labels)) * HORIZON_NS
    first = pl.DataFrame(
        {
            "made_at_ns": times,
            "known_ns": times + HORIZON_NS,
            "onset_ns": np.where(labels > 0, times + S_NS, 0),
            "probability": np.full(len(labels), probability),
        }
    )
    second = first.with_columns(pl.col("made_at_ns") + 30 * S_NS, probability=pl.lit(0.999))
    products.write(tested, pl.concat([first, second]))
    products.write_json(champion, {"version": 3})


def test_a_forecast_is_held_against_what_the_tape_says(tmp_path: Path) -> None:
    products = Products(settings_of(tmp_path).lake_root)
    train(products, 0.1, np.zeros(4))
    at = [BEGIN + k * HORIZON_NS for k in range(1, 9)]
    keep(products, [(t, 0.1 * (k + 1)) for k, t in enumerate(at)])
    keep(products, [(at[0], 0.99)], version="2")
    tape = [(BEGIN + 1, TRADE, 1), (BEGIN + 10 * HORIZON_NS, TRADE, 1)]
    tape += cascade_at(at[1] + 100 * S_NS)  # in the second's horizon
    tape += cascade_at(at[3] - 5 * S_NS)  # in the third's, at its end, and under way at the fourth
    tape += cascade_at(at[5] + 100 * S_NS, orders=9)  # one order short
    tape += [(at[6] + 100 * S_NS, GAP, 0)]  # a hole in the seventh's
    record(products, tape)
    live = cascade_losses(products).live
    happened = {0: 0.0, 1: 1.0, 2: 1.0, 4: 0.0, 5: 0.0, 7: 0.0}
    gaps = [label - 0.1 * (k + 1) for k, label in happened.items()]
    assert live.gaps == pytest.approx(gaps)
    assert live.losses == pytest.approx([-np.log1p(-abs(gap)) for gap in gaps])
    before = cascade_losses(products).before
    assert before.gaps.tolist() == [-0.1] * 4


def test_symbols_of_one_horizon_count_once_and_one_without_a_tape_not_at_all(tmp_path: Path) -> None:
    products = Products(settings_of(tmp_path).lake_root)
    train(products, 0.1, np.zeros(4))
    for symbol, p in (("BTCUSDT", 0.2), ("ETHUSDT", 0.4), ("XRPUSDT", 0.9)):
        keep(products, [(BEGIN + HORIZON_NS + S_NS, p)], symbol)
    end = [(BEGIN + 1, TRADE, 1), (BEGIN + 5 * HORIZON_NS, TRADE, 1)]
    record(products, end)
    record(products, [*end, *cascade_at(BEGIN + HORIZON_NS + 9 * S_NS)], "ETHUSDT")
    live = cascade_losses(products).live
    assert live.gaps == pytest.approx([(-0.2 + 0.6) / 2])


def test_forecasts_whose_outcome_is_not_recorded_yet_do_not_count(tmp_path: Path) -> None:
    products = Products(settings_of(tmp_path).lake_root)
    train(products, 0.1, np.zeros(4))
    keep(products, [(BEGIN + HORIZON_NS, 0.2), (BEGIN + 2 * HORIZON_NS, 0.3)])
    record(products, [(BEGIN + 1, TRADE, 1), (BEGIN + 2 * HORIZON_NS + S_NS, TRADE, 1)])
    assert cascade_losses(products).live.gaps == pytest.approx([-0.2])
    assert len(cascade_losses(Products(settings_of(tmp_path / "empty").lake_root)).live.gaps) == 0


@pytest.mark.parametrize(("rate", "drifted_as"), [(0.3, set()), (0.8, {"M2"}), (0.0, {"M2"})])
def test_cascades_more_or_less_often_than_said_are_drift(
    tmp_path: Path, rate: float, drifted_as: set[str]
) -> None:
    import dagster as dg

    settings = settings_of(tmp_path)
    products = Products(settings.lake_root)
    rng = np.random.default_rng(5)
    train(products, 0.3, (rng.random(400) < 0.3).astype(float))
    at = [BEGIN + 2 * k * HORIZON_NS for k in range(1, 70)]
    keep(products, [(t, 0.3) for t in at])
    tape = [(BEGIN + 1, TRADE, 1), (at[-1] + 5 * HORIZON_NS, TRADE, 1)]
    for t in at:
        tape += cascade_at(t + 100 * S_NS) if rng.random() < rate else []
    record(products, tape)
    assert dg.materialize(list(drift_definitions(settings).assets or [])).success
    assert drifted(products) == drifted_as
    found = measure(products)
    assert found["M2"].live == found["M2 calibration"].live == 69
    assert found["M2"].reference == 400
