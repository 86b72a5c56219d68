"""Benchmark of the detectors: what is found of what the synthetic market plants, and what the strategies earn there.

    python -m benchmarks.detectors [--quick]

prints one JSON object. Shares of episodes carry exact 95 % binomial intervals, figures over seeds Student's t; an interval is
[estimate, low, high, n], null where there are too few. Seeds are none of those thresholds were looked at with.

- ``generator``: events a second, tape and labels.
- ``scenarios``: for each named market the scores of F7, F8, F9, F11 against its episodes, and false alarms a day; ``impact``:
  F10 over the planted permanent and transient impact and reversion, ``kyle_lambda_over_planted``: F4 (1 is the truth).
- ``no_liquidation_feed``: F7, F8, F11 where the venue publishes no liquidations; ``theta_3_bps``: there with F6's smallest theta.
- ``regimes``: HMM and rules (F15) against the stressed regime.
- ``s5``, ``s6``: the strategies per scenario: trades a day, gross and net bps of the value traded, share of seeds that end with
  a profit (power where the effect is planted, size where it is not). ``…_by_…`` (not quick): by the size of the effect.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from hean_live.kernel_cache import name_kernel_cache

name_kernel_cache()

from rich.console import Console  # noqa: E402
from rich.progress import Progress  # noqa: E402

from benchmarks.detector_measures import (  # noqa: E402
    earnings,
    flow_scores,
    generator_speed,
    impact_scores,
    kyle_score,
    regime_scores,
    whale_scores,
)
from models.market.feature_params import FeatureParams  # noqa: E402
from models.market.tape import LIQUIDATION  # noqa: E402
from models.simulation.backtest.run import (  # noqa: E402
    forced_flow_exhaustion_strategy,
    impact_reversion_strategy,
)
from models.simulation.order_flow.observed import Observed, observe  # noqa: E402
from models.simulation.order_flow.scenarios import SCENARIOS  # noqa: E402

FLOW = ("cascades", "violent_cascades", "permanent_cascades", "informed", "everything", "null", "calm")
WHALES = ("whales", "thin_whales", "strong_whales", "null")
S5_MARKETS = ("whales", "strong_whales", "permanent_whales", "null", "everything")
S6_MARKETS = ("cascades", "violent_cascades", "permanent_cascades", "informed", "null", "everything")
OVERSHOOTS = (15.0, 30.0, 45.0, 60.0, 90.0)
TRANSIENTS = (2.4, 10.0, 15.0, 20.0, 30.0)


def jobs(quick: bool) -> dict[str, dict[str, Callable[[], Any]]]:
    """Everything to be measured, by group and name."""
    hours = 2.0 if quick else 8.0
    seeds = tuple(range(201, 203 if quick else 209))
    kept: dict[tuple[Any, ...], list[Observed]] = {}

    def seen(name: str, theta: float = 5e-4, leave_out: tuple[int, ...] = ()) -> list[Observed]:
        if (name, theta, leave_out) not in kept:
            kept.clear()  # one scenario at a time: its features take half a gigabyte
            params = FeatureParams(theta=theta)
            found = [
                observe(SCENARIOS[name](), s, hours * 3600.0, params, leave_out=leave_out) for s in seeds
            ]
            kept[name, theta, leave_out] = found
        return kept[name, theta, leave_out]

    def scores(name: str) -> dict[str, Any]:
        p, out = SCENARIOS[name](), {}
        if name in FLOW:
            out |= flow_scores(seen(name))
        if name in WHALES:
            out |= whale_scores(seen(name), p.trade_size_median)
        if name in ("whales", "strong_whales"):
            out["impact"] = impact_scores(seen(name), p)
        if name in ("null", "calm"):
            out["kyle_lambda_over_planted"] = kyle_score(seen(name), p)
        return out

    hidden = ("cascades", "violent_cascades")
    groups: dict[str, dict[str, Callable[[], Any]]] = {
        "generator": {"events_per_s": lambda: generator_speed(hours)},
        "scenarios": {n: (lambda n=n: scores(n)) for n in dict.fromkeys((*FLOW, *WHALES))},
        "no_liquidation_feed": {
            n: (lambda n=n: flow_scores(seen(n, leave_out=(LIQUIDATION,)))) for n in hidden
        },
        "theta_3_bps": {n: (lambda n=n: flow_scores(seen(n, 3e-4, (LIQUIDATION,)))) for n in hidden},
        "regimes": {"stressed": lambda: regime_scores(SCENARIOS["null"](), seeds, hours)},
    }
    s5, s6 = impact_reversion_strategy, forced_flow_exhaustion_strategy
    for name, strategy, markets in (("s5", s5, S5_MARKETS), ("s6", s6, S6_MARKETS)):
        groups[name] = {
            n: (lambda n=n, strategy=strategy: earnings(strategy, SCENARIOS[n](), seeds, hours))
            for n in markets
        }
    if not quick:
        base = SCENARIOS["whales"](), SCENARIOS["cascades"]()
        groups["s5_by_transient_bps"] = {
            str(x): (lambda x=x: earnings(s5, base[0]._replace(whale_transient_bps=x), seeds, hours))
            for x in TRANSIENTS
        }
        groups["s6_by_overshoot_bps"] = {
            str(x): (lambda x=x: earnings(s6, base[1]._replace(cascade_overshoot_bps=x), seeds, hours))
            for x in OVERSHOOTS
        }
    return groups


def measure(quick: bool) -> dict[str, Any]:
    """Run everything and return the figures."""
    groups = jobs(quick)
    out: dict[str, Any] = {"quick": quick}
    with Progress(console=Console(stderr=True), disable=not Console(stderr=True).is_terminal) as progress:
        task = progress.add_task("detectors", total=sum(len(group) for group in groups.values()))
        for group, members in groups.items():
            out[group] = {}
            for name, job in members.items():
                out[group][name] = job()
                progress.advance(task)
    return out


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="shorter markets and fewer seeds, within a minute"
    )
    print(json.dumps(measure(parser.parse_args().quick), indent=1))


if __name__ == "__main__":
    main()
