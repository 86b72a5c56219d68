"""What `hean live` needs when nothing happens: memory and the time to its ready line, in a dry run on the local testnet.

Measured three times: as it trades (streams, shadows of all strategies, a cached bundle with a LightGBM booster, ten symbols), the
same without shadows, and bare (no streams, no shadows, no bundle). The registry is absent in all, so that what is measured is the
start from the cache. Seconds of CPU stand beside those of the clock, which say little on a machine that does other things too;
``anonymous`` is the part of the memory that no file stands behind.
"""

from __future__ import annotations

import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

SYMBOLS = tuple(
    f"{coin}USDT" for coin in ("BTC", "ETH", "SOL", "XRP", "DOGE", "WIF", "HYPE", "ADA", "LINK", "LTC")
)
_STARTS = 3
_WARM_WITHIN_S = 600.0
_READY_WITHIN_S = 120.0
_UNSEEN_S = 2.0
_FAR_NS = 4_000_000_000_000_000_000


def executor(idle_s: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure all; `idle_s` seconds pass after the shadows are at work, or after the ready line without any."""
    with testnet() as ready:
        with tempfile.TemporaryDirectory(prefix="hean-survive-") as folder:
            home = Path(folder)
            cache_a_bundle(home)
            own = environment(home, ready, HEAN_LIVE_STREAMS="true", HEAN_LIVE_SHADOWS="true")
            _measure(own, 0.0, _WARM_WITHIN_S, 1)  # kernels are compiled and caches are read once
            say("executor: warmed up")
            whole = _measure(own, idle_s, _WARM_WITHIN_S, _STARTS)
            say(f"executor: {whole}")
            own = environment(home, ready, HEAN_LIVE_STREAMS="true", HEAN_LIVE_SHADOWS="false")
            streams = _measure(own, idle_s, 0.0, _STARTS)
            say(f"executor without shadows: {streams}")
        with tempfile.TemporaryDirectory(prefix="hean-survive-") as folder:
            own = environment(Path(folder), ready, HEAN_LIVE_STREAMS="false", HEAN_LIVE_SHADOWS="false")
            bare = _measure(own, idle_s, 0.0, _STARTS)
            say(f"executor, bare: {bare}")
    return {
        "idle_rss_mb": whole["rss_mb"],
        "idle_anonymous_mb": whole["anonymous_mb"],
        "start_to_ready_s": whole["ready_s"],
        "start_cpu_s": whole["cpu_s"],
        "start_to_shadows_s": whole["shadows_s"],
        "executor_symbols": len(SYMBOLS),
        "idle_rss_mb_streams": streams["rss_mb"],
        "start_to_ready_s_streams": streams["ready_s"],
        "idle_rss_mb_bare": bare["rss_mb"],
        "start_to_ready_s_bare": bare["ready_s"],
        "start_cpu_s_bare": bare["cpu_s"],
    }


@contextmanager
def testnet() -> Iterator[dict[str, Any]]:
    """Yield what the local testnet says of itself; it ends with the block."""
    command = [sys.executable, "-m", "hean_live.cli", "testnet", "--port", "0", "--days", "30"]
    process = subprocess.Popen(
        [*command, "--symbols", ",".join(SYMBOLS), "--parent-pid", str(os.getpid())],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def environment(home: Path, ready: dict[str, Any], **changes: str) -> dict[str, str]:
    """Return the environment of an executor."""
    return {
        **os.environ,
        "HEAN_HOME": str(home),
        "HEAN_LIVE_ENVIRONMENT": "local",
        "HEAN_LIVE_ORDER_URL": ready["base_url"],
        "HEAN_LIVE_API_KEY": ready["api_key"],
        "HEAN_LIVE_API_SECRET": ready["api_secret"],
        "HEAN_LIVE_SYMBOLS": ",".join(SYMBOLS),
        "HEAN_LIVE_TRACKING_URI": f"sqlite:///{home}/absent.db",
        "HEAN_LIVE_METRICS_PORT": "0",
        **changes,
    }


def cache_a_bundle(home: Path) -> None:
    """Put a bundle into the executor's cache: a booster of 200 trees, fitted in a process of its own."""
    subprocess.run([sys.executable, "-m", "benchmarks.survive_executor", str(home)], check=True)


def _fit_and_cache(home: Path) -> None:
    import lightgbm

    from hean_live.bundle.cache import BundleCache, Pointer
    from hean_live.settings import LiveSettings
    from models.bundle import build_bundle
    from models.funding.candidates import Candidate
    from models.funding.distribution import NORMAL_QUANTILES
    from models.funding.features import FEATURE_NAMES, FEATURE_SPEC_HASH
    from models.funding.predictor import FundingPredictor, golden_rows

    generator = np.random.default_rng(1)
    features = generator.normal(0.0, 1e-4, (4000, len(FEATURE_NAMES)))
    target = 1e4 * features[:, 0] + generator.normal(0.0, 0.5, len(features))
    settings = {"objective": "regression", "num_leaves": 31, "verbosity": -1, "num_threads": 1, "seed": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(features, label=target), num_boost_round=200)
    predictor = FundingPredictor(Candidate("lightgbm", booster=booster), {90: NORMAL_QUANTILES * 0.01})
    contents = build_bundle(
        predictor.to_files(),
        name="hean-funding",
        kind="funding_predictor",
        feature_spec_hash=FEATURE_SPEC_HASH,
        trained_through_ns=0,
        expires_at_ns=_FAR_NS,
        code_version="benchmark",
        data_version="benchmark",
        golden=golden_rows(predictor, features[:3]),
        evidence={"E1": {"passed": True, "r2": 0.5}},
    )
    cache = BundleCache(home / "bundles" / LiveSettings.model_fields["model_name"].default)
    cache.store("1", contents)
    cache.point_to(Pointer("1", "benchmark"))


def _measure(own: dict[str, str], idle_s: float, shadows_within_s: float, starts: int) -> dict[str, Any]:
    """Start `starts` times; median times, and the memory of the last one."""
    ready_s: list[float] = []
    cpu_s: list[float] = []
    shadows_s: list[float] = []
    memory = anonymous = 0.0
    for start in range(starts):
        begun = time.perf_counter()
        live = subprocess.Popen(
            [sys.executable, "-m", "hean_live.cli", "live", "--dry-run"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=own,
        )
        try:
            ready, cpu, warm = _follow(live, begun, shadows_within_s)
            ready_s.append(ready)
            cpu_s.append(cpu)
            if shadows_within_s:
                shadows_s.append(warm)
            if start == starts - 1:
                time.sleep(idle_s)
                memory, anonymous = rss_mb(live.pid), rss_mb(live.pid, "RssAnon")
        finally:
            live.kill()
            live.wait()
    return {
        "rss_mb": round(memory, 1),
        "anonymous_mb": round(anonymous, 1),
        "cpu_s": round(statistics.median(cpu_s), 3),
        "ready_s": round(statistics.median(ready_s), 3),
        "shadows_s": round(statistics.median(shadows_s), 3) if shadows_s else None,
    }


def _follow(
    live: subprocess.Popen[bytes], begun: float, shadows_within_s: float
) -> tuple[float, float, float]:
    """Return seconds to the ready line, those of CPU up to it, and seconds until the shadows' loop was compiled."""
    ready = cpu = warm = 0.0
    seen = False
    assert live.stdout is not None
    while time.perf_counter() - begun < max(shadows_within_s, _READY_WITHIN_S):
        passed = time.perf_counter() - begun
        if not ready and select.select([live.stdout], [], [], 0.02)[0]:
            if not live.stdout.readline():
                raise SystemExit("`hean live` ended before it was ready")
            ready, cpu = passed, _cpu_s(live.pid)
        warming = bool(shadows_within_s) and _is_warming(live.pid)
        seen = seen or warming
        # Where it came and went between two looks, it is over some moments after the ready line.
        if not warm and ((seen and not warming) or (not seen and ready and passed > ready + _UNSEEN_S)):
            warm = passed
        if ready and (warm or not shadows_within_s):
            return ready, cpu, warm
        time.sleep(0.03)
    raise SystemExit(f"`hean live` was not ready in time (ready {ready:.1f} s, shadows {warm:.1f} s)")


def _is_warming(pid: int) -> bool:
    """Whether a child of the process compiles the shadows' loop."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) != pid:
                continue
            if b"hean_live.shadow.warm" in (stat.parent / "cmdline").read_bytes():
                return True
        except (OSError, ValueError):
            continue  # gone between two looks
    return False


def _cpu_s(pid: int) -> float:
    """Return the seconds of CPU a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int, kind: str = "VmRSS") -> float:
    """Return the resident memory of a process, MB; `kind` as in ``/proc/PID/status``."""
    for row in Path(f"/proc/{pid}/status").read_text().splitlines():
        if row.startswith(f"{kind}:"):
            return int(row.split()[1]) / 1024.0
    raise SystemExit(f"process {pid} has no {kind}")


if __name__ == "__main__":
    from hean_live.app.process import hold_back_heavy_imports

    hold_back_heavy_imports()
    _fit_and_cache(Path(sys.argv[1]))
