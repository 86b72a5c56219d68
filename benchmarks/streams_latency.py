"""Market bytes on the socket to signed-in order bytes on the socket, ours and others', in one run.

Keys, each with ``p50_us``, ``p99_us``, ``max_us`` and ``orders``: ``hean_fsync`` (the journal forces every order to the
disk before it is sent), ``hean_os`` (the journal hands it to the operating system: it survives the process, not a power
cut), ``pybit_socket`` (no features, no strategy, no risk check, no journal), ``nautilus`` (nautilus_trader's Bybit adapter in
a live node, orders over its trade socket: books and risk check, no features, no journal) and ``bare_socket`` (two blocking
sockets and nothing else: what the machine takes). ``stages_fsync`` and ``stages_os``: of our orders, the ``p50_us`` from a
message at hand to the tick of all symbols, of the strategy, of quote and gate, of the journal, of encoding and sending;
``disk_fdatasync``: 300 bytes forced to this disk. ``tick_to_order_us_p50`` and ``_p99`` repeat ``hean_fsync``;
``pybit_socket_us_p50`` and ``nautilus_tick_to_order_us_p50`` repeat the others'. Where nautilus_trader cannot be had or does
not run, its figures are null and ``reasons`` says why.
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

from benchmarks.core_peers import HERE, NAUTILUS, PeerError, python_of
from benchmarks.streams_market import WHALE

RATE = 2_000


def command_of(client: str, ports: str, folder: Path, how: str) -> list[str]:
    """Return what runs a client; for nautilus_trader `how` is the interpreter of its environment."""
    if client == "nautilus":
        return [how, str(HERE / "streams_latency_nautilus.py"), ports, WHALE]
    return [sys.executable, "-m", "benchmarks.streams_latency_clients", client, ports, str(folder), how]


def measure(client: str, how: str, folder: Path, seconds: float) -> dict[str, Any]:
    """Run one client against a fresh feed.

    Raises
    ------
    PeerError
        When it fails, or none of its orders arrives.

    """
    feed = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.streams_latency_feed", str(RATE), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        ports = feed.stdout.readline().strip()
        ran = subprocess.run(
            command_of(client, ports, folder, how),
            capture_output=True,
            text=True,
            timeout=seconds + 180,
            check=False,
        )
        if ran.returncode:
            raise PeerError(f"{client}: {ran.stderr.strip()[-2000:]}")
        told = json.loads(feed.stdout.readline())
    finally:
        feed.kill()
        feed.wait()
    result = json.loads(ran.stdout)
    made, arrived, left = result["made"], told["arrived"], told["left"]
    spans = [arrived[link] - left[k] for link, k in made.items() if link in arrived and k >= 0]
    if not spans:
        raise PeerError(f"{client}: expected orders, was {len(made)} made and none arrived")
    return {**result, "spans": spans, "lost": len(made) - len(spans)}


def figures(ran: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a client."""
    from benchmarks.streams import percentiles

    return {**percentiles(ran["spans"]), "orders": len(ran["spans"]), "lost": ran["lost"]}


def nautilus(folder: Path, seconds: float) -> tuple[dict[str, Any] | None, str]:
    """Measure nautilus_trader; None and a reason where that cannot be done."""
    try:
        ran = measure("nautilus", str(python_of(NAUTILUS)), folder, seconds)
    except (PeerError, OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    return {**figures(ran), "version": ran["version"]}, ""


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
            out[f"hean_{how}"] = figures(ran)
            out[f"stages_{how}"] = {name: percentiles(ns)["p50_us"] for name, ns in ran["stages"].items()}
            out[f"market_{how}"] = ran["counts"]
            if ran["denied"]:
                out[f"denied_{how}"] = ran["denied"]
        out["pybit_socket"] = figures(measure("pybit", str(seconds), Path(scratch), seconds))
        out["nautilus"], reason = nautilus(Path(scratch), seconds)
        out["bare_socket"] = figures(measure("bare", "-", Path(scratch), seconds))
        out["disk_fdatasync"] = percentiles(disk(Path(scratch), 100 if quick else 500))
    out["tick_to_order_us_p50"] = out["hean_fsync"]["p50_us"]
    out["tick_to_order_us_p99"] = out["hean_fsync"]["p99_us"]
    out["pybit_socket_us_p50"] = out["pybit_socket"]["p50_us"]
    out["nautilus_tick_to_order_us_p50"] = out["nautilus"]["p50_us"] if out["nautilus"] else None
    out["reasons"] = {"nautilus": reason} if reason else {}
    return out
