"""Kills and bent messages side by side: as many processes as processors, each with a seed of its own, added up here.

What one share does is in `survive_kills.py` and `survive_messages.py`.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

Say = Callable[[str], None]

_FIXTURES = Path(__file__).resolve().parents[2] / "shared" / "fixtures" / "bybit"
_KILLS_A_SHARE = 125
_MESSAGES_A_SHARE = 62_500


def kills(count: int, say: Say) -> dict[str, Any]:
    """Kill `count` times; returns the sums, and percentiles over all recoveries."""
    import numpy as np

    rows = _run(_kill, shares(count, _KILLS_A_SHARE), "kills", say)
    times = np.array([seconds for row in rows for seconds in row["recoveries_s"]])
    sums = {
        name: sum(row[name] for row in rows)
        for name in ("kills", "doubled", "lost", "orphaned", "venue_orders", "venue_fills")
    }
    return {
        **sums,
        "recovery_s_p50": round(float(np.percentile(times, 50)), 3),
        "recovery_s_p99": round(float(np.percentile(times, 99)), 3),
        "journal_readable": all(row["journal_readable"] for row in rows),
        "broken": [words for row in rows for words in row["broken"]],
        "died": [words for row in rows for words in row["died"]],
    }


def messages(count: int, say: Say) -> dict[str, Any]:
    """Serve `count` bent messages; returns the sums."""
    started = time.perf_counter()
    # They wait for the disk, so more of them than processors.
    rows = _run(_bend, shares(count, _MESSAGES_A_SHARE), "messages", say, a_processor=3)
    kinds: Counter[str] = Counter()
    for row in rows:
        kinds.update(row["crash_kinds"])
    names = ("mutated_messages", "crashes", "orders_from_bad_messages")
    return {
        **{name: sum(row[name] for row in rows) for name in names},
        "position_kept": all(row["position_kept"] for row in rows),
        "crash_kinds": dict(kinds.most_common(20)),
        "messages_per_s": round(count / (time.perf_counter() - started), 1),
    }


def shares(count: int, most: int) -> list[int]:
    """Cut `count` into near-equal shares of at most `most`, at least one for each processor."""
    number = max(min(os.cpu_count() or 1, count), -(-count // most))
    return [count // number + (place < count % number) for place in range(number)]


def _run(
    work: Callable[[int, int], dict[str, Any]], sizes: list[int], name: str, say: Say, *, a_processor: int = 1
) -> list[dict[str, Any]]:
    jobs = a_processor * (os.cpu_count() or 1)
    rows = []
    # Not concurrent.futures: in Python 3.11 its pool hangs now and then when it replaces a worker that has done its share.
    with get_context("spawn").Pool(jobs, initializer=_be_quiet, maxtasksperchild=1) as pool:
        asked = [(work, size, seed) for seed, size in enumerate(sizes, start=1)]
        for row in pool.imap_unordered(_share, asked):
            rows.append(row)
            say(f"{name}: {len(rows)} of {len(sizes)} shares, {sum(sizes)} in all")
    return rows


def _share(asked: tuple[Callable[[int, int], dict[str, Any]], int, int]) -> dict[str, Any]:
    work, size, seed = asked
    try:
        return work(size, seed)
    except SystemExit as error:
        # A worker that leaves takes its share along, and the pool would wait for it for ever.
        raise RuntimeError(f"a share of {size} ended: {error}") from error


def _kill(count: int, seed: int) -> dict[str, Any]:
    from benchmarks.survive_kills import survive_kills

    return survive_kills(count, seed=seed)


def _bend(count: int, seed: int) -> dict[str, Any]:
    from benchmarks.survive_messages import survive_messages

    return survive_messages(count, seed=seed, fixtures=_FIXTURES)


def _be_quiet() -> None:
    from hean_live.kernel_cache import name_kernel_cache

    name_kernel_cache()
    logging.disable(logging.CRITICAL)
