"""The secret is searched for wherever a run leaves traces: log, output, journal, files, process list."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.live.support import cache_bundle, constant_predictor, funding_bundle, local_settings
from tests.live.test_restart import START_MS, live_process, rows, wait_for


def test_the_secret_is_nowhere(testnet, tmp_path):
    cache_bundle(local_settings(tmp_path, testnet), funding_bundle(constant_predictor(0.002)))
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
        listed = subprocess.run(
            ["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True
        ).stdout
    finally:
        process.terminate()
        output, log = process.communicate(timeout=30)
    secret = testnet.api_secret
    traces = {str(path): path.read_bytes() for path in Path(tmp_path).rglob("*") if path.is_file()}
    assert any(path.endswith("journal.sqlite") for path in traces)
    found = [path for path, data in traces.items() if secret.encode() in data]
    assert (found, secret in output, secret in log, secret in listed) == ([], False, False, False)
