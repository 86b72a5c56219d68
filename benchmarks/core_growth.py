"""One length of tape for `benchmarks.core`: time of the loop and peak memory of a process that streams it.

    python -m benchmarks.core_growth SECONDS REPEATS

The market is generated chunk by chunk while it is run, as a tape is read; the time is that of the loop without the generator's.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from hean_live.kernel_cache import name_kernel_cache

name_kernel_cache()

from benchmarks.core_parts import quote_strategy, venue_of  # noqa: E402
from benchmarks.core_tape import BUSY  # noqa: E402
from models.market.tape import Events  # noqa: E402
from models.simulation.backtest.run import run_compiled  # noqa: E402
from models.simulation.order_flow.generator import stream_order_flow  # noqa: E402


def once(seconds: float) -> tuple[float, int]:
    """Stream a market of some seconds through the loop; returns the loop's time and the events."""
    made = 0.0

    def chunks() -> Iterator[Events]:
        nonlocal made
        stream = stream_order_flow(BUSY, 3, seconds)
        while True:
            started = time.process_time()
            chunk = next(stream, None)
            made += time.process_time() - started
            if chunk is None:
                return
            yield chunk.events

    started = time.process_time()
    result = run_compiled(chunks(), quote_strategy(), venue_of(BUSY.tick_size, BUSY.lot_size))
    return time.process_time() - started - made, result.events


def main() -> None:
    """Print events, the shortest time and the peak memory."""
    seconds, repeats = float(sys.argv[1]), int(sys.argv[2])
    once(10.0)
    runs = [once(seconds) for _ in range(repeats)]
    # Not getrusage: its maximum begins with that of the process that started this one.
    status = Path("/proc/self/status").read_text().splitlines()
    peak_mb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024.0
    print(json.dumps({"events": runs[0][1], "seconds": min(run[0] for run in runs), "peak_rss_mb": peak_mb}))


if __name__ == "__main__":
    main()
