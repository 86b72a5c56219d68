"""Assets of L1, L2 and L4: shadow against live, probation, and what each gate cost.

Here belongs reading trades, storing and showing; the loops are `models.learning`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import dagster as dg

from hean_pipelines.resources.registry import Registry

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings
    from models.learning.trades import TradeTable
    from models.portfolio.policy import Policy

SHADOW_AGAINST_LIVE = "model_hean__shadow_against_live"
PROBATION = "model_hean__probation"
GATE_COST = "report_hean__gate_cost"
TRADES = "mart_hean__learning_trades"
READS = (TRADES, "mart_hean__equity", "mart_hean__events")
"""The trades, and what says which time it is in the market."""


@dataclass(frozen=True)
class Shown:
    """What a loop leaves behind: JSON, a table, a picture with its words, and headline figures."""

    body: dict[str, Any]
    table: str
    picture: bytes
    words: str
    headlines: dict[str, Any]


Measure = Callable[["TradeTable", "Policy | None", int], Shown]


def loop_definitions(settings: "PipelineSettings", registry: Registry) -> dg.Definitions:
    """Return the three assets."""
    said = "; a policy applies it only to the policy it was measured for"
    return dg.Definitions(
        assets=[
            _asset(
                settings,
                registry,
                SHADOW_AGAINST_LIVE,
                "slippage",
                _slippage,
                "L1: profit factor of live trades against their paper twins, by strategy and symbol. Surely more than 15 % apart "
                "means 2 bps more slippage buffer for the symbol" + said + ".",
            ),
            _asset(
                settings,
                registry,
                PROBATION,
                "probation",
                _probation,
                "L2: profit factor of each symbol in golden hours. Surely losing and below 0.8 means a fifth of the size until "
                "it recovers to 1" + said + ".",
            ),
            _asset(
                settings,
                registry,
                GATE_COST,
                "gate_cost",
                _gate_cost,
                "L4: what each gate cost or saved, from the shadow trades it blocked, with an interval of ten blocks of time.",
            ),
        ]
    )


def _asset(
    settings: "PipelineSettings",
    registry: Registry,
    name: str,
    product_name: str,
    measure: Measure,
    words: str,
) -> dg.AssetsDefinition:
    @dg.asset(
        name=name,
        group_name="learning",
        kinds={"numpy"},
        deps=[dg.AssetKey(key) for key in READS],
        description=words,
    )
    def materialise(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from hean_pipelines.defs.learning.clock import market_now_ns
        from hean_pipelines.defs.learning.inputs import present_policy, product, read_trades, without_nan
        from hean_pipelines.plots import markdown_image
        from hean_pipelines.resources.products import Products

        products = Products(settings.lake_root)
        present = present_policy(registry)
        trades = read_trades(products)
        now_ns = market_now_ns(products)
        shown = measure(trades, present.policy, now_ns)
        head = {"policy": present.digest, "made_at_ns": now_ns, "trades": len(trades)}
        products.write_json(product(products, product_name), without_nan({**head, **shown.body}))
        return dg.MaterializeResult(
            metadata={
                "trades": len(trades),
                **shown.headlines,
                "table": dg.MetadataValue.md(shown.table),
                "picture": dg.MetadataValue.md(markdown_image(shown.picture, shown.words)),
            }
        )

    return materialise


def _slippage(trades: "TradeTable", policy: "Policy | None", now_ns: int) -> Shown:
    from hean_pipelines.defs.learning.inputs import markdown_table
    from hean_pipelines.defs.learning.pictures import gaps_figure
    from models.learning.slippage import SlippageRules, buffer_changes, shadow_against_live

    rules = SlippageRules()
    gaps = shadow_against_live(trades, policy, now_ns, rules)
    changes = buffer_changes(gaps, policy, now_ns, rules)
    columns = ["strategy", "symbol", "shadow", "live", "shadow PF", "live PF", "ratio", "at least", "verdict"]
    return Shown(
        {"gaps": [asdict(g) for g in gaps], "changes": {k: asdict(v) for k, v in changes.items()}},
        markdown_table(columns, [list(asdict(gap).values()) for gap in gaps]),
        gaps_figure(gaps, 1.0 + rules.gap),
        "shadow against live profit factor",
        {"raised": sum(change.verdict == "raise" for change in changes.values())},
    )


def _probation(trades: "TradeTable", policy: "Policy | None", now_ns: int) -> Shown:
    from hean_pipelines.defs.learning.inputs import markdown_table
    from hean_pipelines.defs.learning.pictures import standings_figure
    from models.learning.probation import ProbationRules, standings
    from models.portfolio.policy import FREE

    rules = ProbationRules()
    found = standings(trades, policy, now_ns, rules)
    columns = ["symbol", "trades", "profit factor", "at most", "size", "changed", "why"]
    return Shown(
        {"standings": [asdict(each) for each in found]},
        markdown_table(columns, [list(asdict(each).values()) for each in found]),
        standings_figure(found, rules.enter_below),
        "golden-hour profit factor by symbol",
        {"on_probation": sum(each.probation != FREE for each in found)},
    )


def _gate_cost(trades: "TradeTable", policy: "Policy | None", now_ns: int) -> Shown:
    from hean_pipelines.defs.learning.inputs import markdown_table
    from hean_pipelines.defs.learning.pictures import costs_figure
    from models.learning.gate_cost import gate_costs

    costs = gate_costs(trades)
    columns = ["gate", "blocked", "net bps", "from", "to", "net USD", "from", "to", "all USD", "verdict"]
    return Shown(
        {"costs": [asdict(cost) for cost in costs]},
        markdown_table(columns, [list(asdict(cost).values()) for cost in costs]),
        costs_figure(costs),
        "net result of what each gate blocked",
        {"gates": len(costs), "blocked": sum(cost.trades for cost in costs)},
    )
