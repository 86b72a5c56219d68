"""Benchmark of the streams: WebSocket clients compared, and the way from market bytes to order bytes.

    python -m benchmarks.streams [--quick]             clients at 2 000 and 20 000 messages/s
    python -m benchmarks.streams --latency [--quick]   market bytes -> signed order bytes

prints one JSON object. Sender and client are processes of their own on loopback; times are the machine's monotonic
clock, from before the sender's `send` to inside the client's callback. Keys of a client at a rate:

- ``p50_us``, ``p99_us``, ``max_us``: latency to the callback; ``lost``: messages that never reached it;
- ``cpu_us_per_message``: processor time of the client's process by the number of messages.

``journal``: how long a durable note of an order takes on this disk, with and without forcing it to the platters.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.streams_clients import CANDIDATES

RATES = (2_000, 20_000)


def percentiles(values_ns: Any) -> dict[str, float]:
    """Return p50, p99 and the maximum in microseconds."""
    values = np.asarray(values_ns, dtype=np.float64) / 1e3
    if not values.size:
        return {"p50_us": float("nan"), "p99_us": float("nan"), "max_us": float("nan")}
    p50, p99 = np.percentile(values, [50, 99])
    return {"p50_us": round(p50, 1), "p99_us": round(p99, 1), "max_us": round(float(values.max()), 1)}


def compare(name: str, rate: int, seconds: float) -> dict[str, float]:
    """Measure one client at one rate."""
    sender = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.streams_feed", str(rate), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        port, messages = sender.stdout.readline().strip(), int(rate * seconds)
        client = subprocess.run(
            [sys.executable, "-m", "benchmarks.streams_clients", name, port, str(messages)],
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )
        left = np.array(json.loads(sender.stdout.readline()), dtype=np.int64)
    finally:
        sender.kill()
        sender.wait()
    result = json.loads(client.stdout)
    at = np.array(result["at"], dtype=np.int64)
    reached = at > 0
    return {
        **percentiles(at[reached] - left[reached]),
        "cpu_us_per_message": round(1e6 * result["processor_s"] / messages, 2),
        "lost": int((~reached).sum()),
    }


def clients(quick: bool) -> dict[str, Any]:
    """Measure every installed client at every rate; picows and websockets are no dependencies of ours."""
    seconds = 2.0 if quick else 5.0
    installed = [name for name in CANDIDATES if find_spec(name) is not None]
    found: dict[str, Any] = {"not_installed": sorted(set(CANDIDATES) - set(installed))}
    for rate in RATES:
        found[f"{rate}_per_s"] = {name: compare(name, rate, seconds) for name in installed}
    return found


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latency", action="store_true", help="market bytes to order bytes")
    parser.add_argument("--quick", action="store_true", help="shorter")
    parser.add_argument("--folder", type=Path, default=Path("var"), help="where the journal is measured")
    arguments = parser.parse_args()
    if arguments.latency:
        from benchmarks.streams_latency import latency

        result = latency(arguments.folder, quick=arguments.quick)
    else:
        result = clients(arguments.quick)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
