"""Strategies on a recording: each has traded, or says why it has not."""

from __future__ import annotations

import json

from benchmarks.recordings import measure
from models.strategies.catalogue import CATALOGUE
from tests.support import shared_path


def test_every_strategy_has_trades_or_a_reason():
    tape = shared_path("data/streams/cryptofeed__BYBIT_v5_20260809.jsonl.zst")
    found = json.loads(json.dumps(measure([tape], 10_000.0)))
    assert len(found["tapes"]) == 6
    hours = sum(each["hours"] for each in found["tapes"])
    assert 0.05 < hours < 0.1
    assert list(found["strategies"]) == list(CATALOGUE)
    for row in found["strategies"].values():
        assert (row["trades"] > 0) == (row["why"] is None) == (row["net_bps"] is not None)
        assert row["hours"] <= hours + 1e-3
    sentiment = found["strategies"]["sentiment"]
    assert sentiment["hours"] == 0.0
    assert sentiment["why"] == "the tape holds no sentiment"
    # Open interest is a perpetual's: its two spot tapes do not count.
    assert 0.0 < found["strategies"]["oi_momentum"]["hours"] < hours
