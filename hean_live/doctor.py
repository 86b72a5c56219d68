"""What `hean doctor` checks: each check is one function that returns a finding with its remedy.

Nothing is changed by a check, except that the home folder is created. Works with nothing configured: what
depends on a missing setting says which one. Printing is the business of `hean_live.commands.doctor`.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from hean_live.app.start import bundles_path, check_key, check_one_way, journal_path, make_venue
from hean_live.bundle.cache import BundleCache
from hean_live.bundle.fetch import ABSENT, FETCHED, UNCHANGED, sqlite_path
from hean_live.execution.kill_switch import FILE_NAME
from hean_live.other_markets.spot import SpotSource
from hean_live.settings import LiveSettings
from hean_live.venues.binance import BinanceMarket
from hean_live.venues.public import PublicMarket
from models.bundle import verify_bundle
from models.errors import HeanError
from models.funding.features import FEATURE_SPEC_HASH
from models.market.symbols import counterparts

_LEAST_FREE_BYTES = 1_000_000_000
_REGISTRY_TIMEOUT_S = 60


@dataclass(frozen=True)
class Finding:
    """One check: its `name`, whether it is `ok`, what was found, and what to do if it is not."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def examine(settings: LiveSettings) -> Iterator[Finding]:
    """Run all checks, yielding each finding as it is made."""
    checks: list[tuple[str, Callable[[LiveSettings], tuple[bool, str, str]]]] = [
        ("home folder", _home),
        ("disk space", _disk),
        ("order venue", _order_venue),
        ("clock offset", _clock),
        ("API key", _key),
        ("position mode", _mode),
        ("market data", _market_data),
        ("spot market", _spot),
        ("other venue", _other_venue),
        ("model registry", _registry),
        ("model bundle", _bundle),
        ("kill switch", _kill_switch),
    ]
    for name, check in checks:
        try:
            yield Finding(name, *check(settings))
        except HeanError as error:
            yield Finding(name, False, str(error), error.remedy)


def _home(settings: LiveSettings) -> tuple[bool, str, str]:
    home = settings.home.resolve()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=home, prefix=".doctor-"):
            return True, f"{home} is writable", ""
    except OSError as error:
        return False, f"{home} is not writable: {error}", "set HEAN_HOME to a folder you may write to"


def _disk(settings: LiveSettings) -> tuple[bool, str, str]:
    folder = settings.home.resolve()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    words = f"{free / 1e9:.1f} GB free"
    return free >= _LEAST_FREE_BYTES, words, "" if free >= _LEAST_FREE_BYTES else "free at least 1 GB"


def _order_venue(settings: LiveSettings) -> tuple[bool, str, str]:
    market = PublicMarket(settings.orders_at, timeout_s=settings.timeout_s)
    found = market.instruments(settings.symbols)
    missing = [symbol for symbol in settings.symbols if symbol not in found]
    if missing:
        return (
            False,
            f"{settings.orders_at} does not list {', '.join(missing)}",
            "remove them from the symbols",
        )
    return True, f"{settings.orders_at} ({settings.environment}) lists all {len(found)} symbols", ""


def _clock(settings: LiveSettings) -> tuple[bool, str, str]:
    offset = PublicMarket(settings.orders_at, timeout_s=settings.timeout_s).clock_offset_ms()
    fine = abs(offset) <= settings.max_clock_offset_ms
    words = f"{offset:+.0f} ms, limit ±{settings.max_clock_offset_ms:.0f} ms"
    return (
        fine,
        words,
        "" if fine else "synchronise this machine's clock: timedatectl set-ntp true, or chrony",
    )


def _key(settings: LiveSettings) -> tuple[bool, str, str]:
    info = make_venue(settings).key_info()
    check_key(info)
    until = "does not expire"
    if info.expires_ns is not None:
        until = f"good until {datetime.fromtimestamp(info.expires_ns / 1e9, tz=UTC):%Y-%m-%d}"
    return True, f"valid, may trade contracts, cannot withdraw, {until}", ""


def _mode(settings: LiveSettings) -> tuple[bool, str, str]:
    check_one_way(make_venue(settings), settings.symbols[0])
    return True, "one-way", ""


def _market_data(settings: LiveSettings) -> tuple[bool, str, str]:
    page = PublicMarket(settings.data_from, timeout_s=settings.timeout_s).tickers()
    missing = [symbol for symbol in settings.symbols if symbol not in page.tickers]
    when = datetime.fromtimestamp(page.market_ns / 1e9, tz=UTC).isoformat(timespec="seconds")
    if missing:
        return (
            False,
            f"{settings.data_from} does not list {', '.join(missing)}",
            "remove them from the symbols",
        )
    return True, f"{settings.data_from} answers, market time {when}", ""


def _spot(settings: LiveSettings) -> tuple[bool, str, str]:
    if not _has_shadows(settings):
        return True, "not asked: there are no shadows without streams", ""
    source = SpotSource(
        PublicMarket(settings.data_from, timeout_s=settings.timeout_s), settings.symbols, time.time_ns
    )
    source.poll()
    absent = ", ".join(symbol for symbol in settings.symbols if source.newest(symbol) is None)
    words = f"{settings.data_from} has no spot market of {absent}: S14 is silent there"
    return True, words if absent else f"{settings.data_from} lists all {len(settings.symbols)} coins", ""


def _other_venue(settings: LiveSettings) -> tuple[bool, str, str]:
    if not _has_shadows(settings):
        return True, "not asked: there are no shadows without streams", ""
    if not settings.other_venue_url:
        return True, "S17 is silent: no other_venue_url, such as https://fapi.binance.com, is set", ""
    market = BinanceMarket(settings.other_venue_url, timeout_s=settings.timeout_s)
    found = counterparts(settings.symbols, market.listed())
    if not found:
        words = f"{settings.other_venue_url} lists none of the symbols"
        return False, words, "correct other_venue_url, or remove it"
    absent = ", ".join(symbol for symbol in settings.symbols if symbol not in found)
    words = f"{settings.other_venue_url} lists {', '.join(name for name, _ in found.values())}"
    return True, f"{words}; S17 is silent on {absent}" if absent else words, ""


def _has_shadows(settings: LiveSettings) -> bool:
    return settings.shadows and settings.uses_streams


def _registry(settings: LiveSettings) -> tuple[bool, str, str]:
    remedy = "train and promote a model (`hean train`), or set HEAN_LIVE_TRACKING_URI; a cached bundle works without"
    database = sqlite_path(settings.registry)
    if database is not None and not database.exists():
        return False, f"{database} does not exist", remedy
    command = [sys.executable, "-m", "hean_live.bundle.fetch", "--tracking-uri", settings.registry]
    command += ["--name", settings.model_name, "--alias", settings.model_alias]
    with tempfile.TemporaryDirectory(prefix="hean-doctor-") as folder:
        command += ["--dest", folder]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_REGISTRY_TIMEOUT_S, check=False
            )
            body = json.loads(done.stdout.splitlines()[-1])
        except (subprocess.TimeoutExpired, IndexError, ValueError):
            return False, "the registry gave no answer", remedy
    status = str(body["status"])
    if status in (FETCHED, UNCHANGED):
        return True, f"{settings.model_name}@{settings.model_alias} is version {body['version']}", ""
    if status == ABSENT:
        return False, f"reachable, but has no {settings.model_name}@{settings.model_alias}", remedy
    return False, f"{status}: {body.get('detail', '')}", remedy


def _bundle(settings: LiveSettings) -> tuple[bool, str, str]:
    cache = BundleCache(bundles_path(settings) / settings.model_name)
    pointer = cache.pointer()
    if pointer is None:
        return False, "none is cached", "start `hean live` with the registry reachable"
    manifest = verify_bundle(cache.read(pointer.version))
    if manifest.feature_spec_hash != FEATURE_SPEC_HASH:
        return False, f"version {pointer.version} was made for other features", "retrain with this release"
    until = datetime.fromtimestamp(manifest.expires_at_ns / 1e9, tz=UTC).isoformat(timespec="minutes")
    evidence = (
        "E1 passed" if manifest.evidence.get("E1", {}).get("passed") is True else "E1 not passed: shadow only"
    )
    return True, f"version {pointer.version} is sound, expires {until}, {evidence}", ""


def _kill_switch(settings: LiveSettings) -> tuple[bool, str, str]:
    if (settings.home / FILE_NAME).exists():
        return False, f"the file {FILE_NAME} exists", "delete it, then `hean live --re-arm`"
    path = journal_path(settings)
    if not path.exists():
        return True, "armed, no journal yet", ""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            row = database.execute("SELECT value FROM meta WHERE key = 'kill_switch'").fetchone()
        database.close()
    except sqlite3.Error as error:
        return False, f"the journal cannot be read: {error}", f"look at {path}"
    if row is None:
        return True, "armed", ""
    return False, f"tripped: {json.loads(row[0])['reason']}", "look into it, then `hean live --re-arm`"


def environment_notes() -> list[str]:
    """Return what the environment says that settings do not: which variables are set, without their values."""
    return sorted(name for name in os.environ if name.startswith(("HEAN_", "CREDENTIALS_DIRECTORY")))
