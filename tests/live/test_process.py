"""The process: light imports in a heavy environment, the lock, logs, and the service manager's socket."""

from __future__ import annotations

import json
import socket
import subprocess
import sys

import pytest

from hean_live.app.process import HEAVY_MODULES, notify, single_instance
from models.errors import ConfigError
from tests.support import ROOT

_PROBE = """
import json, sys, time
begun = time.monotonic()
from hean_live.app.process import hold_back_heavy_imports
hold_back_heavy_imports()
import hean_live.app.start, hean_live.venues.bybit, hean_live.app.runner
import lightgbm
lines = dict(line.split(":", 1) for line in open("/proc/self/status") if line.startswith("VmRSS"))
loaded = [name for name in sys.modules if sys.modules[name] is not None]
print(json.dumps({
    "seconds": time.monotonic() - begun, "rss_mb": int(lines["VmRSS"].split()[0]) / 1024, "heavy": [m for m in
    ("pandas", "sklearn", "polars", "duckdb", "dagster", "mlflow", "pyarrow") if m in loaded],
}))
"""


def test_the_executor_stays_light_beside_the_pipelines():
    done = subprocess.run(
        [sys.executable, "-c", _PROBE], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["heavy"] == []
    assert found["rss_mb"] < 150
    assert "pandas" in HEAVY_MODULES


def test_one_executor_a_home(tmp_path):
    with (
        single_instance(tmp_path),
        pytest.raises(ConfigError, match="no other executor"),
        single_instance(tmp_path),
    ):
        pass
    with single_instance(tmp_path):
        assert (tmp_path / "live.lock").exists()


def test_an_unwritable_home_has_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="writable") as caught, single_instance(tmp_path / "file" / "home"):
        pass
    assert "HEAN_HOME" in caught.value.remedy


def test_the_service_manager_is_told(tmp_path, monkeypatch):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        notify("READY=1")
        assert listener.recv(100) == b"READY=1"


def test_without_a_service_manager_nothing_happens(monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    assert notify("READY=1") is None


def test_journald_lines_carry_their_priority():
    code = (
        "from hean_live.app.process import set_up_logging; import logging; set_up_logging();"
        "logging.getLogger('x').warning('one\\ntwo'); logging.getLogger('x').info('three')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"JOURNAL_STREAM": "1:2"},
    )
    assert done.stderr.splitlines() == ["<4>x: one", "<4>two", "<6>x: three"]
