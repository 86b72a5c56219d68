"""Benchmark of survival: what crashes, faults and bad messages do to the executor.

    python -m benchmarks.survive [--quick] [--kills N] [--seeds N] [--messages N]

prints one JSON object:

- ``kills``: kill -9 at random instants of a trading process on the local testnet (real loop, journal and venue client;
  half of the lives die while they still recover); ``doubled``, ``lost``, ``orphaned``: orders and positions found so
  afterwards by the invariants of docs/reconciliation.md; ``recovery_s_p50``, ``recovery_s_p99``: from the start of a life
  to reconciled books without an order in doubt.
- ``seeds``, ``violations``: seeds of the deterministic simulation and broken invariants; ``seeds_per_s``.
- ``mutated_messages``, ``crashes``: bent venue messages through clients, parsers, books and engine, and errors outside the
  project's own; ``orders_from_bad_messages``.
- ``tick_to_order_us_p50``, ``tick_to_order_us_p99``, ``pybit_socket_us_p50``: as measured by ``benchmarks.streams``; not with
  ``--quick``.
- ``idle_rss_mb``, ``start_to_ready_s``: of `hean live` in a dry run on the local testnet, without a bundle.
- ``soak_growth_share``: memory growth of the streams at ten times a busy market's rate.

A figure that could not be measured is null, and ``reasons`` says why.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hean_live.kernel_cache import name_kernel_cache

name_kernel_cache()

SIZES = {
    "quick": {"kills": 10, "seeds": 200, "messages": 3_000},
    "full": {"kills": 1_000, "seeds": 10_000, "messages": 1_000_000},
}
_LATENCIES = ("tick_to_order_us_p50", "tick_to_order_us_p99", "pybit_socket_us_p50")
_FIXTURES = Path(__file__).resolve().parents[2] / "shared" / "fixtures" / "bybit"


def seeds(count: int) -> dict[str, Any]:
    """Run seeds of the simulation on all processors."""
    from hean_live.simulation.run import run_seeds

    started = time.perf_counter()
    outcomes = list(run_seeds(0, count, jobs=os.cpu_count() or 1))
    return {
        "seeds": len(outcomes),
        "violations": sum(len(outcome.violations) for outcome in outcomes),
        "seeds_per_s": round(len(outcomes) / (time.perf_counter() - started), 1),
        "failing_seeds": sorted(outcome.seed for outcome in outcomes if outcome.violations)[:20],
    }


def executor(idle_s: float) -> dict[str, float]:
    """Start `hean live` against a local testnet; returns the time to its ready line and its memory afterwards."""
    with tempfile.TemporaryDirectory(prefix="hean-survive-") as folder:
        command = [
            sys.executable,
            "-m",
            "hean_live.cli",
            "testnet",
            "--port",
            "0",
            "--symbols",
            "BTCUSDT,ETHUSDT,SOLUSDT",
        ]
        testnet = subprocess.Popen(
            [*command, "--days", "30"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        try:
            ready = json.loads(testnet.stdout.readline())
            own = {
                **os.environ,
                "HEAN_HOME": folder,
                "HEAN_LIVE_ENVIRONMENT": "local",
                "HEAN_LIVE_ORDER_URL": ready["base_url"],
                "HEAN_LIVE_API_KEY": ready["api_key"],
                "HEAN_LIVE_API_SECRET": ready["api_secret"],
            }
            started = time.perf_counter()
            live = subprocess.Popen(
                [sys.executable, "-m", "hean_live.cli", "live"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=own,
            )
            try:
                live.stdout.readline()
                seconds = time.perf_counter() - started
                time.sleep(idle_s)
                memory = _rss_mb(live.pid)
            finally:
                live.kill()
                live.wait()
        finally:
            testnet.kill()
            testnet.wait()
    return {"idle_rss_mb": round(memory, 1), "start_to_ready_s": round(seconds, 3)}


def _rss_mb(pid: int) -> float:
    for row in Path(f"/proc/{pid}/status").read_text().splitlines():
        if row.startswith("VmRSS:"):
            return int(row.split()[1]) / 1024.0
    raise SystemExit(f"process {pid} has no VmRSS")


def streams(quick: bool, soak_s: float) -> tuple[dict[str, Any], dict[str, str]]:
    """Latency and soak figures of the streams' own benchmarks, null with a reason where they do not measure them."""
    values: dict[str, Any] = dict.fromkeys((*_LATENCIES, "soak_growth_share"))
    reasons: dict[str, str] = {}
    if quick:
        reasons |= dict.fromkeys(
            _LATENCIES, "takes a minute by itself: python -m benchmarks.streams --latency --quick"
        )
    else:
        from benchmarks.streams_latency import latency

        with tempfile.TemporaryDirectory(prefix="hean-latency-") as folder:
            figures = latency(Path(folder), quick=False)
        values |= {name: figures[name] for name in _LATENCIES}
    if soak_s <= 0:
        reasons["soak_growth_share"] = "not asked for: --soak-s"
    else:
        try:
            from benchmarks.streams_soak import soak
        except ImportError:
            reasons["soak_growth_share"] = "benchmarks.streams_soak is not there"
        else:
            values["soak_growth_share"] = soak(soak_s)["soak_growth_share"]
    return values, reasons


def measure(quick: bool, sizes: dict[str, int], soak_s: float) -> dict[str, Any]:
    """Run everything and return the figures."""
    from benchmarks.survive_kills import survive_kills
    from benchmarks.survive_messages import survive_messages

    logging.disable(logging.CRITICAL)
    out: dict[str, Any] = {"quick": quick}
    out |= survive_kills(sizes["kills"])
    out |= seeds(sizes["seeds"])
    out |= survive_messages(sizes["messages"], fixtures=_FIXTURES)
    out |= executor(3.0 if quick else 60.0)
    values, reasons = streams(quick, soak_s)
    return {**out, **values, "reasons": reasons}


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, within a minute")
    parser.add_argument("--soak-s", type=float, default=0.0, help="seconds of soak (default: none)")
    for name in ("kills", "seeds", "messages"):
        parser.add_argument(
            f"--{name}", type=int, help="instead of the size that goes with --quick or without"
        )
    arguments = parser.parse_args()
    sizes = dict(SIZES["quick" if arguments.quick else "full"])
    sizes |= {name: value for name in sizes if (value := getattr(arguments, name)) is not None}
    print(json.dumps(measure(arguments.quick, sizes, arguments.soak_s), indent=1))


if __name__ == "__main__":
    main()
