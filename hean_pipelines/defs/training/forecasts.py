"""Asset `forecast_funding__out_of_sample`: what every candidate would have said, never having seen what came after.

Here belong running the walk-forward and storing its predictions and scores. The walk-forward itself is in
`models.funding.walk_forward`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import dagster as dg

from models.errors import DataError

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.resources.products import Products
    from hean_pipelines.settings import PipelineSettings
    from models.funding.table import FeatureTable
    from models.funding.walk_forward import Predictions, WalkForwardParams

NAME = "forecast_funding__out_of_sample"
FEATURES = "feat_bybit__settlement_funding"


def walk_forward_params(settings: "PipelineSettings") -> "WalkForwardParams":
    """Return how time is split, from settings."""
    from models.funding.walk_forward import WalkForwardParams

    return WalkForwardParams(
        fold_days=settings.fold_days,
        min_train_days=settings.min_train_days,
        max_train_days=settings.max_train_days,
    )


def predictions_frame(table: "FeatureTable", many: "Mapping[str, Predictions]") -> "pl.DataFrame":
    """Stack the predictions of all candidates: one row per model, symbol, settlement and horizon."""
    import polars as pl

    frames = [
        pl.DataFrame(
            {
                "symbol": table.symbol[p.rows],
                "settlement_ts": table.settlement_ns[p.rows],
                "horizon_min": table.horizon_min[p.rows],
                "made_at": table.made_at_ns[p.rows],
                "model": [name] * len(p.rows),
                "predicted": p.predicted,
                "q05": p.q05,
                "q50": p.q50,
                "q95": p.q95,
                "realised": table.realised[p.rows],
                "pinball": p.pinball,
                "row": p.rows,
            },
            schema_overrides={"symbol": pl.String, "model": pl.String},
        )
        for name, p in many.items()
    ]
    return pl.concat(frames).sort("model", "symbol", "horizon_min", "settlement_ts")


def load_predictions(products: "Products", table: "FeatureTable") -> "dict[str, Predictions]":
    """Read the stored predictions back as positions in `table`.

    Raises
    ------
    DataError
        If there are none, or they were made from another feature table.

    """
    import numpy as np

    from models.funding.candidates import CANDIDATES
    from models.funding.walk_forward import Predictions

    remedy = f"materialise {NAME}"
    frame = products.read(products.out_of_sample, remedy)
    rows = frame.get_column("row").to_numpy()
    known = len(rows) > 0 and int(rows.max()) < len(table)
    if not known or not np.array_equal(
        table.settlement_ns[rows], frame.get_column("settlement_ts").to_numpy()
    ):
        raise DataError("the out-of-sample forecasts were made from another feature table", remedy=remedy)
    many = {}
    for name in CANDIDATES:
        own = frame.filter(frame.get_column("model") == name).sort("row")
        columns = [own.get_column(c).to_numpy() for c in ("row", "predicted", "q05", "q50", "q95", "pinball")]
        many[name] = Predictions(name, *columns)
    return many


def forecast_definitions(settings: "PipelineSettings") -> dg.Definitions:
    """Return the out-of-sample asset."""

    @dg.asset(
        name=NAME,
        group_name="training",
        kinds={"lightgbm", "scikitlearn"},
        deps=[dg.AssetKey(FEATURES)],
        description="Purged walk-forward forecasts of every candidate at 90, 60 and 30 minutes, with quantiles from each "
        "candidate's own earlier errors. Folds are anchored to the calendar: later data change no earlier forecast.",
    )
    def out_of_sample(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        import polars as pl

        from hean_pipelines.defs.features.load import load_table
        from hean_pipelines.defs.training import figures
        from hean_pipelines.plots import markdown_image
        from hean_pipelines.resources.products import Products
        from models.funding.evaluation import choose, score_all
        from models.funding.table import HORIZONS_MIN
        from models.funding.walk_forward import walk_forward

        products = Products(settings.lake_root)
        table = load_table(products)

        def on_fold(done: int, total: int) -> None:
            if done % 10 == 0 or done == total:
                context.log.info(f"walk-forward fold {done} of {total}")

        many = walk_forward(table, walk_forward_params(settings), on_fold=on_fold)
        scores = score_all(table, many)
        chosen = choose(table, many, HORIZONS_MIN[0], settings.promotion_level)
        products.write(products.out_of_sample, predictions_frame(table, many))
        products.write(products.scores, pl.DataFrame([asdict(s) for s in scores]))
        headline = {
            f"{s.model} {s.symbol}": round(s.r2, 4) for s in scores if s.horizon_min == HORIZONS_MIN[0]
        }
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": sum(len(p.rows) for p in many.values()),
                "chosen": chosen,
                "r2_at_90_min": dg.MetadataValue.json(headline),
                "skill": dg.MetadataValue.md(
                    markdown_image(
                        figures.skill_figure(scores, HORIZONS_MIN), "R² by candidate, symbol and horizon"
                    )
                ),
                "forecast_against_realised": dg.MetadataValue.md(
                    markdown_image(
                        figures.scatter_figure(table, many[chosen], HORIZONS_MIN[0]),
                        "forecast against realised rate",
                    )
                ),
            }
        )

    return dg.Definitions(assets=[out_of_sample])
