"""Soak of the streams: ten times a busy market's messages for as long as asked, memory watched, every message accounted for.

    python -m benchmarks.streams_soak [--seconds 900] [--speed 10] [--activity 40]

prints one JSON object. The local testnet (order-flow market) is one process, the executor's stream client with market state and
recorder another. Keys:

- ``soak_growth_share``: growth of the client's memory (RSS) from after the warm-up to the end, medians of a tenth of the time
  each; ``rss_mb_warm``, ``rss_mb_end``;
- ``messages_per_s``, ``times_busy``: what came, and how many times 2 000 messages/s that is;
- ``sent``, ``received``, ``lost``: messages the server made for the client's topics, snapshots of subscriptions included, those
  that reached it, and the difference after both have come to rest;
- ``by_topic``: received by kind of topic; ``sequence_breaks``: order-book messages whose ``u`` did not follow the last one;
- ``gaps``, ``malformed``: what market state itself noticed; ``reconnects``, ``resubscribed``;
- ``recorded``, ``dropped``, ``unrecorded``: messages written to segments, refused by the recorder and counted, and neither.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hean_live.kernel_cache import name_kernel_cache

name_kernel_cache()

BUSY_PER_S = 2_000
WARM_SHARE = 0.25
WARM_LEAST_S, WARM_MOST_S = 15.0, 60.0
REST_S = 180.0  # to connect, and to come to rest


def soak(seconds: float, *, speed: float = 10.0, activity: float = 40.0) -> dict[str, Any]:
    """Run the soak; returns the figures the module names."""
    with tempfile.TemporaryDirectory(prefix="hean-soak-") as folder:
        market = f"--market order-flow --days 3 --speed 1 --activity {activity}".split()
        testnet = subprocess.Popen(
            [sys.executable, "-m", "hean_live.cli", "testnet", *market, "--parent-pid", str(os.getpid())],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            ready = json.loads(testnet.stdout.readline())
            own = {
                "--client": ready["base_url"],
                "--symbols": ",".join(ready["symbols"]),
                "--seconds": str(seconds),
                "--speed": str(speed),
                "--folder": folder,
            }
            arguments = [word for pair in own.items() for word in pair]
            client = subprocess.run(
                [sys.executable, "-m", "benchmarks.streams_soak", *arguments],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
                timeout=warm_up_s(seconds) + seconds + REST_S,
            )
        finally:
            testnet.kill()
            testnet.wait()
    return dict(json.loads(client.stdout))


def warm_up_s(seconds: float) -> float:
    """Return for how long memory is not looked at."""
    return min(max(WARM_LEAST_S, WARM_SHARE * seconds), WARM_MOST_S)


def client(url: str, symbols: tuple[str, ...], seconds: float, speed: float, folder: Path) -> dict[str, Any]:
    """Be the client: receive, keep state, record, and count."""
    from benchmarks.streams_soak_client import CountedRecorder, rss_mb, set_speed, settings_of, until_at_rest
    from hean_live.app.streams import make_market
    from hean_live.venues.streams.thread import StreamThread

    settings = settings_of(url, symbols, folder)
    recorder, thread = CountedRecorder(settings), StreamThread("soak")
    market = make_market(settings, thread, recorder)
    recorder.start()
    thread.start()
    market.start()
    while market.problems():
        time.sleep(0.1)
    set_speed(url, speed)
    warm_s = warm_up_s(seconds)
    memory: list[float] = []
    started, before = time.monotonic(), market.stream.counts.data
    while (passed := time.monotonic() - started) < warm_s + seconds:
        time.sleep(0.5)
        market.tickers()  # as the loop of an executor does
        if passed >= warm_s:
            memory.append(rss_mb())
    rate = (market.stream.counts.data - before) / (time.monotonic() - started)
    sent = until_at_rest(url, market)
    counts = market.counters()
    market.close()
    thread.stop()
    recorder.close()
    tenth = max(1, len(memory) // 10)
    warm, end = statistics.median(memory[:tenth]), statistics.median(memory[-tenth:])
    # A subscription begins with a snapshot of the book and of the ticker, which the server does not count.
    snapshots = 2 * len(symbols) + counts["subscription_resubscribed"]
    return {
        "seconds": seconds,
        "soak_growth_share": round(end / warm - 1, 4),
        "rss_mb_warm": round(warm, 1),
        "rss_mb_end": round(end, 1),
        "messages_per_s": round(rate),
        "times_busy": round(rate / BUSY_PER_S, 1),
        "sent": sent + snapshots,
        "received": counts["subscription_data"],
        "lost": sent + snapshots - counts["subscription_data"],
        "by_topic": dict(recorder.by_kind),
        "sequence_breaks": recorder.breaks,
        "gaps": counts["market_gaps"],
        "malformed": counts["market_malformed"],
        "reconnects": counts["connection_opened"] - 1,
        "resubscribed": counts["subscription_resubscribed"],
        "recorded": recorder.counts.written,
        "dropped": recorder.counts.dropped,
        "unrecorded": counts["market_messages"] - recorder.counts.written - recorder.counts.dropped,
    }


def main() -> None:
    """Run the soak, or its client."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--seconds", type=float, default=900.0, help="after the warm-up (default %(default)s)"
    )
    parser.add_argument(
        "--speed", type=float, default=10.0, help="of the market's clock (default %(default)s)"
    )
    parser.add_argument("--activity", type=float, default=40.0, help="of the market (default %(default)s)")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--symbols", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, default=Path(), help=argparse.SUPPRESS)
    own = parser.parse_args()
    if own.client:
        figures = client(own.client, tuple(own.symbols.split(",")), own.seconds, own.speed, own.folder)
    else:
        figures = soak(own.seconds, speed=own.speed, activity=own.activity)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
