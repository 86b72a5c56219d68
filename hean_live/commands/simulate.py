"""`hean simulate`: arguments, progress and the report of failing seeds. The work is in `hean_live.simulation`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hean_live.simulation.session import Outcome

_DESCRIPTION = """\
Run the executor against a simulated venue, network and clock in which everything goes wrong that can.

One seed is one history: lost requests, lost replies after acceptance, late and doubled requests, stale pages,
refusals, rate limits, outages, maintenance, skewed clocks, stream gaps, crashes between any two statements. The
engine, the loop, the order manager and the journal are the real ones. After each seed the invariants of
docs/reconciliation.md are checked. The same seed always gives the same history.
"""

_EPILOG = """\
examples:
  hean simulate --seeds 10000                 the nightly size
  hean simulate --seed 84                     one seed with its history line by line
  hean simulate --seeds 500 --faults crash,lost-reply

stdout: one JSON line with the counts. exit codes: 0 all invariants held, 1 some did not, 2 usage
"""
_SHOWN = 5


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `hean simulate`."""
    parser = subparsers.add_parser(
        "simulate",
        help="try the executor on simulated venues that fail, seed by seed",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=500, metavar="N", help="how many seeds (default 500)")
    parser.add_argument("--first", type=int, default=0, metavar="K", help="the first of them (default 0)")
    parser.add_argument("--seed", type=int, metavar="K", help="this seed only, with its history")
    parser.add_argument("--faults", default="", metavar="A,B", help="only these faults (default all)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="J", help="processes")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the seeds; returns the exit code."""
    from hean_live.simulation import faults
    from hean_live.simulation.run import parse_faults, run_seed, run_seeds

    logging.disable(logging.CRITICAL)
    allowed = parse_faults(arguments.faults) or faults.ALL
    if arguments.seed is not None:
        outcome = run_seed(arguments.seed, allowed, trace=True)
        sys.stderr.write("\n".join(outcome.trace) + "\n")
        outcomes: Iterable[Outcome] = [outcome]
        count = 1
    else:
        count = arguments.seeds
        outcomes = run_seeds(arguments.first, count, allowed, jobs=max(1, arguments.jobs))
    started = time.monotonic()
    totals, failed = _collect(outcomes, count)
    seconds = time.monotonic() - started
    print(json.dumps({**totals, "seconds": round(seconds, 1)}))
    for outcome in failed[:_SHOWN]:
        _explain(outcome, arguments.faults)
    if len(failed) > _SHOWN:
        sys.stderr.write(f"and {len(failed) - _SHOWN} more seeds\n")
    return 1 if failed else 0


def _collect(outcomes: Iterable[Outcome], count: int) -> tuple[dict[str, int], list[Outcome]]:
    from rich.console import Console
    from rich.progress import track

    totals = dict.fromkeys(("seeds", "violations", "orders", "fills", "crashes", "polls"), 0)
    failed = []
    for outcome in track(
        outcomes, "seeds", total=count, console=Console(stderr=True), disable=not sys.stderr.isatty()
    ):
        totals["seeds"] += 1
        totals["violations"] += len(outcome.violations)
        for name in ("orders", "fills", "crashes", "polls"):
            totals[name] += getattr(outcome, name)
        if outcome.violations:
            failed.append(outcome)
    return totals, sorted(failed, key=lambda outcome: outcome.seed)


def _explain(outcome: Outcome, given_faults: str) -> None:
    again = f"hean simulate --seed {outcome.seed}" + (f" --faults {given_faults}" if given_faults else "")
    sys.stderr.write(f"seed {outcome.seed}, again with its history: {again}\n")
    for violation in outcome.violations:
        sys.stderr.write(f"  {violation.number}: {violation.words}\n")
