"""Benchmark of the core: event loop, VPIN, live step, parsing, growth, beside the peers on the same tape.

    python -m benchmarks.core [--quick]

prints one JSON object (progress to standard error). The first run makes the peers' environments under `HEAN_HOME`/benchmarks and
compiles our kernels; after that ``--quick`` stays within a minute on two busy cores. Seconds are those of the process's CPU, for
every engine: each runs in one thread, so that on an idle machine they are wall seconds, and on a busy one the others' work does
not count. Keys the project's goals name:

- ``event_loop_events_per_s``: events of the tape over seconds of the whole loop: book, trades, all features every 250 ms, the
  two-sided quotes, queue-aware fills. Median over rounds, ``_best`` beside it.
- ``hftbacktest_events_per_s``, ``nautilus_events_per_s``: the same events over their seconds, the same quotes, no features.
  hftbacktest runs with both of its depths, the quicker counts. nautilus_trader runs a stretch from the start of the tape, its
  deltas one by one as its loaders deliver them; ``ratio_nautilus_grouped`` is with the deltas of a message in one object.
- ``ratio_hftbacktest``, ``ratio_nautilus``: their seconds per event over ours, median over rounds; in a round all engines run one
  after the other. Null, with ``…_reason``, where the peer cannot run. ``orders`` and ``fills`` say whether all did the same.
- ``vpin_trades_per_s``: trades over seconds of updating VPIN alone.
- ``live_step_us_p50``, ``_p99``: one call of `event_of` from Python, wall time, the clock's own included; ``live_tick_us_…``: one
  call of `tick_of` that took a tick.
- ``parse_bybit_mb_per_s``, ``parse_binance_mb_per_s``: raw messages to tape; ``decode_only_…``: the quicker of orjson and
  msgspec merely decoding the same lines.
- ``growth_3x_time_ratio``, ``growth_10x_time_ratio``: seconds of the loop on 3 and 10 times the tape over the seconds on it:
  linear is 3 and 10. ``growth_…_memory_ratio``: peak resident memory of those processes over that of the first: flat is 1.

The tape is the recording of BTCUSDT beside the checkout, or a synthetic market as busy; ``tapes`` has the loop on each.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hean_live.kernel_cache import name_kernel_cache

name_kernel_cache()

import numba  # noqa: E402
import numpy as np  # noqa: E402

from benchmarks import core_parts as parts  # noqa: E402
from benchmarks import core_tape as tapes  # noqa: E402
from benchmarks.core_peers import HFTBACKTEST, NAUTILUS, Peer, PeerError  # noqa: E402
from models.market.readers.binance import BinanceReader  # noqa: E402
from models.market.readers.bybit import BybitReader  # noqa: E402
from models.market.readers.hftbacktest_events import to_hftbacktest  # noqa: E402

NAUTILUS_ROWS = 150_000


def say(text: str) -> None:
    """Report progress to standard error."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def open_peer(make: Callable[[], Peer]) -> tuple[Peer | None, str | None]:
    """Start a peer, or say why it cannot run."""
    try:
        return make(), None
    except PeerError as error:
        say(f"no peer: {error}")
        return None, str(error)


def run_peer(peer: Peer) -> dict[str, Any] | str:
    """Run a peer once; a text is the reason it could not."""
    try:
        return peer.run()
    except (PeerError, OSError) as error:
        return str(error)


def stretch_of(tape: tapes.Tape, rows: Any) -> tuple[Any, int]:
    """Return the first events of a tape and how many of hftbacktest's rows they are, whole messages, about `NAUTILUS_ROWS`."""
    last_ns = int(rows["local_ts"][min(NAUTILUS_ROWS, len(rows)) - 1])
    first = int(np.searchsorted(tape.events["local_ts"], last_ns, side="right"))
    return tape.events[:first], int(np.searchsorted(rows["local_ts"], last_ns, side="right"))


def speeds(events: int, seconds: list[float]) -> dict[str, Any]:
    """Return median and best events per second."""
    return {
        "events_per_s": round(events / statistics.median(seconds)),
        "events_per_s_best": round(events / min(seconds)),
    }


def compare(tape: tapes.Tape, rounds: int, folder: Path) -> dict[str, Any]:
    """Run the loop and the peers in turn on one tape."""
    rows = np.concatenate(list(to_hftbacktest([tape.events], tape.tick_size)))
    data = folder / f"{tape.name}.npz"
    np.savez(data, data=rows)
    short, short_rows = stretch_of(tape, rows)
    told = {**parts.peer_parameters(tape), "rows": short_rows}
    wanted = {
        "hftbacktest_roi": (HFTBACKTEST, "core_hftbacktest.py", {**told, "depth": "roi"}),
        "hftbacktest_hashmap": (HFTBACKTEST, "core_hftbacktest.py", {**told, "depth": "hashmap"}),
        "nautilus": (NAUTILUS, "core_nautilus.py", {**told, "grouped": False}),
        "nautilus_grouped": (NAUTILUS, "core_nautilus.py", {**told, "grouped": True}),
    }
    out: dict[str, Any] = {"tape": tape.facts(), "hftbacktest_rows": len(rows), "nautilus_events": len(short)}
    peers: dict[str, Peer] = {}
    for name, (environment, script, said) in wanted.items():
        say(f"{tape.name}: {name}")
        arguments = [str(data), json.dumps(said)]
        peer, reason = open_peer(lambda e=environment, s=script, a=arguments: Peer(e, s, a))
        out[name] = {"reason": reason}
        if peer is not None:
            peers[name] = peer
    seconds = alternate(tape, peers, out, rounds)
    out["ours"] |= speeds(len(tape.events), seconds)
    for name in wanted:
        theirs, events = (
            out[name].pop("seconds", []),
            len(short) if name.startswith("nautilus") else len(tape.events),
        )
        if theirs and out[name]["reason"] is None:
            out[name] |= speeds(events, theirs)
            per_event = np.array(theirs) / events / (np.array(seconds) / len(tape.events))
            out[name]["ratio"] = round(float(np.median(per_event)), 2)
    return out


def alternate(tape: tapes.Tape, peers: dict[str, Peer], out: dict[str, Any], rounds: int) -> list[float]:
    """Run all engines round by round, the first round unmeasured; fills `out`, returns our seconds."""
    seconds: list[float] = []
    for turn in range(rounds + 1):
        say(f"{tape.name}: round {turn} of {rounds}")
        took, result = parts.full_loop(tape, tape.events)
        out["ours"] = {"orders": len(result.orders), "fills": len(result.fills), "ticks": result.ticks}
        if turn > 0:
            seconds.append(took)
        for name in list(peers):
            answer = run_peer(peers[name])
            if isinstance(answer, str):
                out[name]["reason"] = answer
                peers.pop(name)
                continue
            if turn > 0:
                out[name].setdefault("seconds", []).append(answer.pop("seconds"))
            out[name] |= {key: answer[key] for key in ("orders", "fills")}
    for name, peer in peers.items():
        out[name]["version"] = peer.facts["version"]
        peer.close()
    return seconds


def headline(compared: dict[str, Any]) -> dict[str, Any]:
    """Return the keys the goals name from a comparison: hftbacktest counts with the quicker of its depths."""
    depths = [compared["hftbacktest_roi"], compared["hftbacktest_hashmap"]]
    ran = [depth for depth in depths if "ratio" in depth]
    quicker = min(ran, key=lambda depth: depth["ratio"]) if ran else {"reason": depths[0]["reason"]}
    nautilus = compared["nautilus"]
    return {
        "event_loop_events_per_s": compared["ours"]["events_per_s"],
        "event_loop_events_per_s_best": compared["ours"]["events_per_s_best"],
        "hftbacktest_events_per_s": quicker.get("events_per_s"),
        "ratio_hftbacktest": quicker.get("ratio"),
        "ratio_hftbacktest_reason": quicker["reason"],
        "nautilus_events_per_s": nautilus.get("events_per_s"),
        "ratio_nautilus": nautilus.get("ratio"),
        "ratio_nautilus_reason": nautilus["reason"],
        "ratio_nautilus_grouped": compared["nautilus_grouped"].get("ratio"),
    }


def measure_live(tape: tapes.Tape, quick: bool) -> dict[str, Any]:
    """Time the live step, after enough of the tape that the medians of hours stand."""
    say("live step")
    warm = min(len(tape.events) // 2, 400_000 if quick else 1_500_000)
    times = parts.live_step(tape, warm, 50_000 if quick else 200_000)
    out: dict[str, Any] = {"live_features_defined": times.defined}
    for name, values in (("step", times.events), ("tick", times.ticks)):
        for percent in (50, 99):
            out[f"live_{name}_us_p{percent}"] = round(float(np.percentile(values, percent)) / 1e3, 3)
    return out | {"live_clock_us_p50": round(float(np.median(times.clock)) / 1e3, 3)}


def measure_parsing(name: str, messages: tuple[str, bytes], rounds: int, folder: Path) -> dict[str, Any]:
    """Parse raw messages, in turn with decoders that build Python objects of them."""
    say(f"parsing {name}")
    source, text = messages
    path = folder / f"{name}.txt"
    path.write_bytes(text)
    peer, reason = open_peer(lambda: Peer(HFTBACKTEST, "core_decode.py", [str(path)]))
    ours: list[float] = []
    theirs: dict[str, list[float]] = {"orjson": [], "msgspec": []}
    for turn in range(rounds + 1):
        reader = BybitReader() if name == "bybit" else BinanceReader("BTCUSDT")
        took, _ = parts.parse(reader, text)
        answer = run_peer(peer) if peer is not None else {}
        if turn > 0:
            ours.append(took)
            for decoder, seconds in answer.items():
                theirs[decoder].append(seconds)
    if peer is not None:
        peer.close()
    mb = len(text) / 1e6
    decoded = {key: round(mb / statistics.median(value), 1) for key, value in theirs.items() if value}
    return {
        f"parse_{name}_mb_per_s": round(mb / statistics.median(ours), 1),
        f"decode_only_{name}_mb_per_s": max(decoded.values(), default=None),
        f"decode_only_{name}_reason": reason,
        f"decode_only_{name}_by": decoded,
        f"parse_{name}_messages": {"source": source, "mb": round(mb, 1)},
    }


def measure_growth(quick: bool) -> dict[str, Any]:
    """Stream one, three and ten times a synthetic market, each in a process of its own."""
    base = 300.0 if quick else 900.0
    runs = {}
    for times in (1, 3, 10):
        say(f"growth {times}x")
        command = [
            sys.executable,
            "-m",
            "benchmarks.core_growth",
            str(base * times),
            "1" if times == 10 else "3",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        runs[times] = json.loads(done.stdout)
    out: dict[str, Any] = {"growth_runs": {f"{times}x": run for times, run in runs.items()}}
    for times in (3, 10):
        for key, field in (("time", "seconds"), ("memory", "peak_rss_mb")):
            out[f"growth_{times}x_{key}_ratio"] = round(runs[times][field] / runs[1][field], 3)
    return out


def machine() -> dict[str, Any]:
    """Say what it ran on, and how busy that was."""
    model = platform.processor()
    facts = Path("/proc/cpuinfo")
    if facts.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in facts.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "load_1m": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
        "system": platform.platform(),
    }


def measure(quick: bool) -> dict[str, Any]:
    """Run everything and return the figures."""
    out: dict[str, Any] = {"quick": quick, "machine": machine()}
    rounds = 3 if quick else 9
    say("tapes")
    recorded = tapes.recorded_tape(2 if quick else 6)
    busy = tapes.synthetic_tape("synthetic_busy", tapes.BUSY, 500.0 if quick else 2400.0)
    chosen = [busy] if recorded is None else [recorded] if quick else [recorded, busy]
    if not quick:
        chosen.append(tapes.synthetic_tape("synthetic_calm", tapes.CALM, 20_000.0))
    with tempfile.TemporaryDirectory(prefix="hean-benchmark-") as name:
        folder = Path(name)
        compared = {tape.name: compare(tape, rounds, folder) for tape in chosen}
        out |= {"tape": chosen[0].name} | headline(compared[chosen[0].name])
        say("VPIN")
        trades = 2_000_000 if quick else 10_000_000
        seconds = parts.vpin_alone(trades, rounds)
        out["vpin_trades_per_s"] = round(trades / statistics.median(seconds))
        out["vpin_trades_per_s_best"] = round(trades / min(seconds))
        out |= measure_live(chosen[0], quick)
        least, most = (8 << 20, 16 << 20) if quick else (64 << 20, 64 << 20)
        stand_in = busy.events[:100_000]
        out |= measure_parsing("bybit", tapes.bybit_messages(least, stand_in), rounds, folder)
        out |= measure_parsing("binance", tapes.binance_messages(least, most, stand_in), rounds, folder)
    return out | measure_growth(quick) | {"tapes": compared}


def main() -> None:
    """Print the figures as one JSON object."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, within a minute")
    print(json.dumps(measure(parser.parse_args().quick), indent=1))


if __name__ == "__main__":
    main()
