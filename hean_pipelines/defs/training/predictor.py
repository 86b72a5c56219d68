"""Asset `model_funding__challenger`: the chosen candidate as a bundle in MLflow, with alias `challenger`.

Here belong the MLflow runs, one a candidate so that they compare side by side, and the checks a challenger must pass.
Whether it becomes champion is decided in `hean_pipelines.defs.promotion`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

from hean_pipelines.resources.registry import POOL, Registry

if TYPE_CHECKING:
    from hean_pipelines.defs.training.bundle import Packed
    from hean_pipelines.settings import PipelineSettings
    from models.funding.evaluation import Score
    from models.funding.table import FeatureTable
    from models.funding.walk_forward import Predictions

NAME = "model_funding__challenger"
EXPERIMENT = "hean-funding"


def metrics_of(scores: "Sequence[Score]", model: str) -> dict[str, float]:
    """Return one candidate's scores as MLflow metrics: `r2_90`, `r2_90_BTCUSDT`, `mae_bps_90` and so on."""
    out: dict[str, float] = {}
    for s in scores:
        if s.model != model:
            continue
        ending = f"_{s.horizon_min}" + ("" if s.symbol == "ALL" else f"_{s.symbol}")
        named = {
            "r2": s.r2,
            "mae_bps": s.mae * 1e4,
            "sign_accuracy": s.sign_accuracy,
            "pinball_bps": s.pinball * 1e4,
            "coverage_90pct": s.coverage_90,
            "settlements": float(s.n),
        }
        out |= {f"{key}{ending}": value for key, value in named.items() if value == value}
    return out


def challenger_checks(
    scores: "Sequence[Score]", chosen: str, unbeaten: Sequence[str], coverage: tuple[float, float]
) -> dict[str, bool]:
    """Return the checks a challenger must pass before it may be promoted, by name.

    Parameters
    ----------
    scores : sequence of Score
    chosen : str
        The challenger's candidate.
    unbeaten : sequence of str
        Naive baselines it does not beat.
    coverage : (float, float)
        Bounds of the share of realised rates within the 90 % interval.

    """
    from models.funding.evaluation import POOLED
    from models.funding.table import HORIZONS_MIN

    pooled = next(
        (s for s in scores if s.model == chosen and s.symbol == POOLED and s.horizon_min == HORIZONS_MIN[0]),
        None,
    )
    return {
        "beats_naive_baselines": pooled is not None and not unbeaten,
        "explains_something": pooled is not None and pooled.r2 > 0.0,
        "interval_is_honest": pooled is not None and coverage[0] <= pooled.coverage_90 <= coverage[1],
    }


def predictor_definitions(settings: "PipelineSettings", registry: Registry) -> dg.Definitions:
    """Return the challenger asset with its check."""

    @dg.asset(
        name=NAME,
        group_name="training",
        kinds={"mlflow", "lightgbm"},
        deps=[
            dg.AssetKey("feat_bybit__settlement_funding"),
            dg.AssetKey("forecast_funding__out_of_sample"),
            dg.AssetKey("evidence_funding__premium_study"),
        ],
        pool=POOL,
        description="The candidate put forward by the walk-forward, fitted on the newest window, registered in MLflow as "
        "the next version of `hean-funding` with alias `challenger`.",
        check_specs=[
            dg.AssetCheckSpec(
                "fit_to_promote",
                asset=NAME,
                blocking=True,
                description="Beats naive baselines; honest interval.",
            )
        ],
    )
    def challenger(context: dg.AssetExecutionContext):
        from hean_pipelines.defs.features.load import load_table
        from hean_pipelines.defs.training import bundle
        from hean_pipelines.defs.training.forecasts import load_predictions, walk_forward_params
        from hean_pipelines.resources.products import Products
        from models.funding.evaluation import choose, score_all, unbeaten_baselines
        from models.funding.table import HORIZONS_MIN

        products = Products(settings.lake_root)
        table = load_table(products)
        params = walk_forward_params(settings)
        many = load_predictions(products, table)
        scores = score_all(table, many)
        chosen = choose(table, many, HORIZONS_MIN[0], settings.promotion_level)
        study = products.read_json(products.premium_study) or {}
        evidence = {"E1": {key: study.get(key) for key in ("passed", "r2", "verdict", "n")}}
        packed = bundle.pack(table, chosen, many, params, settings.bundle_valid_days, evidence)
        unbeaten = unbeaten_baselines(table, many, chosen, HORIZONS_MIN[0])
        checks = challenger_checks(scores, chosen, unbeaten, (0.75, 0.99))
        version = _log(registry, context.run.run_id, table, many, scores, chosen, packed)
        products.write_json(
            products.challenger,
            {
                "candidate": chosen,
                "version": version,
                "registered_model": bundle.REGISTERED,
                "trained_through_ns": packed.trained_through_ns,
                "expires_at_ns": packed.expires_at_ns,
                "data_version": packed.data_version,
                "code_version": packed.code_version,
                "checks": checks,
            },
        )
        yield dg.MaterializeResult(
            metadata={
                "candidate": chosen,
                "version": version,
                "data_version": packed.data_version,
                "code_version": packed.code_version,
                **{
                    key: round(value, 4)
                    for key, value in metrics_of(scores, chosen).items()
                    if key.startswith("r2_90")
                },
            }
        )
        yield dg.AssetCheckResult(
            check_name="fit_to_promote",
            passed=all(checks.values()),
            metadata={key: dg.MetadataValue.bool(value) for key, value in checks.items()},
        )

    return dg.Definitions(assets=[challenger])


def _log(
    registry: Registry,
    dagster_run_id: str,
    table: "FeatureTable",
    many: "Mapping[str, Predictions]",
    scores: "Sequence[Score]",
    chosen: str,
    packed: "Packed",
) -> int:
    """Log one run per candidate and register the chosen one; return its version."""
    from hean_pipelines.defs.training import bundle, figures
    from models.funding.table import HORIZONS_MIN

    version = 0
    common: dict[str, Any] = {"data_version": packed.data_version, "code_version": packed.code_version}
    for name, predictions in many.items():
        with registry.start_run(
            EXPERIMENT,
            name,
            dagster_run_id=dagster_run_id,
            tags={"candidate": name, "chosen": str(name == chosen).lower()},
            params={
                "candidate": name,
                "rows": len(predictions.rows),
                "symbols": len(set(table.symbol.tolist())),
            },
            metrics=metrics_of(scores, name),
            **common,
        ) as run:
            if name != chosen:
                continue
            run.log(
                figures={
                    "skill": figures.skill_figure(scores, HORIZONS_MIN),
                    "forecast_against_realised": figures.scatter_figure(table, predictions, HORIZONS_MIN[0]),
                    "coverage": figures.coverage_figure(table, many, HORIZONS_MIN[0]),
                }
            )
            example = bundle.input_example(table)
            version = registry.log_bundle(
                bundle.REGISTERED,
                packed.files,
                run_id=run.run_id,
                signature=(dict.fromkeys(example, "double"), {"predicted": "double"}),
                input_example=example,
                tags={"candidate": name, **common},
            )
    registry.set_alias(bundle.REGISTERED, "challenger", version)
    return version
