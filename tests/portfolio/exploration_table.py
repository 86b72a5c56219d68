"""Prints the table of docs/portfolio.md: ``python -m tests.portfolio.exploration_table [--runs 400] [--seed 1]``."""

from __future__ import annotations

import argparse
import math

from models.portfolio.exploration import (
    GREEDY,
    SHARE,
    THOMPSON,
    Comparison,
    Estimate,
    Setting,
    compare_exploration,
)

WORLDS = {
    "means drift slowly": {"half_life": 1000.0},
    "means stay": {"half_life": math.inf},
    "means drift fast": {"half_life": 200.0},
    "most strategies lose": {"half_life": 1000.0, "centre": -0.5},
    "most strategies pay": {"half_life": 1000.0, "centre": 1.0},
    "trades twice as noisy": {"half_life": 1000.0, "trade_sd": 8.0},
    "drift slowly, exact shadow": {"half_life": 1000.0, "shadow_seen": True},
    "most lose, exact shadow": {"half_life": 1000.0, "centre": -0.5, "shadow_seen": True},
    "drift slowly, shadow flatters by 0.5": {
        "half_life": 1000.0,
        "shadow_seen": True,
        "shadow_flatters": 0.5,
    },
    "drift slowly, shadow flatters by 2": {"half_life": 1000.0, "shadow_seen": True, "shadow_flatters": 2.0},
    "drift slowly, shadow slanders by 2": {"half_life": 1000.0, "shadow_seen": True, "shadow_flatters": -2.0},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print(
        "| world | never | 10 % share | Thompson | share − Thompson | never − Thompson | active: knows / share / Thompson |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, change in WORLDS.items():
        print(_row(name, compare_exploration(Setting(runs=asked.runs, **change), asked.seed)), flush=True)


def _row(name: str, found: Comparison) -> str:
    regrets = " | ".join(f"{found.regret[way].mean:.3f}" for way in (GREEDY, SHARE, THOMPSON))
    active = " / ".join(f"{found.active[way]:.3f}" for way in ("oracle", SHARE, THOMPSON))
    differences = f"{_interval(found.share_minus_thompson)} | {_interval(found.greedy_minus_thompson)}"
    return f"| {name} | {regrets} | {differences} | {active} |"


def _interval(estimate: Estimate) -> str:
    return f"{estimate.mean:+.3f} ({estimate.low:+.3f} to {estimate.high:+.3f})"


if __name__ == "__main__":
    main()
