"""Market bytes on the socket to signed-in order bytes on the socket, ours and pybit's, in one run.

Keys, each with ``p50_us``, ``p99_us``, ``max_us`` and ``orders``: ``hean_fsync`` (the journal forces every order to the
disk before it is sent), ``hean_os`` (the journal hands it to the operating system: it survives the process, not a power
cut), ``pybit_socket`` (no features, no strategy, no risk check, no journal) and ``bare_socket`` (two blocking sockets and
nothing else: what the machine takes). ``journal_fsync`` and ``journal_os`` are
the journal's share alone; ``disk_fdatasync`` is what 300 bytes forced to this disk cost. ``tick_to_order_us_p50`` and
``_p99`` repeat ``hean_fsync``; ``pybit_socket_us_p50`` repeats ``pybit_socket``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RATE = 2_000


def measure(client: str, how: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Run one client against a fresh feed."""
    feed = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.streams_latency_feed", str(RATE), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        ports = feed.stdout.readline().strip()
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.streams_latency_clients", client, ports, str(folder), how],
            capture_output=True,
            text=True,
            timeout=seconds + 180,
            check=False,
        )
        if ran.returncode:
            raise SystemExit(f"{client}: {ran.stderr[-2000:]}")
        told = json.loads(feed.stdout.readline())
    finally:
        feed.kill()
        feed.wait()
    result = json.loads(ran.stdout)
    made, arrived, left = result["made"], told["arrived"], told["left"]
    spans = [arrived[link] - left[k] for link, k in made.items() if link in arrived and k >= 0]
    return {**result, "spans": spans, "lost": len(made) - len(spans)}


def disk(folder: Path, count: int) -> list[int]:
    """Nanoseconds that appending and forcing 300 bytes takes."""
    spans = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(count):
            started = time.perf_counter_ns()
            os.write(file.fileno(), b"x" * 300)
            os.fdatasync(file.fileno())
            spans.append(time.perf_counter_ns() - started)
    return spans


def latency(folder: Path, *, quick: bool) -> dict[str, Any]:
    """Measure every client; `folder` is where the journal lies."""
    from benchmarks.streams import percentiles

    folder.mkdir(parents=True, exist_ok=True)
    seconds = 15.0 if quick else 60.0
    out: dict[str, Any] = {"messages_per_s": RATE, "symbols": 10, "seconds": seconds}
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        for how in ("fsync", "os"):
            ran = measure("hean", how, Path(scratch), seconds)
            out[f"hean_{how}"] = {
                **percentiles(ran["spans"]),
                "orders": len(ran["spans"]),
                "lost": ran["lost"],
            }
            out[f"journal_{how}"] = percentiles(ran["journal_ns"])
            out[f"market_{how}"] = ran["counts"]
            if ran["denied"]:
                out[f"denied_{how}"] = ran["denied"]
        ran = measure("pybit", str(seconds), Path(scratch), seconds)
        out["pybit_socket"] = {**percentiles(ran["spans"]), "orders": len(ran["spans"]), "lost": ran["lost"]}
        ran = measure("bare", "-", Path(scratch), seconds)
        out["bare_socket"] = {**percentiles(ran["spans"]), "orders": len(ran["spans"]), "lost": ran["lost"]}
        out["disk_fdatasync"] = percentiles(disk(Path(scratch), 100 if quick else 500))
    out["tick_to_order_us_p50"] = out["hean_fsync"]["p50_us"]
    out["tick_to_order_us_p99"] = out["hean_fsync"]["p99_us"]
    out["pybit_socket_us_p50"] = out["pybit_socket"]["p50_us"]
    return out
