"""Asset `model_hean__strategy_promotion`: G10, which strategies may trade, and everything that speaks against the others.

Here belongs storing and showing; facts are read in `facts`, the decision is `models.learning.promotion`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import dagster as dg

from hean_pipelines.defs.learning.drift import NAME as DRIFT
from hean_pipelines.defs.learning.loops import READS
from hean_pipelines.resources.registry import Registry

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings
    from models.learning.promotion import Facts
    from models.portfolio.policy import Reason

NAME = "model_hean__strategy_promotion"
_FIGURES = [
    "shadow trades",
    "net bps",
    "at least",
    "live trades",
    "net bps",
    "backtest bps",
    "at least",
    "deflated",
    "trials",
]


def strategy_promotion_definitions(
    settings: "PipelineSettings", registry: Registry, allow_synthetic_evidence: bool = False
) -> dg.Definitions:
    """Return the asset.

    Parameters
    ----------
    settings : PipelineSettings
    registry : Registry
    allow_synthetic_evidence : bool
        For demo and rehearsal on the local testnet; refused for another venue when the asset runs.

    """

    @dg.asset(
        name=NAME,
        group_name="learning",
        kinds={"numpy"},
        deps=[dg.AssetKey(key) for key in (*READS, DRIFT)],
        description="G10: a strategy may trade where its studies and its first step passed on recorded data, its backtest earns "
        "after costs with a deflated Sharpe ratio of 0.95, and its shadow trades earn. Vetoes and pins of `hean strategies` "
        "stand above. Studies and backtests are read as they lie.",
    )
    def strategy_promotion(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from hean_pipelines.defs.learning.clock import market_now_ns
        from hean_pipelines.defs.learning.drift import drifted
        from hean_pipelines.defs.learning.inputs import (
            markdown_table,
            present_policy,
            product,
            read_trades,
            without_nan,
        )
        from hean_pipelines.defs.promotion.facts import check_synthetic, facts_of
        from hean_pipelines.defs.promotion.instructions_file import read_instructions
        from hean_pipelines.resources.products import Products
        from models.learning.promotion import PromotionRules, promote
        from models.portfolio.policy import LIVE

        allow = check_synthetic(allow_synthetic_evidence, settings.venue_url)
        if allow:
            context.log.warning("synthetic evidence counts: a rehearsal, valid on the local testnet only")
        products = Products(settings.lake_root)
        present = present_policy(registry)
        now_ns = market_now_ns(products)
        facts = facts_of(
            products,
            read_trades(products),
            present.policy,
            now_ns,
            read_instructions(settings.home),
            drifted(products),
            settings.home / "backtests",
            settings.venue_url,
        )
        rules = PromotionRules(allow_synthetic_evidence=allow)
        rows = [row_of(each, *promote(each, rules)) for each in facts]
        head = {"policy": present.digest, "made_at_ns": now_ns, "allow_synthetic_evidence": allow}
        products.write_json(product(products, "promotion"), without_nan({**head, "strategies": rows}))
        return dg.MaterializeResult(
            metadata={
                "live": ", ".join(str(row["strategy"]) for row in rows if row["state"] == LIVE) or "none",
                "synthetic_evidence_counts": allow,
                "strategies": dg.MetadataValue.md(
                    markdown_table(["strategy", "state", "why", *_FIGURES], [_cells(row) for row in rows])
                ),
            }
        )

    return dg.Definitions(assets=[strategy_promotion])


def row_of(facts: "Facts", state: str, reasons: "tuple[Reason, ...]") -> dict[str, Any]:
    """Return the decision on a strategy with all it rests on, as plain data."""
    return {
        "strategy": facts.strategy,
        "system": facts.requirement.system,
        "state": state,
        "reasons": [asdict(reason) for reason in reasons],
        "studies": list(facts.requirement.studies),
        "evidence": [asdict(each) for each in facts.evidence],
        "backtest": None if facts.backtest is None else asdict(facts.backtest),
        "shadow": asdict(facts.shadow),
        "live": asdict(facts.live),
        "model_drifted": facts.has_drifted,
        "instruction": None if facts.instruction is None else asdict(facts.instruction),
    }


def _cells(row: dict[str, Any]) -> list[object]:
    shadow, live = row["shadow"], row["live"]
    backtest = row["backtest"] or {"net_bps": "", "low_bps": "", "deflated": "", "trials": ""}
    why = "; ".join(f"{reason['word']}: {reason['text']}" for reason in row["reasons"])
    measured = [shadow["trades"], shadow["net_bps"], shadow["low_bps"], live["trades"], live["net_bps"]]
    return [
        row["strategy"],
        row["state"],
        why,
        *measured,
        *(backtest[k] for k in ("net_bps", "low_bps", "deflated", "trials")),
    ]
