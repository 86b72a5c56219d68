"""Benchmark of survival: what crashes, faults and bad messages do to the executor.

    python -m benchmarks.survive [--quick] [--only PART,PART] [--out FILE] [--kills N] [--seeds N] [--messages N] [--soak-s S]

prints one JSON object; what is measured already is in FILE while the rest still runs, progress is on stderr. Parts:

- ``kills``: kill -9 at random instants of a trading process on the local testnet (real loop, journal and venue client;
  half of the lives die while they still recover); ``doubled``, ``lost``, ``orphaned``: orders and positions found so
  afterwards by the invariants of docs/reconciliation.md; ``recovery_s_p50``, ``recovery_s_p99``: from the start of a life
  to reconciled books without an order in doubt.
- ``seeds``: of the deterministic simulation; ``violations``: broken invariants; ``seeds_per_s``; ``bank_orders``: of the
  orders, those of the shadows' strategies.
- ``messages``: ``mutated_messages`` through clients, parsers, books and engine, and ``crashes``: errors outside the
  project's own; ``orders_from_bad_messages``; ``messages_per_s``.
- ``executor``: ``idle_rss_mb``, ``start_to_ready_s``, ``start_cpu_s`` with streams, shadows and a cached bundle on ten symbols;
  the same with ``_bare`` without any of them; see `benchmarks.survive_executor`.
- ``latency``: ``tick_to_order_us_p50``, ``tick_to_order_us_p99``, ``pybit_socket_us_p50``, ``nautilus_tick_to_order_us_p50``, as
  measured by ``benchmarks.streams``; not with ``--quick``.
- ``soak``: ``soak_growth_share`` and what else `benchmarks.streams_soak` tells; 900 s by default, not with ``--quick``.

Kills and messages run in as many processes as there are processors, each with a seed of its own. A figure that could not be
measured is null, and ``reasons`` says why.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hean_live.kernel_cache import name_kernel_cache

name_kernel_cache()

PARTS = ("kills", "seeds", "messages", "executor", "latency", "soak")
SIZES: dict[str, dict[str, float]] = {
    "quick": {"kills": 8, "seeds": 150, "messages": 2_000, "soak_s": 0.0, "idle_s": 2.0},
    "full": {"kills": 1_000, "seeds": 10_000, "messages": 1_000_000, "soak_s": 900.0, "idle_s": 60.0},
}
_LATENCIES = (
    "tick_to_order_us_p50",
    "tick_to_order_us_p99",
    "pybit_socket_us_p50",
    "nautilus_tick_to_order_us_p50",
)
_SAY_EVERY_S = 5.0


def say(words: str) -> None:
    """Tell progress."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {words}\n")
    sys.stderr.flush()


def seeds(count: int) -> dict[str, Any]:
    """Run seeds of the simulation on all processors."""
    from hean_live.simulation.run import run_seeds

    started = said = time.perf_counter()
    done = violations = bank_orders = 0
    failing: list[int] = []
    for outcome in run_seeds(0, count, jobs=os.cpu_count() or 1):
        done += 1
        violations += len(outcome.violations)
        bank_orders += outcome.bank_orders
        if outcome.violations:
            failing.append(outcome.seed)
        if time.perf_counter() - said > _SAY_EVERY_S:
            said = time.perf_counter()
            say(f"seeds: {done} of {count}, {done / (said - started):.1f} a second, {violations} violations")
    return {
        "seeds": done,
        "violations": violations,
        "seeds_per_s": round(done / (time.perf_counter() - started), 1),
        "bank_orders": bank_orders,
        "failing_seeds": sorted(failing)[:20],
    }


def latency() -> dict[str, Any]:
    """Latency figures of the streams' own benchmark."""
    from benchmarks.streams_latency import latency as measured

    with tempfile.TemporaryDirectory(prefix="hean-latency-") as folder:
        figures = measured(Path(folder), quick=False)
    return {**{name: figures[name] for name in _LATENCIES}, "reasons": figures["reasons"]}


def parts_of(sizes: dict[str, float]) -> dict[str, Callable[[], dict[str, Any]]]:
    """Return what each part runs."""
    from benchmarks.streams_soak import soak
    from benchmarks.survive_executor import executor
    from benchmarks.survive_shards import kills, messages

    return {
        "kills": lambda: kills(int(sizes["kills"]), say),
        "seeds": lambda: seeds(int(sizes["seeds"])),
        "messages": lambda: messages(int(sizes["messages"]), say),
        "executor": lambda: executor(sizes["idle_s"], say),
        "latency": latency,
        "soak": lambda: soak(sizes["soak_s"]),
    }


def skipped(quick: bool, sizes: dict[str, float]) -> dict[str, str]:
    """Return which parts are not measured unless asked for by name, and why."""
    reasons = {}
    if quick:
        reasons["latency"] = "takes a minute by itself: python -m benchmarks.survive --only latency"
        reasons["executor"] = "compiles the shadows' loop where it is not cached: --only executor"
    if sizes["soak_s"] <= 0:
        reasons["soak"] = "not with --quick unless asked for: --soak-s"
    return reasons


def measure(only: tuple[str, ...], quick: bool, sizes: dict[str, float], out: Path | None) -> dict[str, Any]:
    """Run the parts one after another; what is measured is written down at once.

    Parameters
    ----------
    only : tuple of str
        Parts asked for by name; empty for all that go with `quick`.
    quick : bool
    sizes : dict
    out : Path, optional
        File that always holds the parts measured so far.

    """
    logging.disable(logging.CRITICAL)
    reasons = {} if only else skipped(quick, sizes)
    found: dict[str, Any] = {"quick": quick}
    if "latency" in reasons:
        found |= dict.fromkeys(_LATENCIES)
    if "executor" in reasons:
        found |= dict.fromkeys(("idle_rss_mb", "start_to_ready_s"))
    if "soak" in reasons:
        found["soak_growth_share"] = None
    found |= {"part_s": {}, "reasons": reasons}
    for name, run in parts_of(sizes).items():
        if (only and name not in only) or name in reasons:
            continue
        say(f"{name}: begins")
        started = time.perf_counter()
        try:
            told = run()
            reasons |= told.pop("reasons", {})
            found |= told
        except (Exception, SystemExit) as error:
            # The other parts are worth having without this one.
            reasons[name] = f"failed: {type(error).__name__}: {error}"
            say(f"{name}: {reasons[name]}")
        found["part_s"][name] = round(time.perf_counter() - started, 1)
        if out is not None:
            _write(out, found)
    return found


def _write(path: Path, found: dict[str, Any]) -> None:
    """Replace the file whole: a reader, or a crash, never sees half of it."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(json.dumps(found, indent=1) + "\n")
    beside.replace(path)


def main() -> int:
    """Print the figures as one JSON object; returns 1 where a part failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, within a minute")
    parser.add_argument("--only", default="", metavar="A,B", help=f"these parts: {', '.join(PARTS)}")
    parser.add_argument("--out", type=Path, metavar="FILE", help="keep what is measured so far in a file")
    parser.add_argument("--soak-s", type=float, help="seconds of soak")
    for name in ("kills", "seeds", "messages"):
        parser.add_argument(
            f"--{name}", type=int, help="instead of the size that goes with --quick or without"
        )
    arguments = parser.parse_args()
    only = tuple(name.strip() for name in arguments.only.split(",") if name.strip())
    if unknown := sorted(set(only) - set(PARTS)):
        parser.error(f"--only: expected some of {', '.join(PARTS)}, was {', '.join(unknown)}")
    sizes = dict(SIZES["quick" if arguments.quick else "full"])
    sizes |= {name: value for name in sizes if (value := getattr(arguments, name, None)) is not None}
    if "soak" in only and sizes["soak_s"] <= 0:
        sizes["soak_s"] = 60.0
    found = measure(only, arguments.quick, sizes, arguments.out)
    print(json.dumps(found, indent=1))
    return 1 if any(words.startswith("failed") for words in found["reasons"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
