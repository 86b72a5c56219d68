"""Whether the challenger of M2 becomes champion: reading both from the registry, comparing them, moving the alias.

The decision itself is `models.cascade.promotion`. Training is `cascade`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import DataError

if TYPE_CHECKING:
    from hean_pipelines.resources.products import Products
    from hean_pipelines.resources.registry import Registry
    from hean_pipelines.settings import PipelineSettings
    from models.funding.promotion import Decision

CHALLENGER = "model_cascade__challenger"
ALIAS = "champion"


def products_of(products: Products) -> tuple[Path, Path, Path]:
    """Return the files of the challenger, the champion, and the out-of-sample probabilities."""
    folder = products.root / "forecasts"
    return (
        folder / "cascade_challenger.json",
        folder / "cascade_champion.json",
        folder / "cascade_out_of_sample.parquet",
    )


def promote(settings: PipelineSettings, registry: Registry) -> tuple[Decision, int | None]:
    """Let the challenger become champion if it earned it; returns the decision and the champion's version."""
    from hean_pipelines.resources.products import Products

    products = Products(settings.lake_root)
    path, champion_path, _ = products_of(products)
    challenger = products.read_json(path)
    if challenger is None:
        raise DataError("there is no challenger yet", remedy=f"materialise {CHALLENGER}")
    decision = decide(registry, products, challenger, settings.promotion_level)
    name = str(challenger["registered_model"])
    if decision.promote:
        registry.set_alias(name, ALIAS, int(challenger["version"]))
    kept = challenger if decision.promote else products.read_json(champion_path) or {}
    said = {"moved": decision.promote, "reason": decision.reason, "p_value": decision.p_value}
    products.write_json(champion_path, {**kept, "promotion": said})
    return decision, registry.alias_version(name, ALIAS)


def decide(registry: Registry, products: Products, challenger: dict[str, Any], level: float) -> Decision:
    """Compare the challenger with the champion the registry names, on samples the champion never saw."""
    import numpy as np

    from models.bundle import verify_bundle
    from models.cascade.features import CASCADE_SPEC_HASH, FEATURE_NAMES
    from models.cascade.predictor import CascadePredictor
    from models.cascade.promotion import decide_paired
    from models.cascade.scores import log_losses
    from models.errors import BundleError
    from models.funding import promotion

    if "version" not in challenger:
        return promotion.Decision(False, str(challenger["reason"]))
    failed = [name for name, passed in challenger["checks"].items() if not passed]
    name = str(challenger["registered_model"])
    present = registry.alias_version(name, ALIAS)
    if failed or present is None:
        return promotion.first_champion(not failed, failed)
    try:
        files = registry.download_bundle(name, present)
        manifest = verify_bundle(files)
        old = CascadePredictor.from_files(files)
    except BundleError:  # made for other features, or damaged: the executor would refuse it too
        return promotion.first_champion(True, [])
    new = CascadePredictor.from_files(registry.download_bundle(name, int(challenger["version"])))
    if manifest.feature_spec_hash != CASCADE_SPEC_HASH or old.labels != new.labels:
        return promotion.first_champion(True, [])
    tested = products.read(products_of(products)[2], f"materialise {CHALLENGER}")
    features = np.ascontiguousarray(tested.select(FEATURE_NAMES).to_numpy().astype(np.float64))
    times = tested.get_column("made_at_ns").to_numpy()
    label = (tested.get_column("onset_ns").to_numpy() > 0).astype(np.float64)
    gap = np.abs(old.probabilities(features) - new.probabilities(features))
    unseen = times > manifest.trained_through_ns
    return decide_paired(
        log_losses(label, tested.get_column("probability").to_numpy())[unseen],
        log_losses(label, old.probabilities(features))[unseen],
        times[unseen],
        new.labels.horizon_ns,
        level=level,
        same=bool(gap.max() <= promotion.SAME),
        expired=int(challenger["trained_through_ns"]) >= manifest.expires_at_ns,
    )
