"""All learning loops beyond the regime matrix, in one call, and which assets a turn of them holds."""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from typing import TYPE_CHECKING

import dagster as dg

from hean_pipelines.defs.evidence.regime_claim import NAME as REGIME_CLAIM
from hean_pipelines.defs.evidence.regime_claim import regime_claim_definitions
from hean_pipelines.defs.learning.drift import FORECASTS, drift_definitions
from hean_pipelines.defs.learning.loops import READS, loop_definitions
from hean_pipelines.defs.learning.markouts import markout_definitions
from hean_pipelines.defs.learning.policy import policy_definitions
from hean_pipelines.defs.promotion.strategies import strategy_promotion_definitions
from hean_pipelines.resources.registry import Registry

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings


def learning_definitions(
    settings: "PipelineSettings", registry: Registry, allow_synthetic_evidence: bool = False
) -> dg.Definitions:
    """Return the assets of L1, L2, L4, L5, X4, G10, E4 and the policy they make."""
    return dg.Definitions.merge(
        loop_definitions(settings, registry),
        drift_definitions(settings),
        markout_definitions(settings),
        strategy_promotion_definitions(settings, registry, allow_synthetic_evidence),
        policy_definitions(settings, registry),
        regime_claim_definitions(settings),
    )


def learning_selection() -> dg.AssetSelection:
    """Return one turn: the journal's assets, the marts on them, and everything learned from those; it touches no venue."""
    read = dg.AssetSelection.assets(*READS, "mart_hean__trades", FORECASTS).upstream()
    learned = dg.AssetSelection.groups("learning", "own_activity") | dg.AssetSelection.assets(REGIME_CLAIM)
    return (read | learned) - dg.AssetSelection.groups("market_data")
