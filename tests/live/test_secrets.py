"""Secrets are searched for wherever a run leaves traces: log, output, journal, tape, inputs, metrics, alerts, processes."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest
import requests
import zstandard

from tests.live.receivers import SECRET_PART, Hook, Inbox, free_port
from tests.live.support import cache_bundle, constant_predictor, funding_bundle, local_settings
from tests.live.test_restart import START_MS, live_process, rows, wait_for

MAIL_PASSWORD = "MAILPASSWORDSECRET"


@pytest.fixture
def hook():
    server = Hook()
    yield server
    server.stop()


@pytest.fixture
def inbox():
    server = Inbox()
    yield server
    server.stop()


@pytest.fixture
def port(monkeypatch, hook, inbox):
    number = free_port()
    for name, value in {
        "ALERT_WEBHOOK_URL": hook.url,
        "ALERT_SMTP_HOST": "127.0.0.1",
        "ALERT_SMTP_PORT": inbox.port,
        "ALERT_SMTP_PASSWORD": MAIL_PASSWORD,
        "ALERT_SMTP_TLS": "false",
        "ALERT_FROM": "hean@example.org",
        "ALERT_TO": "me@example.org",
        "METRICS_PORT": number,
        "STREAMS": "true",
        "RECORD": "true",
        "RECORDER_FREE_GB": "0",
    }.items():
        monkeypatch.setenv(f"HEAN_LIVE_{name}", str(value))
    return number


def plain(path: Path) -> bytes:
    """Return what a file holds, and what a compressed one says."""
    data = path.read_bytes()
    if ".zst" not in path.name:
        return data
    return data + zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()


def exported(home: Path) -> bytes:
    """Return every row of the journal as text: what the pipelines copy into the lake, and the report reads from there."""
    database = sqlite3.connect(f"file:{home / 'journal.sqlite'}?mode=ro", uri=True)
    try:
        return "\n".join(database.iterdump()).encode()
    finally:
        database.close()


def test_the_secrets_are_nowhere(testnet, tmp_path, hook, inbox, port):
    cache_bundle(local_settings(tmp_path, testnet), funding_bundle(constant_predictor(0.002)))
    testnet.clock(speed=1.0)
    process = live_process(tmp_path, testnet, "--verbose")
    try:
        assert json.loads(process.stdout.readline())["ready"] is True
        # Failures too: a refusal of the key, an unreadable reply, a refused order.
        for kind, fields in (
            ("ret_code", {"ret_code": 10016}),
            ("truncate", {}),
            ("http_status", {"status": 500}),
        ):
            testnet.fault(kind, path_prefix="/v5/position/list", **fields)
        testnet.fault("ret_code", path_prefix="/v5/order/create", ret_code=110007)
        testnet.clock(now_ms=START_MS)
        wait_for(lambda: rows(tmp_path, "SELECT count(*) FROM orders") != [(0,)])
        (tmp_path / "KILL").write_text("by the test")
        wait_for(lambda: hook.about("KILL_SWITCH") and inbox.about("KILL_SWITCH"))
        metrics = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
        listed = subprocess.run(
            ["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True
        ).stdout
    finally:
        process.terminate()
        output, log = process.communicate(timeout=30)
    traces = {str(path): plain(path) for path in Path(tmp_path).rglob("*") if path.is_file()}
    assert any(path.endswith("journal.sqlite") for path in traces)
    for folder in ("tape", "inputs"):
        assert any(folder in path and len(held) > 1000 for path, held in traces.items())
    traces["report"] = exported(tmp_path)
    assert b"KILL" in traces["report"]
    words = {"output": output, "log": log, "metrics": metrics, "processes": listed}
    words |= {"webhook": "".join(hook.texts), "mail": "".join(inbox.mails)}
    traces |= {name: text.encode() for name, text in words.items()}
    assert all(traces[name] for name in words)
    secrets = [text.encode() for text in (testnet.api_secret, SECRET_PART, MAIL_PASSWORD)]
    assert [name for name, held in traces.items() if any(secret in held for secret in secrets)] == []
