"""Asset `model_funding__champion`: the challenger becomes champion, or does not, and why.

Here belong reading the champion from the registry and moving its alias. The decision is `models.funding.promotion`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from typing import TYPE_CHECKING, Any

import dagster as dg

from hean_pipelines.resources.registry import POOL, Registry

if TYPE_CHECKING:
    from hean_pipelines.resources.products import Products
    from hean_pipelines.settings import PipelineSettings
    from models.funding.promotion import Decision

NAME = "model_funding__champion"
ALIAS = "champion"


def champion_definitions(settings: "PipelineSettings", registry: Registry) -> dg.Definitions:
    """Return the champion asset."""

    @dg.asset(
        name=NAME,
        group_name="promotion",
        kinds={"mlflow"},
        deps=[dg.AssetKey("model_funding__challenger")],
        pool=POOL,
        description="The version of `hean-funding` the executor trades. The alias moves only where the challenger passed its "
        "checks and forecasts better out of sample by a Diebold-Mariano test, or renews the same forecasts.",
    )
    def champion(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from hean_pipelines.resources.products import Products

        products = Products(settings.lake_root)
        challenger = products.read_json(products.challenger)
        if challenger is None:
            raise dg.Failure("there is no challenger yet: materialise model_funding__challenger first")
        decision = decide(registry, products, challenger, settings.promotion_level)
        name = str(challenger["registered_model"])
        if decision.promote:
            registry.set_alias(name, ALIAS, int(challenger["version"]))
            products.write_json(
                products.champion,
                {**challenger, "name": challenger["candidate"], "promotion": _said(decision)},
            )
        else:
            kept = products.read_json(products.champion) or {}
            products.write_json(products.champion, {**kept, "promotion": _said(decision)})
        context.log.info(decision.reason)
        return dg.MaterializeResult(
            metadata={
                "promoted": decision.promote,
                "reason": decision.reason,
                "p_value": dg.MetadataValue.null() if decision.p_value is None else decision.p_value,
                "champion_version": registry.alias_version(name, ALIAS) or dg.MetadataValue.null(),
                "challenger_version": int(challenger["version"]),
            }
        )

    return dg.Definitions(assets=[champion])


def decide(registry: Registry, products: "Products", challenger: dict[str, Any], level: float) -> "Decision":
    """Compare the challenger with the champion the registry names.

    Parameters
    ----------
    registry : Registry
    products : "Products"
    challenger : dict
        Content of ``challenger.json``.
    level : float
        Of the Diebold–Mariano test.

    """
    from hean_pipelines.defs.features.load import load_table
    from hean_pipelines.defs.training.forecasts import load_predictions
    from models.bundle import verify_bundle
    from models.errors import BundleError
    from models.funding import promotion
    from models.funding.predictor import FundingPredictor
    from models.funding.table import HORIZONS_MIN

    checks: dict[str, bool] = challenger["checks"]
    failed = [name for name, passed in checks.items() if not passed]
    name = str(challenger["registered_model"])
    present = registry.alias_version(name, ALIAS)
    if failed or present is None:
        return promotion.first_champion(not failed, failed)
    try:
        files = registry.download_bundle(name, present)
        manifest = verify_bundle(files)
        old = FundingPredictor.from_files(files)
    except BundleError:  # made for other features, or damaged: the executor would refuse it too
        return promotion.first_champion(not failed, failed)
    table = load_table(products)
    new = FundingPredictor.from_files(registry.download_bundle(name, int(challenger["version"])))
    return promotion.against_champion(
        table,
        load_predictions(products, table)[str(challenger["candidate"])],
        promotion.champion_predictions(table, old, manifest.trained_through_ns),
        HORIZONS_MIN[0],
        level=level,
        same=promotion.same_forecasts(table, new, old),
        expired=int(challenger["trained_through_ns"]) >= manifest.expires_at_ns,
    )


def _said(decision: "Decision") -> dict[str, object]:
    return {
        "moved": decision.promote,
        "reason": decision.reason,
        "p_value": decision.p_value,
        "shared": decision.shared,
    }
