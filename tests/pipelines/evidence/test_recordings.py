"""Finding recordings in a folder: formats by their bytes, groups by their names, units by their prices, and what they lack."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from hean_pipelines.studies.recordings import find_recordings, open_tapes, sniff
from models.errors import ConfigError
from tests.support import shared_path

STREAMS = {
    "cryptofeed__BYBIT_v5_20260809.jsonl.zst": ("cryptofeed-linear", "cryptofeed-spot"),
    "hftbacktest__usdm_btcusdt_20240808.gz": ("binance",),
    "hftbacktest__spot_btcusdt_20240809.gz": ("binance",),
    "nautilus__XRPUSDT_ob500_20241201_head50.data.zip": ("bybit-order-book",),
}


@pytest.mark.parametrize("name", STREAMS)
def test_formats_are_told_by_their_bytes(name: str, tmp_path: Path) -> None:
    path = shared_path(f"data/streams/{name}")
    assert sniff(path) == STREAMS[name]
    other = tmp_path / "without_a_hint"
    other.write_bytes(path.read_bytes())
    assert sniff(other) == STREAMS[name]


def test_files_of_one_name_are_one_recording_and_others_are_passed_over() -> None:
    recordings, passed_over = find_recordings([shared_path("data/streams"), shared_path("data/samples")])
    found = {(r.name, r.tape_format): len(r.paths) for r in recordings}
    assert found[("hftbacktest__spot_btcusdt", "binance")] == 2
    assert found[("cryptofeed__BYBIT_v5", "cryptofeed-linear")] == 1
    assert len(found) == 7
    assert len(passed_over) == 5
    assert all("no tape format" in words for words in passed_over)


def test_a_tape_says_what_it_is_and_what_it_lacks() -> None:
    (recording,), _ = find_recordings(
        [shared_path("data/streams/nautilus__XRPUSDT_ob500_20241201_head50.data.zip")]
    )
    (tape,) = open_tapes(recording)
    assert (tape.market.kind, tape.market.symbol, tape.tick_size, tape.lot_size) == (
        "recorded",
        "XRPUSDT",
        0.0001,
        1.0,
    )
    assert "no trades" in tape.market.notes
    events = np.concatenate(list(tape.chunks()))
    assert np.array_equal(events, np.concatenate(list(tape.chunks()))), "it can be read again"


def test_each_symbol_of_a_recording_is_a_tape_of_its_own() -> None:
    recordings, _ = find_recordings([shared_path("data/streams/cryptofeed__BYBIT_v5_20260809.jsonl.zst")])
    tapes = {(r.tape_format, t.market.symbol): t for r in recordings for t in open_tapes(r)}
    ticks = {symbol: t.tick_size for (kind, symbol), t in tapes.items() if kind == "cryptofeed-linear"}
    assert ticks == {"BTCUSDT": 0.1, "ETHUSDT": 0.01, "SOLUSDT": 0.01, "DOGEUSDT": 0.00001}
    assert len(tapes) == 6
    trades = sum(int((e["kind"] == 1).sum()) for e in tapes[("cryptofeed-linear", "SOLUSDT")].chunks())
    assert trades == 165


def test_no_tape_is_made_of_text(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello\n")
    (tmp_path / "broken.gz").write_bytes(gzip.compress(b"1723161601262000000 {")[:12])
    assert find_recordings([tmp_path])[0] == []
    with pytest.raises(ConfigError, match="expected a file or folder"):
        find_recordings([tmp_path / "absent"])
