"""Assets `model_regime_hmm__challenger` and `…__champion`: M4 fitted on minute closes, compared with the rules, promoted.

Here belong the MLflow run, the check, and the alias. Reading and packing are `regime_bundle`, choosing the number of states is
`models.regimes.selection`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from hean_pipelines.resources.registry import POOL, Registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hean_pipelines.resources.products import Products
    from hean_pipelines.settings import PipelineSettings
    from models.regimes.selection import Agreement, Selected

CHALLENGER = "model_regime_hmm__challenger"
CHAMPION = "model_regime_hmm__champion"
EXPERIMENT = "hean-regime-hmm"
CLOSES = "raw_bybit__1m_mark_klines"
CHECK = "more_than_one_state"


class RegimeConfig(dg.Config):
    """What a training may be told.

    Attributes
    ----------
    days : int
        Newest days of minute closes.
    most_states : int
        From one on, all are tried.
    folds : int
        Of the later half, for the score out of sample.

    """

    days: int = 7
    most_states: int = 3
    folds: int = 3


def products_of(products: "Products") -> tuple[Path, Path, Path]:
    """Return the files of the challenger, the champion, and the out-of-sample log densities."""
    folder = products.root / "forecasts"
    return (
        folder / "regime_challenger.json",
        folder / "regime_champion.json",
        folder / "regime_out_of_sample.parquet",
    )


def regime_definitions(settings: "PipelineSettings", registry: Registry) -> dg.Definitions:
    """Return both assets."""

    @dg.asset(
        name=CHALLENGER,
        group_name="training",
        kinds={"mlflow", "numba"},
        deps=[dg.AssetKey(CLOSES)],
        pool=POOL,
        description="M4: a Gaussian hidden Markov model of each symbol's one-minute returns; states by density out of sample, "
        "compared with the rules, registered as the next version of `hean-regime-hmm` with alias `challenger`.",
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=CHALLENGER,
                description="At least one symbol's returns are predicted better by several states than by one.",
            )
        ],
    )
    def challenger(context: dg.AssetExecutionContext, config: RegimeConfig):
        body, metadata = train(settings, registry, config, context.run.run_id)
        yield dg.MaterializeResult(metadata=metadata)
        yield dg.AssetCheckResult(
            check_name=CHECK,
            passed=bool(body["checks"]) and all(body["checks"].values()),
            severity=dg.AssetCheckSeverity.WARN,
        )

    @dg.asset(
        name=CHAMPION,
        group_name="promotion",
        kinds={"mlflow"},
        deps=[dg.AssetKey(CHALLENGER)],
        pool=POOL,
        description="The version of `hean-regime-hmm` the market record filters with. The alias moves only where the challenger "
        "gives unseen minutes a higher density, by a paired test on blocks of time.",
    )
    def champion(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        metadata = promote(settings, registry)
        context.log.info(str(metadata["reason"]))
        return dg.MaterializeResult(metadata=metadata)

    return dg.Definitions(assets=[challenger, champion])


def train(
    settings: "PipelineSettings", registry: Registry, config: RegimeConfig, run_id: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fit, compare and register; returns what is written down and what Dagster shows."""
    from hean_pipelines.defs.training import regime_bundle as bundle
    from hean_pipelines.defs.training import regime_figures as figures
    from hean_pipelines.resources.products import Products
    from models.regimes.selection import compare_with_rules, select

    products = Products(settings.lake_root)
    path, _, tested_path = products_of(products)
    returns = bundle.read_returns(settings, config.days)
    if not returns:
        words = f"no symbol has {bundle.LEAST_MINUTES} minute closes in {CLOSES}"
        products.write_json(path, {"checks": {}, "reason": words})
        return {"checks": {}}, {"note": words}
    states = tuple(range(1, config.most_states + 1))
    chosen = {
        symbol: select(own, states, config.folds, level=settings.promotion_level)
        for symbol, own in returns.items()
    }
    compared = {symbol: compare_with_rules(returns[symbol], own.model) for symbol, own in chosen.items()}
    checks = {CHECK: any(len(own.model.start) > 1 for own in chosen.values())}
    evidence = {
        "M4": {"passed": checks[CHECK], "states": {s: len(own.model.start) for s, own in chosen.items()}}
    }
    packed = bundle.pack(returns, chosen, settings.bundle_valid_days, evidence)
    pictures = {
        "states": figures.states_figure(chosen),
        "states_and_rules": figures.agreement_figure(compared),
    }
    common = {"data_version": packed.data_version, "code_version": packed.code_version}
    with registry.start_run(
        EXPERIMENT,
        "gaussian_hmm",
        dagster_run_id=run_id,
        params={"days": config.days, "symbols": len(chosen), "most_states": config.most_states},
        metrics=_metrics(chosen),
        figures=pictures,
        **common,
    ) as run:
        version = registry.log_bundle(bundle.REGISTERED, packed.files, run_id=run.run_id, tags=common)
    registry.set_alias(bundle.REGISTERED, "challenger", version)
    body = {
        "version": version,
        "trained_through_ns": packed.trained_through_ns,
        "expires_at_ns": packed.expires_at_ns,
        "checks": checks,
        "symbols": {s: _said(own, compared[s]) for s, own in chosen.items()},
        **common,
    }
    products.write(tested_path, bundle.tested_frame(returns, chosen))
    products.write_json(path, body)
    return body, _metadata(body, pictures)


def promote(settings: "PipelineSettings", registry: Registry) -> dict[str, Any]:
    """Let the challenger become champion if it earned it; returns what Dagster shows."""
    from hean_pipelines.defs.training import regime_bundle as bundle
    from hean_pipelines.resources.products import Products

    products = Products(settings.lake_root)
    path, champion_path, tested_path = products_of(products)
    challenger = products.read_json(path)
    if challenger is None:
        raise dg.Failure(f"there is no challenger yet: materialise {CHALLENGER} first")
    tested = products.read(tested_path, f"materialise {CHALLENGER}") if "version" in challenger else None
    decision = bundle.decide(registry, tested, challenger, settings.promotion_level)
    if decision.promote:
        registry.set_alias(bundle.REGISTERED, "champion", int(challenger["version"]))
    kept = challenger if decision.promote else products.read_json(champion_path) or {}
    said = {"moved": decision.promote, "reason": decision.reason, "p_value": decision.p_value}
    products.write_json(champion_path, {**kept, "promotion": said})
    return {
        "promoted": decision.promote,
        "reason": decision.reason,
        "champion_version": registry.alias_version(bundle.REGISTERED, "champion") or dg.MetadataValue.null(),
    }


def _metrics(chosen: "Mapping[str, Selected]") -> dict[str, float]:
    numbers = {}
    for symbol, own in chosen.items():
        numbers[f"states_{symbol}"] = float(len(own.model.start))
        for score in own.scores:
            numbers[f"log_density_{score.states}_{symbol}"] = score.out_of_sample
            numbers[f"bic_{score.states}_{symbol}"] = score.bic
    return numbers


def _said(own: "Selected", compared: "Agreement") -> dict[str, Any]:
    from models.regimes.kernel import REGIME_NAMES

    def known(numbers: tuple[float, ...]) -> list[float | None]:
        return [None if value != value else round(value, 2) for value in numbers]

    return {
        "states": len(own.model.start),
        "states_by_bic": min(own.scores, key=lambda s: s.bic).states,
        "scores": [{k: None if v != v else v for k, v in vars(s).items()} for s in own.scores],
        "volatility_bps": [round(v**0.5, 3) for v in own.model.variances.tolist()],
        "minutes_by_state_and_rule": compared.table.tolist(),
        "rules": list(REGIME_NAMES.values()),
        "state_dwell_min": known(compared.state_dwell_min),
        "expected_dwell_min": known(compared.expected_dwell_min),
        "rule_dwell_min": known(compared.rule_dwell_min),
    }


def _metadata(body: dict[str, Any], pictures: dict[str, bytes]) -> dict[str, Any]:
    from hean_pipelines.plots import markdown_image

    lines = ["| symbol | states | by BIC | volatility, bps | dwell, min |", "| --- | --- | --- | --- | --- |"]
    for symbol, own in body["symbols"].items():
        cells = (own["states"], own["states_by_bic"], own["volatility_bps"], own["state_dwell_min"])
        lines.append(f"| {symbol} | " + " | ".join(str(cell) for cell in cells) + " |")
    shown = [markdown_image(png, name.replace("_", " ")) for name, png in pictures.items()]
    return {
        "version": body["version"],
        "data_version": body["data_version"],
        "code_version": body["code_version"],
        "states": dg.MetadataValue.md("\n".join(lines)),
        "symbols": dg.MetadataValue.json(body["symbols"]),
        "pictures": dg.MetadataValue.md("\n\n".join(shown)),
    }
