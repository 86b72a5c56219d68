"""The way of a mood: from the marts by the registry into the executor's own store, forward, held, and refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from hean_live.app.model_store import ModelStore
from hean_live.app.mood import SENTIMENT_KIND, load_mood
from hean_live.bundle.cache import BundleCache
from hean_live.bundle.fetch import FETCHED, UNCHANGED, fetch
from hean_live.bundle.watcher import FetchResult
from hean_pipelines.defs.sentiment.assets import (
    INDEX_MART,
    POSTS_MART,
    REGISTERED,
    mood_files,
    sentiment_definitions,
)
from hean_pipelines.defs.sentiment.mood import TEXT_NS, mood_of
from hean_pipelines.resources.products import Products
from hean_pipelines.resources.registry import Registry
from hean_pipelines.settings import PipelineSettings, load_settings
from models.bundle import build_bundle
from models.errors import BundleError
from models.market.mood import FILE, VALID_NS, Mood, Reading, from_text, to_text

HOUR = 3_600_000_000_000
DAY = 24 * HOUR
NOW = 20_000 * DAY
INDEX_SCHEMA = {"ts": pl.Int64, "value": pl.Float64, "available_at": pl.Int64}
POSTS_SCHEMA = {
    "symbol": pl.String, "source": pl.String, "ts": pl.Int64, "posts": pl.Int64, "tone": pl.Float64, "available_at": pl.Int64,
}  # fmt: skip


def index(*rows: tuple[int, float]) -> pl.DataFrame:
    return pl.DataFrame([(ts, value, ts) for ts, value in rows], schema=INDEX_SCHEMA, orient="row")


def posts(*rows: tuple[str, int, int, float]) -> pl.DataFrame:
    told = [(symbol, "reddit", ts // HOUR * HOUR, count, tone, ts) for symbol, ts, count, tone in rows]
    return pl.DataFrame(told, schema=POSTS_SCHEMA, orient="row")


def turn(settings: PipelineSettings, fear_greed: pl.DataFrame, texts: pl.DataFrame) -> dict[str, Any]:
    products = Products(settings.lake_root)
    products.write(products.mart(INDEX_MART), fear_greed)
    products.write(products.mart(POSTS_MART), texts)
    definitions = sentiment_definitions(settings, Registry.from_settings(settings))
    [asset] = definitions.assets or []
    result = dg.materialize([asset], instance=dg.DagsterInstance.ephemeral())  # type: ignore[list-item]
    [made] = result.asset_materializations_for_node("model_hean__sentiment")
    return {name: value.value for name, value in made.metadata.items()}


def test_the_newest_index_and_the_posts_of_the_last_hours() -> None:
    fear_greed = index((NOW - DAY, 30.0), (NOW, 20.0))
    texts = posts(
        ("BTCUSDT", NOW + HOUR, 3, 0.25),
        ("BTCUSDT", NOW + HOUR - TEXT_NS + 1, 1, -0.75),
        ("ETHUSDT", NOW + HOUR - TEXT_NS, 5, 0.9),
    )
    mood = mood_of(fear_greed, texts)
    assert mood == Mood(NOW + HOUR, Reading(20.0, NOW), {"BTCUSDT": Reading(0.0, NOW + HOUR)})
    assert mood_of(index(), posts()) is None
    assert mood_of(fear_greed, posts()) == Mood(NOW, Reading(20.0, NOW))
    # An index that has stopped is not told, however well posts come in.
    late = mood_of(index((NOW, 20.0)), posts(("BTCUSDT", NOW + VALID_NS, 1, 0.5)))
    assert late == Mood(NOW + VALID_NS, None, {"BTCUSDT": Reading(0.5, NOW + VALID_NS)})


def test_a_mood_reaches_the_executor_and_can_be_held(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, partitions_start=date(2024, 1, 1))
    registry = Registry.from_settings(settings)
    assert turn(settings, index(), posts()) == {"known": False}
    first = turn(settings, index((NOW, 12.0)), posts(("BTCUSDT", NOW, 2, -0.5)))
    assert (first["version"], first["is_new"], first["fear_greed"]) == (1, True, 12.0)
    again = turn(settings, index((NOW, 12.0)), posts(("BTCUSDT", NOW, 2, -0.5)))
    assert (again["version"], again["is_new"]) == (1, False)
    assert turn(settings, index((NOW, 12.0), (NOW + DAY, 85.0)), posts())["version"] == 2

    bundles = tmp_path / "bundles"
    notes: list[str] = []
    store = ModelStore(bundles, "m", "x", lambda kind, body: notes.append(kind), sentiment_name=REGISTERED)

    def ask() -> str:
        have = store.wanted_version(SENTIMENT_KIND)
        answer = fetch(settings.tracking_uri, REGISTERED, "champion", BundleCache(bundles / REGISTERED), have)
        store.take(
            SENTIMENT_KIND,
            FetchResult(**{k: v for k, v in answer.items() if k in FetchResult.__annotations__}),
        )
        return answer["status"]

    assert (ask(), ask()) == (FETCHED, UNCHANGED)
    assert store.mood is not None
    assert store.mood.fear_greed == Reading(85.0, NOW + DAY)
    registry.set_alias(REGISTERED, "champion", 1)
    assert ask() == FETCHED
    assert store.mood.fear_greed == Reading(12.0, NOW)
    assert store.mood.texts == {"BTCUSDT": Reading(-0.5, NOW)}
    held = turn(settings, index((NOW + 2 * DAY, 50.0)), posts())
    assert (held["version"], held["held_by_a_person"]) == (3, True)
    assert registry.alias_version(REGISTERED, "champion") == 1
    registry.set_alias(REGISTERED, "champion", 3)
    assert turn(settings, index((NOW + 3 * DAY, 51.0)), posts())["held_by_a_person"] is False
    assert registry.alias_version(REGISTERED, "champion") == 4
    # After a restart the mood of before is there at once.
    later = ModelStore(bundles, "m", "x", lambda kind, body: None, sentiment_name=REGISTERED)
    later.load_cached()
    assert later.mood == store.mood


def test_what_is_no_mood_is_refused() -> None:
    mood = Mood(NOW, Reading(12.0, NOW), {"BTCUSDT": Reading(-0.5, NOW - HOUR)})
    assert load_mood(mood_files(mood, "test")) == mood
    assert from_text(to_text(mood)) == mood
    for wrong, words in (
        (Mood(NOW, Reading(101.0, NOW)), "from 0 to 100"),
        (Mood(NOW, Reading(float("nan"), NOW)), "from 0 to 100"),
        (Mood(NOW, None, {"BTCUSDT": Reading(-1.1, NOW)}), "from -1 to 1"),
        (Mood(NOW, Reading(12.0, NOW + 1)), "known by"),
    ):
        with pytest.raises(BundleError, match=words):
            to_text(wrong)
    fields: dict[str, Any] = {
        "name": REGISTERED, "kind": SENTIMENT_KIND, "feature_spec_hash": "", "trained_through_ns": NOW,
        "expires_at_ns": mood.expires_ns, "code_version": "t", "data_version": "t",
    }  # fmt: skip
    for text, changes, words in (
        ("[]", {}, "schema should be 1"),
        ("{", {}, "should be JSON"),
        ('{"schema": 1}', {}, "should have the fields"),
        (to_text(mood), {"kind": "policy"}, "kind should be sentiment"),
        (to_text(mood), {"expires_at_ns": NOW}, "as its manifest says"),
    ):
        with pytest.raises(BundleError, match=words):
            load_mood(build_bundle({FILE: text.encode()}, **{**fields, **changes}))
    with pytest.raises(BundleError, match="SHA-256"):
        load_mood({**mood_files(mood, "t"), FILE: b"{}"})
