"""L5's inputs: live errors from the journal, errors out of sample from training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from hean_pipelines.defs.learning.drift import drift_definitions, drifted, measure
from hean_pipelines.resources.products import Products
from models.learning.drift import Drift
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
