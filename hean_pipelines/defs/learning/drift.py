"""Asset `report_hean__prediction_drift`: L5, live errors of the forecasts against those out of sample.

Here belongs which losses are compared; the test is `models.learning.drift`. M1's loss is the absolute error at the longest
horizon, the one that is traded. M2's are the log loss of its probability and how far what happened lies from what was said
(`cascade_losses.py`); each gets half of the false alarms. Another model joins in `measure`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import dagster as dg

from hean_pipelines.defs.training.cascade_promotion import CHALLENGER as CASCADE
from models.learning.roster import CASCADE_MODEL, FUNDING_MODEL

if TYPE_CHECKING:
    import numpy as np

    from hean_pipelines.resources.products import Products
    from hean_pipelines.settings import PipelineSettings
    from models.learning.drift import Drift

NAME = "report_hean__prediction_drift"
FORECASTS = "mart_hean__forecasts"
OUT_OF_SAMPLE = "forecast_funding__out_of_sample"
EVENTS = "mart_hean__events"
CALIBRATION = "calibration"
"""After the name of a model whose probabilities are held against what happened."""

Losses = tuple["np.ndarray", "np.ndarray"]
"""Reference and live, each in time order, one an instant."""


def drift_definitions(settings: "PipelineSettings") -> dg.Definitions:
    """Return the asset."""

    @dg.asset(
        name=NAME,
        group_name="learning",
        kinds={"numpy"},
        deps=[dg.AssetKey(key) for key in (FORECASTS, EVENTS, OUT_OF_SAMPLE, CASCADE)],
        description="L5: whether forecasts have become worse live than they were out of sample, by a CUSUM with a limit that an "
        "unchanged model exceeds in 5 % of all runs of 90 settlements (M1) or horizons (M2, calibration too). A strategy on "
        "a drifted model shadows.",
    )
    def prediction_drift(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from hean_pipelines.defs.learning.inputs import markdown_table, product, without_nan
        from hean_pipelines.defs.learning.pictures import drift_figure
        from hean_pipelines.plots import markdown_image
        from hean_pipelines.resources.products import Products

        products = Products(settings.lake_root)
        drifts = measure(products)
        body = {"models": {name: asdict(drift) for name, drift in drifts.items()}}
        products.write_json(product(products, "drift"), without_nan(body))
        columns = ["model", "verdict", "live", "out of sample", "live loss", "loss before", "CUSUM", "limit"]
        rows = [[name, *list(asdict(drift).values())[:-1]] for name, drift in drifts.items()]
        return dg.MaterializeResult(
            metadata={
                **{f"{name} verdict": drift.verdict for name, drift in drifts.items()},
                "table": dg.MetadataValue.md(markdown_table(columns, rows)),
                "picture": dg.MetadataValue.md(markdown_image(drift_figure(drifts), "CUSUM of losses")),
            }
        )

    return dg.Definitions(assets=[prediction_drift])


def measure(products: "Products") -> "dict[str, Drift]":
    """Return the drift of every model by name; `CALIBRATION` after the name where that is what was compared."""
    from hean_pipelines.defs.learning.cascade_losses import cascade_losses
    from models.learning.drift import DriftRules, calibration_drift, prediction_drift

    rules = DriftRules()
    half = replace(rules, false_alarms=0.5 * rules.false_alarms)
    cascades = cascade_losses(products)
    return {
        FUNDING_MODEL: prediction_drift(*_funding_losses(products), rules),
        CASCADE_MODEL: prediction_drift(cascades.before.losses, cascades.live.losses, half),
        f"{CASCADE_MODEL} {CALIBRATION}": calibration_drift(cascades.before.gaps, cascades.live.gaps, half),
    }


def drifted(products: "Products") -> set[str]:
    """Return the models that were found to have drifted."""
    from hean_pipelines.defs.learning.inputs import product
    from models.learning.drift import DRIFTED

    body: dict[str, Any] = products.read_json(product(products, "drift")) or {"models": {}}
    found = {name for name, drift in body["models"].items() if drift["verdict"] == DRIFTED}
    return {name.removesuffix(f" {CALIBRATION}") for name in found}


def _funding_losses(products: "Products") -> Losses:
    """Absolute errors of M1 in bps, averaged over the symbols of a settlement."""
    import numpy as np
    import polars as pl

    from models.funding.table import HORIZONS_MIN
    from models.learning.drift import mean_by_instant

    def by_settlement(frame: pl.DataFrame, time: str) -> tuple[np.ndarray, np.ndarray]:
        known = frame.filter((pl.col("horizon_min") == HORIZONS_MIN[0]) & pl.col("realised").is_not_null())
        errors = 1e4 * (known.get_column("realised") - known.get_column("predicted")).abs()
        return mean_by_instant(known.get_column(time).to_numpy(), errors.to_numpy())

    forecasts = products.mart(FORECASTS)
    champion = products.read_json(products.champion)
    if champion is None or not (forecasts.is_file() and products.out_of_sample.is_file()):
        return np.empty(0), np.empty(0)
    live_ns, live = by_settlement(pl.read_parquet(forecasts), "settlement_ns")
    before = pl.read_parquet(products.out_of_sample).filter(pl.col("model") == str(champion["candidate"]))
    before_ns, reference = by_settlement(before, "settlement_ts")
    # What was traded is not its own yardstick.
    return (reference[before_ns < live_ns[0]] if len(live_ns) else reference), live
