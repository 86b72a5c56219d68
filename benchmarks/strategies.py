"""Benchmark of the strategies: what shadows cost, what each strategy finds, and whether a rehearsal's books agree to the cent.

    python -m benchmarks.strategies [--quick] [--days N] [--own-days N] [--rehearsal-hours N]

prints one JSON object (progress to standard error). The first run compiles the bank's loop, which takes minutes; after that
``--quick`` takes a minute on two idle cores.

- ``shadow_core_share``: seconds of CPU over seconds of market for all strategies on ten symbols at a tick every 250 ms, features
  included (``benchmarks.strategies_shadow``).
- ``tournament_s``: wall seconds of the tournament on two processes (``--quick``: one); ``tournament_cpu_s``: those of CPU, which
  say more on a busy machine; ``tournament_symbol_days``: how long its markets were.
- ``strategies``: by name ``trades``, ``net_bps_planted`` with its 95 % interval where the strategy's own effect is planted,
  ``net_bps_null`` where nothing is, and the verdict (``hean tournament``). Null where there was no trade.
- ``ledger_difference_usd``, ``replay_identical``: of a rehearsal on the accelerated local testnet (``hean rehearse``).

A figure that could not be had is null, and ``reasons`` says why.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

from hean_live.kernel_cache import name_kernel_cache

name_kernel_cache()

from benchmarks.strategies_rehearsal import rehearsal  # noqa: E402
from benchmarks.strategies_shadow import shadow_share  # noqa: E402
from hean_pipelines.tournament.document import document_of  # noqa: E402
from hean_pipelines.tournament.processes import run_tournament  # noqa: E402
from hean_pipelines.tournament.run import NULL, OWN, plan_tasks  # noqa: E402
from models.simulation.slow_market.symbols import SYMBOLS  # noqa: E402
from models.strategies.catalogue import CATALOGUE  # noqa: E402

SEED = 7
"""Not one the scenarios were made with."""


def say(text: str) -> None:
    """Report progress to standard error."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def tournament(symbols: list[str], days: float, own_days: float, processes: int) -> dict[str, Any]:
    """Run the tournament and return its figures."""
    tasks = plan_tasks(list(CATALOGUE), symbols, days, own_days, SEED)
    told = {"tenth": -1}

    def on_progress(what: str, share: float) -> None:
        if int(10 * share) > told["tenth"]:
            told["tenth"] = int(10 * share)
            say(f"{100 * share:.0f} % {what}")

    started, cpu = time.perf_counter(), _cpu_s()
    done = run_tournament(tasks, processes, on_progress)
    seconds = time.perf_counter() - started
    document = document_of(done, SEED)
    return {
        "tournament_s": round(seconds, 1),
        "tournament_cpu_s": round(_cpu_s() - cpu, 1),
        "tournament_processes": processes,
        "tournament_symbol_days": document["symbol_days"],
        "tournament_events": document["events"],
        "strategies": {row["strategy"]: _row(row) for row in document["rows"]},
    }


def _cpu_s() -> float:
    """Return seconds of CPU of this process and of those it started that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _row(row: dict[str, Any]) -> dict[str, Any]:
    own, null = row["scores"][OWN], row["scores"][NULL]
    return {
        "trades": 0 if own is None else own["trades"],
        "net_bps_planted": None if own is None else own["net_bps"],
        "net_bps_planted_interval": None if own is None else [own["low_bps"], own["high_bps"]],
        "net_bps_null": None if null is None else null["net_bps"],
        "trades_null": 0 if null is None else null["trades"],
        "verdict": row["verdict"],
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="within about a minute")
    parser.add_argument("--days", type=float, help="of null and everything, for five symbols (default 90)")
    parser.add_argument("--own-days", type=float, help="of each effect alone (default 10)")
    parser.add_argument("--rehearsal-hours", type=float, help="of market (default 24; --quick 0.2)")
    args = parser.parse_args()
    reasons: dict[str, str] = {}
    say("shadows")
    figures: dict[str, Any] = {"quick": args.quick, **shadow_share(10.0 if args.quick else 120.0)}
    say("tournament")
    symbols = ["XRPUSDT"] if args.quick else list(SYMBOLS)
    days = args.days or (1.0 if args.quick else 90.0)
    own_days = args.own_days or (0.2 if args.quick else 10.0)
    # A second process has to load the compiled code first, which takes as long as the quick tournament.
    figures |= tournament(symbols, days, own_days, 1 if args.quick else 2)
    say("rehearsal")
    hours = args.rehearsal_hours or (0.2 if args.quick else 24.0)
    try:
        found = rehearsal(hours=hours)
    except (OSError, RuntimeError, ValueError) as error:
        reasons["ledger_difference_usd"] = reasons["replay_identical"] = str(error)
        found = {"ledger_difference_usd": None, "replay_identical": None}
    figures |= found
    print(json.dumps({**figures, "reasons": reasons}))


if __name__ == "__main__":
    main()
