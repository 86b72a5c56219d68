"""Assets `model_cascade__challenger` and `model_cascade__champion`: M2 trained, judged, registered and promoted.

Here belong the MLflow runs, the checks, and moving the alias. Tapes are `cascade_tapes`, the bundle `cascade_bundle`, the
decision `models.cascade.promotion`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from typing import TYPE_CHECKING, Any

import dagster as dg

from hean_pipelines.defs.training.cascade_promotion import CHALLENGER, products_of, promote
from hean_pipelines.resources.registry import POOL, Registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hean_pipelines.defs.training.cascade_bundle import Packed
    from hean_pipelines.resources.products import Products
    from hean_pipelines.settings import PipelineSettings
    from models.cascade.labels import CascadeTable, LabelParams
    from models.cascade.scores import Score
    from models.cascade.walk_forward import Predictions

CHAMPION = "model_cascade__champion"
EXPERIMENT = "hean-cascade"
CHECK = "fit_to_promote"


class CascadeConfig(dg.Config):
    """What a training may be told.

    Attributes
    ----------
    horizon_s : float
        How far ahead a cascade is looked for.
    every_s : float
        Distance of the samples.
    days : int
        Newest recorded days trained on.
    synthetic : bool
        Train on a synthetic market with a planted precursor instead of what was recorded: to see the model find it.
    hours, seed
        Length and seed of that market.
    folds : int
        Of the walk-forward.

    """

    horizon_s: float = 300.0
    every_s: float = 30.0
    days: int = 14
    synthetic: bool = False
    hours: float = 72.0
    seed: int = 1
    folds: int = 6


def cascade_definitions(settings: "PipelineSettings", registry: Registry) -> dg.Definitions:
    """Return both assets."""

    @dg.asset(
        name=CHALLENGER,
        group_name="training",
        kinds={"mlflow", "scikitlearn", "lightgbm"},
        pool=POOL,
        description="M2: the probability that a liquidation cascade begins within the next minutes, by base rate, logistic "
        "regression, random forest and LightGBM, walked forward over recorded tapes, "
        "the best registered as the next version of `hean-cascade` with alias `challenger`.",
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=CHALLENGER,
                description="Beats the base rate out of sample and is calibrated; what fails is not promoted.",
            )
        ],
    )
    def challenger(context: dg.AssetExecutionContext, config: CascadeConfig):
        body, metadata = train(settings, registry, config, context.run.run_id, context.log.info)
        yield dg.MaterializeResult(metadata=metadata)
        yield dg.AssetCheckResult(
            check_name=CHECK,
            passed=bool(body["checks"]) and all(body["checks"].values()),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={key: dg.MetadataValue.bool(value) for key, value in body["checks"].items()},
        )

    @dg.asset(
        name=CHAMPION,
        group_name="promotion",
        kinds={"mlflow"},
        deps=[dg.AssetKey(CHALLENGER)],
        pool=POOL,
        description="The version of `hean-cascade` the executor asks. The alias moves only where the challenger passed its "
        "checks and loses less on samples neither model had seen, by a paired test on blocks of time.",
    )
    def champion(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        decision, version = promote(settings, registry)
        context.log.info(decision.reason)
        return dg.MaterializeResult(
            metadata={
                "promoted": decision.promote,
                "reason": decision.reason,
                "champion_version": version or dg.MetadataValue.null(),
            }
        )

    return dg.Definitions(assets=[challenger, champion])


def train(
    settings: "PipelineSettings", registry: Registry, config: CascadeConfig, run_id: str, say: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train, judge and register; returns what is written down and what Dagster shows."""
    from hean_pipelines.defs.training import cascade_bundle as bundle
    from hean_pipelines.defs.training.cascade_tapes import recorded, sample, synthetic
    from hean_pipelines.resources.products import Products
    from models.cascade.labels import LabelParams, stack
    from models.cascade.scores import choose, score_all
    from models.cascade.training import TrainingParams
    from models.cascade.walk_forward import WalkForwardParams, walk_forward

    labels = LabelParams(horizon_s=config.horizon_s)
    params = WalkForwardParams(config.folds, config.horizon_s, TrainingParams(embargo_s=config.horizon_s))
    sources = synthetic(config.seed, config.hours) if config.synthetic else recorded(settings, config.days)
    products = Products(settings.lake_root)
    if not sources.tapes:
        return _nothing(products, "nothing was recorded: no tape in the lake and no folder of recordings")
    table = stack([sample(tape, config.every_s, labels) for tape in sources.tapes])
    say(f"{len(table)} samples, {table.cascades} cascades by {', '.join(table.sources)}")
    many = walk_forward(table, params)
    scores = score_all(table, many, settings.promotion_level)
    if not len(many["base_rate"].rows):
        return _nothing(products, f"too few cascades to train on: {table.cascades}")
    null = _null_scores(sources.null, config.every_s, labels, params, settings.promotion_level)
    body: dict[str, Any] = {
        "market": sources.kind,
        "tapes": [tape.market.name for tape in sources.tapes],
        "labels": list(table.sources),
        "samples": len(table),
        "cascades": table.cascades,
        "scores": bundle.score_rows(scores),
        "null": bundle.score_rows(null),
        "registered_model": bundle.REGISTERED,
        "checks": {},
    }
    chosen = choose(table, many, settings.promotion_level)
    own = next(s for s in scores if s.model == chosen)
    checks = bundle.checks_of(table, own, many[chosen])
    told = {"verdict": own.verdict, "market": sources.kind, "labels": list(table.sources)}
    evidence = {"M2": {"passed": all(checks.values()), **told}}
    packed = bundle.pack(table, chosen, labels, params.training, settings.bundle_valid_days, evidence)
    pictures = _pictures(table, many, scores, null)
    version = _log(registry, run_id, table, scores, chosen, packed, pictures)
    body |= {
        "candidate": chosen,
        "version": version,
        "trained_through_ns": packed.trained_through_ns,
        "expires_at_ns": packed.expires_at_ns,
        "data_version": packed.data_version,
        "code_version": packed.code_version,
        "checks": checks,
    }
    path, _, tested_path = products_of(products)
    products.write(tested_path, bundle.tested_frame(table, many, chosen))
    products.write_json(path, body)
    return body, _metadata(body, pictures)


def _nothing(products: "Products", why: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write down that nothing was trained, and why."""
    body = {"reason": why, "registered_model": "hean-cascade", "checks": {}}
    products.write_json(products_of(products)[0], body)
    return body, {"note": why}


def _null_scores(
    tape: Any, every_s: float, labels: "LabelParams", params: Any, level: float
) -> "list[Score]":
    from hean_pipelines.defs.training.cascade_tapes import sample
    from models.cascade.scores import score_all
    from models.cascade.walk_forward import walk_forward

    if tape is None:
        return []
    table = sample(tape, every_s, labels)
    return score_all(table, walk_forward(table, params), level)


def _pictures(
    table: "CascadeTable",
    many: "Mapping[str, Predictions]",
    scores: "Sequence[Score]",
    null: "Sequence[Score]",
) -> dict[str, bytes]:
    from hean_pipelines.defs.training import cascade_figures as figures

    return {
        "calibration": figures.calibration_figure(table, many),
        "precision_recall": figures.precision_figure(table, many),
        "log_loss_saved": figures.gain_figure(scores, null),
    }


def _metadata(body: dict[str, Any], pictures: dict[str, bytes]) -> dict[str, Any]:
    from hean_pipelines.plots import markdown_image

    shown = "\n\n".join(markdown_image(png, name.replace("_", " ")) for name, png in pictures.items())
    keys = ("candidate", "version", "market", "samples", "cascades", "data_version", "code_version")
    return {
        **{key: body[key] for key in keys},
        "labels_from": ", ".join(body["labels"]),
        "verdicts": dg.MetadataValue.json({row["model"]: row["verdict"] for row in body["scores"]}),
        "verdicts_on_the_null": dg.MetadataValue.json({row["model"]: row["verdict"] for row in body["null"]}),
        "scores": dg.MetadataValue.json(body["scores"]),
        "pictures": dg.MetadataValue.md(shown),
    }


def _log(
    registry: Registry,
    dagster_run_id: str,
    table: "CascadeTable",
    scores: "Sequence[Score]",
    chosen: str,
    packed: "Packed",
    pictures: dict[str, bytes],
) -> int:
    """Log one run per candidate and register the chosen one; return its version."""
    from hean_pipelines.defs.training import cascade_bundle as bundle
    from models.cascade.features import FEATURE_NAMES

    version = 0
    common: dict[str, Any] = {"data_version": packed.data_version, "code_version": packed.code_version}
    for score in scores:
        with registry.start_run(
            EXPERIMENT,
            score.model,
            dagster_run_id=dagster_run_id,
            tags={"candidate": score.model, "chosen": str(score.model == chosen).lower()},
            params={"candidate": score.model, "samples": len(table), "cascades": table.cascades},
            metrics=bundle.metrics_of(score),
            figures=pictures if score.model == chosen else None,
            **common,
        ) as run:
            if score.model == chosen:
                version = registry.log_bundle(
                    bundle.REGISTERED,
                    packed.files,
                    run_id=run.run_id,
                    signature=(dict.fromkeys(FEATURE_NAMES, "double"), {"probability": "double"}),
                    tags={"candidate": chosen, **common},
                )
    registry.set_alias(bundle.REGISTERED, "challenger", version)
    return version
