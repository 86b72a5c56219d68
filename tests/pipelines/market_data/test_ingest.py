"""Ingestion into the lake: complete, twice the same bytes, one symbol's trouble is its own, nothing half-written."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from hean_pipelines.defs.market_data.ingest import Report, day_of, ingest_history, split_range
from hean_pipelines.defs.market_data.progress import Progress, listening
from hean_pipelines.defs.market_data.specs import History, history_specs
from hean_pipelines.resources import lake as lake_module
from hean_pipelines.resources.lake import DiskFull, Lake
from hean_pipelines.settings import load_settings
from hean_pipelines.sources.http import RequestsBanned
from tests.local_testnet.server import RunningTestnet, start_testnet
from tests.pipelines.market_data.support import (
    DAY_NS,
    NS_PER_MS,
    START_NS,
    client_of,
    fingerprint,
    true_bars,
    true_funding,
    true_open_interest,
    true_ratio,
)

SYMBOLS = ("BTCUSDT", "ETHUSDT")
FIRST = date(2025, 1, 1)
FUNDING = "raw_bybit__settlement_funding"
PERP = "raw_bybit__5m_perp_klines"


@pytest.fixture(scope="module")
def net() -> Iterator[RunningTestnet]:
    with start_testnet(symbols=SYMBOLS, days=6) as running:
        yield running


@pytest.fixture(autouse=True)
def _no_faults_left(net: RunningTestnet) -> Iterator[None]:
    yield
    net.clear_faults()


def specs(tmp_path: Path) -> dict[str, History]:
    return {spec.dataset.name: spec for spec in history_specs(load_settings(home=tmp_path))}


def ingest(
    net: RunningTestnet,
    tmp_path: Path,
    name: str = FUNDING,
    symbols: tuple[str, ...] = SYMBOLS,
    days: int = 7,
    **options,
) -> Report:
    with client_of(net.base_url, **options) as client:
        last = FIRST + timedelta(days=days - 1)
        return ingest_history(specs(tmp_path)[name], client, Lake(tmp_path), symbols, FIRST, last)


def test_every_dataset_holds_exactly_what_was_known_by_the_market_clock(
    net: RunningTestnet, tmp_path: Path
) -> None:
    net.clock(now_ms=net.now_ms + 1_000_000)  # 16 min 40 s into the day: bars are running
    now_ns = net.now_ms * NS_PER_MS
    truth = {
        FUNDING: true_funding(net, "BTCUSDT"),
        "raw_bybit__5m_open_interest": true_open_interest(net, "BTCUSDT"),
        "raw_bybit__1h_account_ratio": true_ratio(net, "BTCUSDT"),
        PERP: true_bars(net, "perp", "BTCUSDT", "5"),
        "raw_bybit__5m_spot_klines": true_bars(net, "spot", "BTCUSDT", "5"),
        "raw_bybit__1m_premium_index_klines": true_bars(net, "premium", "BTCUSDT", "1"),
        "raw_bybit__1m_mark_klines": true_bars(net, "mark", "BTCUSDT", "1"),
        "raw_bybit__1m_index_klines": true_bars(net, "index", "BTCUSDT", "1"),
    }
    assert set(truth) == set(specs(tmp_path))
    for name, spec in specs(tmp_path).items():
        report = ingest(net, tmp_path, name)
        assert not report.failed
        assert not report.skipped
        stored = Lake(tmp_path).scan(name, ["BTCUSDT"]).collect()
        ts, values = truth[name]
        known = ts + spec.dataset.available_after_s * 10**9 <= now_ns
        assert stored["ts"].to_list() == ts[known].tolist(), name
        column = {"funding": "funding_rate", "open": "open_interest", "account": "buy_ratio"}
        value = next(
            (column[key] for key in column if f"_{key}_" in name or name.endswith(f"_{key}")), "close"
        )
        np.testing.assert_allclose(stored[value].to_numpy(), values[known], rtol=1e-4, atol=1e-8)
        assert stored["available_at"].max() <= now_ns
        assert report.rows["BTCUSDT"] == stored.height == known.sum()
    bars = Lake(tmp_path).scan(PERP, ["BTCUSDT"]).collect()
    assert bars["ts"].max() == now_ns - 1_000 * 10**9 + 600 * 10**9  # the bar of 00:15 is still running


def test_twice_at_a_stopped_clock_gives_the_same_bytes(net: RunningTestnet, tmp_path: Path) -> None:
    ingest(net, tmp_path, PERP)
    once = fingerprint(tmp_path)
    ingest(net, tmp_path, PERP)
    assert fingerprint(tmp_path) == once
    assert len(once) == 2 * 7


def test_day_by_day_gives_the_same_bytes_as_the_range_at_once(net: RunningTestnet, tmp_path: Path) -> None:
    ingest(net, tmp_path / "range", "raw_bybit__5m_open_interest")
    spec = specs(tmp_path)["raw_bybit__5m_open_interest"]
    with client_of(net.base_url) as client:
        for offset in range(7):
            day = FIRST + timedelta(days=offset)
            ingest_history(spec, client, Lake(tmp_path / "days"), SYMBOLS, day, day)
    assert fingerprint(tmp_path / "days") == fingerprint(tmp_path / "range")


def test_running_day_grows_and_is_replaced_whole(tmp_path: Path) -> None:
    with start_testnet(symbols=SYMBOLS, days=2) as moving:
        ingest(moving, tmp_path, PERP, days=5)
        assert Lake(tmp_path).dates(PERP, "BTCUSDT") == [date(2025, 1, 1), date(2025, 1, 2)]
        moving.advance(hours=6)
        ingest(moving, tmp_path, PERP, days=5)
        assert Lake(tmp_path).row_count(PERP, ["BTCUSDT"], date(2025, 1, 3), date(2025, 1, 3)) == 72
        moving.advance(hours=6)
        ingest(moving, tmp_path, PERP, days=5)
        assert Lake(tmp_path).row_count(PERP, ["BTCUSDT"], date(2025, 1, 3), date(2025, 1, 3)) == 144


def test_days_in_the_venues_future_hold_nothing_and_are_no_missing_history(
    net: RunningTestnet, tmp_path: Path
) -> None:
    future = FIRST + timedelta(days=30)
    with client_of(net.base_url) as client:
        report = ingest_history(specs(tmp_path)[PERP], client, Lake(tmp_path), SYMBOLS, future, future)
    assert report.rows == {}
    assert report.without_history == []
    assert not list(tmp_path.rglob("*.parquet"))


def test_symbol_without_history_is_reported_and_no_error(net: RunningTestnet, tmp_path: Path) -> None:
    before = FIRST - timedelta(days=10)
    with client_of(net.base_url) as client:
        report = ingest_history(specs(tmp_path)[PERP], client, Lake(tmp_path), SYMBOLS, before, before)
    assert report.without_history == list(SYMBOLS)
    assert not report.failed
    assert not list(tmp_path.rglob("*.parquet"))


def test_unknown_symbol_is_skipped_and_the_others_are_stored(net: RunningTestnet, tmp_path: Path) -> None:
    report = ingest(net, tmp_path, symbols=("NOPEUSDT", "BTCUSDT"))
    assert list(report.skipped) == ["NOPEUSDT"]
    assert report.rows["BTCUSDT"] == len(true_funding(net, "BTCUSDT")[0])
    assert Lake(tmp_path).symbols(FUNDING) == ["BTCUSDT"]


def test_failure_of_one_symbol_is_kept_apart_and_what_was_written_stays(
    net: RunningTestnet, tmp_path: Path
) -> None:
    ingest(net, tmp_path, PERP)
    once = fingerprint(tmp_path)
    spec = specs(tmp_path)[PERP]

    def fetch(client, symbol, start, end):
        if symbol == "BTCUSDT":
            net.fault("http_status", status=500, path_prefix="/v5/market/kline", count=1)
        return spec.fetch(client, symbol, start, end)

    with client_of(net.base_url, max_attempts=1) as client:
        broken = History(spec.dataset, fetch, spec.page)
        days = (FIRST, FIRST + timedelta(days=6))
        report = ingest_history(broken, client, Lake(tmp_path), SYMBOLS, *days, connections=1)
    assert list(report.failed) == ["BTCUSDT"]
    assert "HTTP 500" in report.failed["BTCUSDT"]
    assert report.rows["ETHUSDT"] > 0
    assert fingerprint(tmp_path) == once


def test_ban_stops_everything_at_once(net: RunningTestnet, tmp_path: Path) -> None:
    net.fault("http_status", status=403, path_prefix="/v5/market/kline")
    with pytest.raises(RequestsBanned, match="access too frequent"):
        ingest(net, tmp_path, PERP)
    assert not list(tmp_path.rglob("*.tmp"))


def test_full_disk_stops_everything_and_leaves_whole_files_only(
    net: RunningTestnet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    written = 0
    lock = threading.Lock()
    replace = lake_module.os.replace

    def fill_up(source: object, target: object) -> None:
        nonlocal written
        with lock:
            written += 1
            if written > 5:
                raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr(lake_module.os, "replace", fill_up)
    with pytest.raises(DiskFull, match="disk full"):
        ingest(net, tmp_path, PERP)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 5
    assert all(pl.read_parquet(path).height for path in files)


def test_range_is_cut_into_parts_of_whole_days_and_ends_at_the_clock() -> None:
    now = START_NS + 40 * DAY_NS + 5
    parts = split_range(["A", "B"], FIRST, FIRST + timedelta(days=99), now, 31)
    assert [(part.symbol, (part.end_ns - part.start_ns) // DAY_NS) for part in parts] == [
        ("A", 31),
        ("B", 31),
        ("A", 9),
        ("B", 9),
    ]
    assert parts[-1].end_ns == now + 1
    assert day_of(parts[-1].start_ns) == date(2025, 2, 1)


def test_progress_is_announced_to_who_listens(net: RunningTestnet, tmp_path: Path) -> None:
    heard: list[Progress] = []
    with listening(heard.append):
        ingest(net, tmp_path)
    ingest(net, tmp_path)
    assert [(step.done, step.total) for step in heard] == [(1, 2), (2, 2)]
    assert heard[-1].rows == sum(len(true_funding(net, symbol)[0]) for symbol in SYMBOLS)


def test_two_processes_at_once_leave_what_one_would_have(net: RunningTestnet, tmp_path: Path) -> None:
    ingest(net, tmp_path / "one", PERP)
    script = (
        "import sys\n"
        "from datetime import date\n"
        "from pathlib import Path\n"
        "from hean_pipelines.defs.market_data.ingest import ingest_history\n"
        "from hean_pipelines.defs.market_data.specs import history_specs\n"
        "from hean_pipelines.resources.lake import Lake\n"
        "from hean_pipelines.settings import load_settings\n"
        "from tests.pipelines.market_data.support import client_of\n"
        "spec = {s.dataset.name: s for s in history_specs(load_settings())}[sys.argv[3]]\n"
        "with client_of(sys.argv[1]) as client:\n"
        "    ingest_history(spec, client, Lake(Path(sys.argv[2])), ('BTCUSDT', 'ETHUSDT'),\n"
        "                   date(2025, 1, 1), date(2025, 1, 7))\n"
    )
    command = [sys.executable, "-c", script, net.base_url, str(tmp_path / "both"), PERP]
    root = Path(__file__).resolve().parents[3]
    processes = [subprocess.Popen(command, cwd=root) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert fingerprint(tmp_path / "both") == fingerprint(tmp_path / "one")
