"""Asset `report_hean__backtests`: configured strategies over a synthetic or recorded market, with the command's own report.

Here belong configuration, logging and what the UI shows; the run is `hean_pipelines.backtest`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

if TYPE_CHECKING:
    from hean_pipelines.backtest.plan import Plan
    from hean_pipelines.settings import PipelineSettings

NAME = "report_hean__backtests"
GROUP = "backtests"
JOB = "run_backtests"
CHECK = "tape_and_room"


class BacktestConfig(dg.Config):
    """What to run; as the options of `hean backtest`."""

    strategies: list[str] = Field(default=[], description="Names or ids; empty runs all there are.")
    days: float = Field(
        default=0.0,
        description="Days of market; 0: one of ticks, 30 of the slow market, a recording whole.",
    )
    market: str = Field(
        default="", description="synthetic, slow or recorded; empty takes the one that can hold the effect."
    )
    symbol: str = Field(default="XRPUSDT", description="Contract to trade.")
    scenario: str = Field(
        default="",
        description="What is planted in a synthetic market: everything, null, one per effect; empty: the strategy's own.",
    )
    seed: int = Field(default=1, description="Of the synthetic market and the latencies.")
    tapes: list[str] = Field(default=[], description="Files of a recording, in order.")
    tape_format: str = Field(
        default="bybit", description="Of the files, as `hean backtest --help` lists them."
    )
    capital_usd: float = Field(default=500.0, description="Capital to begin with.")


def plans_of(config: BacktestConfig) -> "list[Plan]":
    """Return the plans of a configuration.

    Raises
    ------
    ConfigError
        When a strategy is unknown or a value is wrong, before anything runs.

    """
    from hean_pipelines.backtest.plan import make_plan
    from models.strategies.catalogue import CATALOGUE

    return [
        make_plan(
            name,
            market=config.market or None,
            days=config.days or None,
            symbol=config.symbol,
            scenario=config.scenario or None,
            seed=config.seed,
            tapes=[Path(path) for path in config.tapes],
            tape_format=config.tape_format,  # type: ignore[arg-type]
            capital_usd=config.capital_usd,
        )
        for name in config.strategies or CATALOGUE
    ]


def equity_figure(document: dict[str, Any]) -> bytes:
    """Draw equity over time; PNG."""
    import numpy as np

    from hean_pipelines.plots import new_figure, png_bytes

    data = document["equity"]
    figure = new_figure(7.0, 2.8)
    axis = figure.subplots()
    hours = (np.array(data["at_ns"]) - (data["at_ns"] or [0])[0]) / 3.6e12
    axis.plot(hours, data["equity_usd"], linewidth=1.0)
    axis.set_title(f"{document['plan']['strategy']} on {document['plan']['symbol']}", fontsize=9)
    axis.set_xlabel("hours from the start")
    axis.set_ylabel("equity, USD")
    return png_bytes(figure)


def _logged(log: Callable[[str], None], name: str) -> Callable[[str, float], None]:
    """Return a listener that logs each stage once and every further tenth."""
    said = {"": -1}

    def told(what: str, share: float) -> None:
        tenth = int(10 * share)
        if said.get(what, -1) < tenth:
            said[what] = tenth
            log(f"{name}: {what}, {10 * tenth} % of all")

    return told


def _run(plan: "Plan", home: Path, log: Callable[[str], None]) -> dict[str, Any]:
    import time

    from hean_pipelines.backtest.document import document_of
    from hean_pipelines.backtest.run import run_backtest
    from hean_pipelines.backtest.save import save_backtest
    from hean_pipelines.plots import markdown_image

    name, started = plan.entry.name, time.monotonic()
    document = document_of(run_backtest(plan, _logged(log, name)))
    saved = save_backtest(document, home / "backtests" / plan.folder(), time.monotonic() - started)
    figures, gates = document["figures"], document["gates"]["result"]
    bps = figures["net_bps"]
    log(f"{name}: {figures['trades']} trades, {figures['net_usd']:+.2f} USD net; {saved.page}")
    return {
        f"{name}: report": dg.MetadataValue.path(str(saved.page.absolute())),
        f"{name}: equity": dg.MetadataValue.md(markdown_image(equity_figure(document), f"equity of {name}")),
        f"{name}: net USD": figures["net_usd"],
        f"{name}: net bps a trade": dg.MetadataValue.json(bps),
        f"{name}: trades": figures["trades"],
        f"{name}: fees USD": figures["fees_usd"],
        f"{name}: dropped orders": figures["dropped"],
        f"{name}: maker quoting": document["markouts"]["quoting"],
        f"{name}: round trips the gates pass": 0 if gates is None else gates["passed"]["trips"],
        f"{name}: net USD of these": 0.0 if gates is None else gates["passed"]["net_usd"],
    }


def backtest_definitions(settings: "PipelineSettings") -> dg.Definitions:
    """Return the asset with its check, and the job that runs it."""

    @dg.asset(
        name=NAME,
        group_name=GROUP,
        kinds={"numba", "html"},
        description="Configured strategies over a synthetic or recorded market, with the executor's own features, steps and fill "
        "model: figures, equity, and the path of each strategy's report. Launch with a configuration to choose strategies, days, "
        "market and seed.",
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=NAME,
                description="Every tape had trades, and in no run was more under way than there is room for.",
            )
        ],
    )
    def backtests(context: dg.AssetExecutionContext, config: BacktestConfig):
        from hean_pipelines.backtest.tapes import NoTrades
        from models.simulation.backtest.results import Overflow

        metadata: dict[str, Any] = {}
        failed: dict[str, str] = {}
        for plan in plans_of(config):
            try:
                metadata |= _run(plan, settings.home, context.log.info)
            except (NoTrades, Overflow) as error:
                failed[plan.entry.name] = str(error)
                context.log.error(f"{plan.entry.name}: {error}")
        yield dg.MaterializeResult(metadata=metadata)
        yield dg.AssetCheckResult(check_name=CHECK, passed=not failed, metadata={"failed": failed})

    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(NAME),
        description="Run strategies over a market and write their reports; choose them in the launchpad's configuration.",
    )
    return dg.Definitions(assets=[backtests], jobs=[job])
