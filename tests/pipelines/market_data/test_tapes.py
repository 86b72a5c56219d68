"""Recorded segments into the lake: the events of the recording, whole days, honest checks."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from hean_live.recorder.recorder import Recorder, RecorderRules
from hean_live.recorder.segments import closed_segments, index_path
from hean_pipelines.defs.market_data import market_data_definitions
from hean_pipelines.defs.market_data.tape_ingest import ingest_day, partition_path, read_tape
from hean_pipelines.settings import PipelineSettings, load_settings
from hean_pipelines.sources.recorded_tape import days_recorded
from models.errors import DataError
from models.market.readers.bybit import BybitReader
from tests.live.streams.recorded import recorded_messages

DAY = date(2026, 8, 9)
MIDNIGHT_NS = int(datetime(2026, 8, 10, tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a recording of 42 s that ends ten seconds after a midnight."""
    messages = recorded_messages()
    shift = MIDNIGHT_NS + 10_000_000_000 - messages[-1][0]
    rules = RecorderRules(rotate_s=15, flush_s=0.01, least_free_bytes=0, durable=False)
    recorder = Recorder(tmp_path / "tape", ("BTCUSDT",), rules, lambda _code, _words: None)
    recorder.start()
    for received_ns, payload in messages:
        recorder.write(payload, received_ns + shift)
    recorder.close()
    return tmp_path


def settings_of(home: Path) -> PipelineSettings:
    return load_settings(home=home, partitions_start=date(2026, 8, 1))


def expected(home: Path, symbol: str) -> np.ndarray:
    """The events of the recording, read at once."""
    messages = recorded_messages()
    shift = MIDNIGHT_NS + 10_000_000_000 - messages[-1][0]
    lines = b"".join(b"%d %b\n" % (at + shift, payload) for at, payload in messages)
    found = [events for name, events in BybitReader().feed(lines) if name == symbol]
    return np.concatenate(found)


def test_days_of_the_lake_are_the_recording(home: Path) -> None:
    lake = home / "lake"
    days = days_recorded(home / "tape")
    assert days == [DAY, date(2026, 8, 10)]
    reports = [ingest_day(home / "tape", lake, day) for day in days]
    assert [report.messages for report in reports] != [0, 0]
    assert sum(report.messages for report in reports) == len(recorded_messages())
    first, second = (np.concatenate(list(read_tape(lake, "BTCUSDT", day))) for day in days)
    assert first["local_ts"].max() < MIDNIGHT_NS <= second["local_ts"].min()
    whole = expected(home, "BTCUSDT")
    both = np.concatenate([first, second])
    # The second day is read by itself: without its snapshot of midnight nothing of its book is dropped either.
    for name in ("local_ts", "exch_ts", "kind", "side", "price", "size"):
        np.testing.assert_array_equal(both[name], whole[name])
    again = ingest_day(home / "tape", lake, DAY)
    assert again.rows == reports[0].rows
    assert not list(lake.rglob("*.tmp"))


def test_a_damaged_segment_is_left_out_and_said(home: Path) -> None:
    path = closed_segments(home / "tape")[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    report = ingest_day(home / "tape", home / "lake", DAY)
    assert report.damaged == [path.name]
    assert report.rows


def test_what_is_absent_is_named(home: Path) -> None:
    with pytest.raises(DataError, match="in the lake"):
        next(read_tape(home / "lake", "BTCUSDT", DAY))
    first, second = closed_segments(home / "tape")[:2]
    index_path(first).write_text("{}")
    with pytest.raises(DataError, match="expected the index"):
        days_recorded(home / "tape")
    index_path(first).unlink()
    second.unlink()
    with pytest.raises(DataError, match="beside it"):
        ingest_day(home / "tape", home / "lake", DAY)


def test_the_asset_makes_its_days_and_judges_them(home: Path) -> None:
    settings = settings_of(home)
    job = market_data_definitions(settings).resolve_implicit_global_asset_job_def()
    with dg.instance_for_test() as instance:
        result = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey("raw_bybit__tape")],
            tags={
                "dagster/asset_partition_range_start": "2026-08-08",
                "dagster/asset_partition_range_end": "2026-08-10",
            },
        )
        assert result.success
        (event,) = result.get_asset_materialization_events()[:1]
        metadata = event.materialization.metadata
        assert metadata["days_recorded"].value == 2
        checks = {one.check_name: one.passed for one in result.get_asset_check_evaluations()}
    assert checks == {
        "segments_whole": True,
        "nothing_dropped": True,
        "no_holes": True,
        "readable": True,
        "no_gaps": True,
    }
    assert partition_path(settings.lake_root, "ETHUSDT", DAY).is_file()
    assert not partition_path(settings.lake_root, "ETHUSDT", date(2026, 8, 8)).exists()
