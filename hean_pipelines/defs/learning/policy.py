"""Asset `model_hean__policy`: what all loops decided, as one bundle in the registry that the executor loads.

Here belongs putting the products together, registering and showing. The composition and its bounds are `models.learning`.

Versions and aliases. The executor follows `champion`. Each run registers a version one bounded step from the policy under that
alias and moves `champion` and `in_force` to it. A person sets `champion` back to hold an older policy: as long as it stands below
`in_force`, runs go on registering, each one step from the held policy, but leave the aliases where they are. Setting `champion`
to the newest version lets the loops go on. A held policy expires like any other.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from dataclasses import replace
from typing import TYPE_CHECKING

import dagster as dg

from hean_pipelines.defs.learning.loops import GATE_COST, PROBATION, READS, SHADOW_AGAINST_LIVE
from hean_pipelines.defs.promotion.strategies import NAME as PROMOTION
from hean_pipelines.resources.registry import POOL, Registry

if TYPE_CHECKING:
    from hean_pipelines.defs.learning.inputs import Present
    from hean_pipelines.resources.products import Products
    from hean_pipelines.settings import PipelineSettings
    from models.learning.loop import Findings
    from models.portfolio.policy import Policy

NAME = "model_hean__policy"
MATRIX = "model_hean__regime_matrix"
EXPERIMENT = "hean-policy"
_MATRIX_MODEL = "hean-regime-matrix"


def policy_definitions(settings: "PipelineSettings", registry: Registry) -> dg.Definitions:
    """Return the asset."""

    @dg.asset(
        name=NAME,
        group_name="learning",
        kinds={"mlflow"},
        deps=[
            dg.AssetKey(key) for key in (*READS, SHADOW_AGAINST_LIVE, PROBATION, GATE_COST, PROMOTION, MATRIX)
        ],
        pool=POOL,
        description="The policy: state and share of each strategy, slippage buffer and probation of each symbol. A bounded step "
        "from the one in force, registered as `hean-policy`; set the alias champion back to hold an older one.",
    )
    def policy(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        from hean_pipelines.defs.learning.capital import read_capital
        from hean_pipelines.defs.learning.inputs import (
            CHAMPION,
            IN_FORCE,
            REGISTERED,
            present_policy,
            product,
        )
        from hean_pipelines.defs.learning.pictures import policy_figure
        from hean_pipelines.plots import markdown_image
        from hean_pipelines.resources.products import Products
        from models.learning.loop import next_policy
        from models.portfolio.policy import to_text

        products = Products(settings.lake_root)
        present = present_policy(registry)
        if present.words:
            context.log.warning(f"{present.words}; the loops begin anew")
        found = findings(products, present, registry.alias_version(_MATRIX_MODEL, CHAMPION))
        capital = read_capital(products, present.policy, found.now_ns)
        made = next_policy(present.policy, replace(found, account=(capital.reason,)), divide=capital.divide)
        picture = policy_figure(made)
        version = _register(registry, context.run.run_id, made, picture)
        if present.is_held:
            context.log.warning(
                f"version {present.version} is held: version {version} was registered, not put in force"
            )
        else:
            registry.set_alias(REGISTERED, CHAMPION, version)
            registry.set_alias(REGISTERED, IN_FORCE, version)
        in_force = present.version if present.is_held else version
        shown = present.policy if present.is_held and present.policy else made
        note = {
            "version": in_force,
            "is_held": present.is_held,
            "registered": version,
            "document": to_text(shown),
        }
        products.write_json(product(products, "policy"), note)
        return dg.MaterializeResult(
            metadata={
                "version": version,
                "in_force": in_force,
                "held_by_a_person": present.is_held,
                "why": "; ".join(f"{reason.word} {reason.text}".strip() for reason in made.reasons),
                "strategies": dg.MetadataValue.md(_strategies_table(made)),
                "symbols": dg.MetadataValue.md(_symbols_table(made)),
                "picture": dg.MetadataValue.md(
                    markdown_image(picture, "shares by strategy and buffers by symbol")
                ),
            }
        )

    return dg.Definitions(assets=[policy])


def findings(products: "Products", present: "Present", matrix_version: int | None) -> "Findings":
    """Put together what the loops left behind for the policy in force.

    Raises
    ------
    DataError
        If a product is missing, or was made for another policy.

    """
    from hean_pipelines.defs.learning.inputs import read_product, with_nan
    from models.learning.gate_cost import GateCost
    from models.learning.loop import Findings
    from models.learning.probation import Standing
    from models.learning.slippage import BufferChange
    from models.portfolio.policy import Reason

    slippage = read_product(products, "slippage", SHADOW_AGAINST_LIVE, present.digest)
    probation = read_product(products, "probation", PROBATION, present.digest)
    costs = read_product(products, "gate_cost", GATE_COST, present.digest)
    promotion = read_product(products, "promotion", PROMOTION, present.digest)
    return Findings(
        now_ns=max(int(body["made_at_ns"]) for body in (slippage, probation, promotion)),
        trades=int(slippage["trades"]),
        changes={symbol: BufferChange(**row) for symbol, row in slippage["changes"].items()},
        standings=[Standing(**with_nan(row)) for row in probation["standings"]],
        decisions={
            row["strategy"]: (row["state"], tuple(Reason(**reason) for reason in row["reasons"]))
            for row in promotion["strategies"]
        },
        costs=[GateCost(**with_nan(row)) for row in costs["costs"]],
        matrix_version="" if matrix_version is None else str(matrix_version),
        is_rehearsal=bool(promotion["allow_synthetic_evidence"]),
    )


def policy_files(made: "Policy", code: str) -> dict[str, bytes]:
    """Return the bundle of a policy."""
    from models.bundle import build_bundle
    from models.portfolio import policy as policies

    return build_bundle(
        {policies.FILE: policies.to_text(made).encode()},
        name="hean-policy",
        kind=policies.KIND,
        feature_spec_hash="",
        trained_through_ns=made.made_at_ns,
        expires_at_ns=made.expires_ns,
        code_version=code,
        data_version=made.digest[:16],
    )


def _register(registry: Registry, run_id: str, made: "Policy", picture: bytes) -> int:
    from hean_pipelines.defs.learning.inputs import REGISTERED
    from hean_pipelines.versions import code_version
    from models.portfolio.policy import FREE, LIVE

    code = code_version()
    metrics = {f"share_{name}": each.share for name, each in made.strategies.items()}
    metrics |= {f"buffer_bps_{name}": each.slippage_buffer_bps for name, each in made.symbols.items()}
    metrics["live"] = sum(each.state == LIVE for each in made.strategies.values())
    metrics["on_probation"] = sum(each.probation != FREE for each in made.symbols.values())
    with registry.start_run(
        EXPERIMENT,
        "policy",
        data_version=made.digest[:16],
        code_version=code,
        dagster_run_id=run_id,
        params={
            "number": made.number,
            "is_rehearsal": made.is_rehearsal,
            "matrix_version": made.matrix_version,
        },
        metrics=metrics,
        figures={"policy": picture},
    ) as run:
        return registry.log_bundle(REGISTERED, policy_files(made, code), run_id=run.run_id)


def _strategies_table(made: "Policy") -> str:
    from hean_pipelines.defs.learning.inputs import markdown_table

    rows: list[list[object]] = [
        [name, each.state, each.share, each.base_share, ", ".join(reason.word for reason in each.reasons)]
        for name, each in made.strategies.items()
    ]
    return markdown_table(["strategy", "state", "share", "base", "why"], rows)


def _symbols_table(made: "Policy") -> str:
    from hean_pipelines.defs.learning.inputs import markdown_table

    rows: list[list[object]] = [
        [
            name,
            each.slippage_buffer_bps,
            each.probation,
            "; ".join(f"{r.word}: {r.text}" for r in each.reasons),
        ]
        for name, each in made.symbols.items()
    ]
    return markdown_table(["symbol", "buffer bps", "size", "why"], rows)
