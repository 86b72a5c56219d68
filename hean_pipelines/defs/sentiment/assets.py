"""Asset `model_hean__sentiment`: the crowd's mood as a bundle in the registry that the executor loads; its job and schedule.

Versions and aliases are those of the policy: the executor follows `champion`, each new mood moves `champion` and `in_force`. A
person who sets `champion` back holds an older mood, which expires like any other: as long as it stands below `in_force`, moods
are registered and the executor's alias is left where it is. A mood that says nothing new is not registered.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from typing import TYPE_CHECKING

import dagster as dg

from hean_pipelines.resources.registry import POOL, Registry

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings
    from models.market.mood import Mood

NAME = "model_hean__sentiment"
REGISTERED = "hean-sentiment"
CHAMPION, IN_FORCE = "champion", "in_force"
INDEX_MART, POSTS_MART = "mart_sentiment__fear_greed", "mart_sentiment__posts"
JOB = "tell_sentiment"
CRON = "27 * * * *"
"""After the hourly look at other venues, with which posts come in."""


def sentiment_definitions(settings: "PipelineSettings", registry: Registry) -> dg.Definitions:
    """Return the asset with its job and schedule; does no I/O."""

    @dg.asset(
        name=NAME,
        group_name="sentiment",
        kinds={"mlflow"},
        deps=[dg.AssetKey(INDEX_MART), dg.AssetKey(POSTS_MART)],
        pool=POOL,
        description="The newest Fear & Greed index and how people write about each coin, registered as `hean-sentiment` for the "
        "executor's shadows (S16); set the alias champion back to hold an older one.",
    )
    def sentiment(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from hean_pipelines.defs.sentiment.mood import mood_of
        from hean_pipelines.resources.products import Products

        products = Products(settings.lake_root)
        mood = mood_of(products.read_mart(INDEX_MART), products.read_mart(POSTS_MART))
        if mood is None:
            context.log.info("neither the index nor a post is in the lake: no mood")
            return dg.MaterializeResult(metadata={"known": False})
        newest, before = _newest(registry)
        version = newest
        is_held = (registry.alias_version(REGISTERED, CHAMPION) or 0) < (newest or 0)
        if before is None or not mood.says_as(before):
            version = _register(registry, context.run.run_id, mood)
            registry.set_alias(REGISTERED, IN_FORCE, version)
            if not is_held:
                registry.set_alias(REGISTERED, CHAMPION, version)
        return dg.MaterializeResult(
            metadata={
                "known": True,
                "version": version or 0,
                "is_new": version != newest,
                "held_by_a_person": is_held,
                "fear_greed": mood.fear_greed.value if mood.fear_greed else "unknown",
                "texts": dg.MetadataValue.json({name: r.value for name, r in mood.texts.items()}),
            }
        )

    job = dg.define_asset_job(
        JOB,
        # What is in the lake is for others to bring.
        selection=dg.AssetSelection.assets(NAME).upstream() - dg.AssetSelection.groups("other_venues"),
        description="Rebuild the marts of sentiment and tell the executor the crowd's mood.",
    )
    status = dg.DefaultScheduleStatus
    schedule = dg.ScheduleDefinition(
        job=job,
        cron_schedule=CRON,
        name="hourly_sentiment",
        execution_timezone="UTC",
        default_status=status.RUNNING if settings.schedules_running else status.STOPPED,
        description="The newest index and posts, for the executor.",
    )
    return dg.Definitions(assets=[sentiment], jobs=[job], schedules=[schedule])


def mood_files(mood: "Mood", code: str) -> dict[str, bytes]:
    """Return the bundle of a mood."""
    import hashlib

    from models.bundle import build_bundle
    from models.market.mood import FILE, KIND, to_text

    text = to_text(mood).encode()
    return build_bundle(
        {FILE: text},
        name=REGISTERED,
        kind=KIND,
        feature_spec_hash="",
        trained_through_ns=mood.made_at_ns,
        expires_at_ns=mood.expires_ns,
        code_version=code,
        data_version=hashlib.sha256(text).hexdigest()[:16],
    )


def _newest(registry: Registry) -> "tuple[int | None, Mood | None]":
    """Return the version made last and its mood; no mood where it cannot be read, which is then made again."""
    from models.errors import BundleError
    from models.market.mood import FILE, from_text

    version = registry.alias_version(REGISTERED, IN_FORCE)
    if version is None:
        return None, None
    try:
        return version, from_text(registry.download_bundle(REGISTERED, version)[FILE].decode())
    except (BundleError, KeyError, UnicodeDecodeError):
        return version, None


def _register(registry: Registry, run_id: str, mood: "Mood") -> int:
    from hean_pipelines.versions import code_version

    code = code_version()
    metrics = {f"text_{name}": reading.value for name, reading in mood.texts.items()}
    if mood.fear_greed is not None:
        metrics["fear_greed"] = mood.fear_greed.value
    files = mood_files(mood, code)
    with registry.start_run(
        REGISTERED,
        "sentiment",
        data_version=str(mood.made_at_ns),
        code_version=code,
        dagster_run_id=run_id,
        params={"made_at_ns": mood.made_at_ns},
        metrics=metrics,
    ) as run:
        return registry.log_bundle(REGISTERED, files, run_id=run.run_id)
