"""M2 and M4 as assets over a real lake and a real MLflow store: challengers, champions, renewal, and too little data."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hean_live.app.model_store import CASCADE_KIND, ModelStore
from hean_live.bundle.cache import BundleCache
from hean_live.bundle.fetch import fetch
from hean_live.bundle.watcher import FetchResult
from hean_pipelines.defs.market_data.tape_ingest import SCHEMA, partition_path
from hean_pipelines.defs.training.cascade import CascadeConfig, cascade_definitions
from hean_pipelines.defs.training.cascade_promotion import products_of, promote
from hean_pipelines.defs.training.cascade_tapes import light_market, recorded
from hean_pipelines.defs.training.regime_hmm import RegimeConfig, regime_definitions
from hean_pipelines.resources.lake import Lake, schema_of
from hean_pipelines.resources.lake_schemas import dataset_named
from hean_pipelines.resources.products import Products
from hean_pipelines.resources.registry import Registry
from models.bundle import verify_bundle
from models.cascade.features import CASCADE_SPEC_HASH
from models.cascade.predictor import CascadePredictor, check_golden_rows
from models.errors import DataError
from models.market.tape import to_columns
from models.regimes.bundle import RegimeModels
from models.simulation.order_flow.generator import stream_order_flow
from tests.pipelines.training.lake_of_marts import settings_at

DAY = datetime(2024, 3, 1, tzinfo=UTC)
DAY_NS = 86_400_000_000_000
INSTRUMENTS = "raw_bybit__snapshot_instruments"


def write_minutes(lake: Lake, symbol: str, seed: int, days: int) -> None:
    """Mark closes whose returns switch between a calm and a wild state."""
    generator = np.random.default_rng(seed)
    n = days * 1440
    wild, state = np.zeros(n, bool), False
    for t in range(n):
        state = generator.random() < (0.97 if state else 0.005)
        wild[t] = state
    close = 100.0 * np.exp(np.cumsum(generator.standard_normal(n) * np.where(wild, 9.0, 2.0)) / 1e4)
    ts = int(DAY.timestamp()) * 10**9 + np.arange(n, dtype=np.int64) * 60_000_000_000
    for day in range(days):
        rows = slice(1440 * day, 1440 * (day + 1))
        frame = pl.DataFrame({"ts": ts[rows], "symbol": [symbol] * 1440})
        frame = frame.with_columns(**{c: pl.Series(close[rows]) for c in ("open", "high", "low", "close")})
        frame = frame.with_columns(available_at=pl.Series(ts[rows] + 60_000_000_000))
        lake.write_partition("raw_bybit__1m_mark_klines", symbol, (DAY + timedelta(days=day)).date(), frame)


def snapshot_contract(lake: Lake, tick_size: float, lot_size: float) -> None:
    """What the venue said of the contract, as far as a tape needs it."""
    schema = schema_of(dataset_named(INSTRUMENTS))
    empty = {pl.String: "", pl.Int64: 0, pl.Float64: 1.0}
    seen = int(DAY.timestamp()) * 10**9
    known = {"symbol": "BTCUSDT", "seen_at": seen, "available_at": seen}
    known |= {"tick_size": tick_size, "qty_step": lot_size}
    frame = pl.DataFrame(
        {name: [known.get(name, empty[kind])] for name, kind in schema.items()}, schema=schema
    )
    lake.write_partition(INSTRUMENTS, "BTCUSDT", DAY.date(), frame)


def run(definitions: dg.Definitions, step: str, **config: object) -> dg.ExecuteInProcessResult:
    ops = {"ops": {step: {"config": config}}} if config else {}
    return dg.materialize(list(definitions.assets or []), run_config=ops)


def metadata_of(result: dg.ExecuteInProcessResult, name: str) -> dict[str, object]:
    [event] = result.asset_materializations_for_node(name)
    return {key: value.value for key, value in event.metadata.items()}


def test_the_planted_precursor_is_found_promoted_and_renewed(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    registry = Registry.from_settings(settings)
    definitions = cascade_definitions(settings, registry)
    config = CascadeConfig(synthetic=True, hours=72.0, seed=11).model_dump()
    result = run(definitions, "model_cascade__challenger", **config)
    assert result.success
    shown = metadata_of(result, "model_cascade__challenger")
    assert shown["market"] == "synthetic"
    assert shown["candidate"] in ("logistic", "forest", "lightgbm")
    assert set(shown["verdicts_on_the_null"].values()) == {"no better than the base rate"}
    assert "data:image/png" in str(shown["pictures"])
    assert registry.alias_version("hean-cascade", "champion") == 1

    files = registry.download_bundle("hean-cascade", 1)
    manifest = verify_bundle(files)
    assert manifest.kind == "cascade_predictor"
    assert manifest.feature_spec_hash == CASCADE_SPEC_HASH
    assert manifest.evidence["M2"] == {
        "passed": True,
        "verdict": "better than the base rate",
        "market": "synthetic",
        "labels": ["liquidation feed"],
    }
    assert manifest.expires_at_ns - manifest.trained_through_ns == round(settings.bundle_valid_days * 86400e9)
    check_golden_rows(CascadePredictor.from_files(files), manifest.golden)

    # The executor's own way: a process's fetch into its cache, then the store.
    cache = BundleCache(tmp_path / "bundles" / "hean-cascade")
    found = fetch(settings.tracking_uri, "hean-cascade", "champion", cache, "")
    store = ModelStore(tmp_path / "bundles", "hean-funding", "", print, cascade_name="hean-cascade")
    assert store.take(CASCADE_KIND, FetchResult(**found))
    assert store.cascade is not None
    assert store.cascade.trained_on == "synthetic"
    assert store.cascade.refusal(manifest.trained_through_ns) == ""

    # The same forecasts again: only the expiry is renewed.
    decision, version = promote(settings, registry)
    assert decision.promote
    assert decision.reason.startswith("renewal")
    assert version == 1


def test_too_few_cascades_register_nothing(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    registry = Registry.from_settings(settings)
    result = run(
        cascade_definitions(settings, registry),
        "model_cascade__challenger",
        **CascadeConfig(synthetic=True, hours=1.0).model_dump(),
    )
    assert result.success
    assert registry.alias_version("hean-cascade", "challenger") is None
    products = Products(settings.lake_root)
    body = products.read_json(products_of(products)[0])
    assert body is not None
    assert "too few cascades" in body["reason"]
    assert not metadata_of(result, "model_cascade__champion")["promoted"]


def test_nothing_recorded_trains_nothing(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    registry = Registry.from_settings(settings)
    result = run(cascade_definitions(settings, registry), "model_cascade__challenger")
    assert result.success
    assert "nothing was recorded" in str(metadata_of(result, "model_cascade__challenger")["note"])
    assert registry.alias_version("hean-cascade", "challenger") is None


def test_tapes_of_the_lake_are_trained_on(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    market = light_market(2.0)
    days: dict[date, list[np.ndarray]] = {}
    for chunk in stream_order_flow(market, 11, 3 * 86_400.0):
        day_of = chunk.events["local_ts"] // DAY_NS
        for number in np.unique(day_of):
            day = date(1970, 1, 1) + timedelta(days=int(number))
            days.setdefault(day, []).append(chunk.events[day_of == number])
    for day, parts in days.items():
        path = partition_path(settings.lake_root, "BTCUSDT", day)
        path.parent.mkdir(parents=True)
        pq.write_table(pa.table(to_columns(np.concatenate(parts)), schema=SCHEMA), path)
    with pytest.raises(DataError, match="snapshot of its contract"):
        recorded(settings, 14)
    snapshot_contract(Lake(settings.lake_root), market.tick_size, market.lot_size)
    [newest] = recorded(settings, 1).tapes
    assert newest.market.hours == 24.0
    registry = Registry.from_settings(settings)
    result = run(cascade_definitions(settings, registry), "model_cascade__challenger")
    shown = metadata_of(result, "model_cascade__challenger")
    assert shown["market"] == "recorded"
    assert shown["samples"] > 5000
    assert set(shown["verdicts"].values()) >= {"better than the base rate"}
    assert shown["verdicts_on_the_null"] == {}
    assert registry.alias_version("hean-cascade", "champion") == 1


def test_regimes_are_fitted_compared_and_promoted(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    registry, lake = Registry.from_settings(settings), Lake(settings.lake_root)
    definitions = regime_definitions(settings, registry)
    write_minutes(lake, "AAAUSDT", 1, 2)
    write_minutes(lake, "BBBUSDT", 2, 2)
    result = run(definitions, "model_regime_hmm__challenger", **RegimeConfig().model_dump())
    assert result.success
    assert registry.alias_version("hean-regime-hmm", "champion") == 1
    shown = metadata_of(result, "model_regime_hmm__challenger")["symbols"]
    assert {own["states"] for own in shown.values()} == {2}
    assert shown["AAAUSDT"]["volatility_bps"] == pytest.approx([2.0, 9.0], rel=0.15)
    assert shown["AAAUSDT"]["expected_dwell_min"][1] == pytest.approx(1 / 0.03, rel=0.5)
    models = RegimeModels.from_files(registry.download_bundle("hean-regime-hmm", 1))
    assert set(models.models) == {"AAAUSDT", "BBBUSDT"}

    # Later minutes of the same kind: neither model is better, so the champion stays.
    write_minutes(lake, "AAAUSDT", 1, 4)
    write_minutes(lake, "BBBUSDT", 2, 4)
    again = run(definitions, "model_regime_hmm__challenger", **RegimeConfig().model_dump())
    promotion = metadata_of(again, "model_regime_hmm__champion")
    assert "the champion stays" in str(promotion["reason"])
    assert registry.alias_version("hean-regime-hmm", "champion") == 1


def test_no_minutes_register_nothing(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    registry = Registry.from_settings(settings)
    result = run(regime_definitions(settings, registry), "model_regime_hmm__challenger")
    assert result.success
    assert registry.alias_version("hean-regime-hmm", "challenger") is None
