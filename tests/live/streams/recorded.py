"""Recorded frames of the real venue, as (receive time, message)."""

from __future__ import annotations

import pyarrow as pa

from models.market.readers.bybit import unwrap_cryptofeed
from tests.support import shared_path


def recorded_messages() -> list[tuple[int, bytes]]:
    path = shared_path("data/streams/cryptofeed__BYBIT_v5_20260809.jsonl.zst")
    with pa.OSFile(str(path)) as file:
        raw = pa.CompressedInputStream(file, "zstd").read()
    lines = b"".join(unwrap_cryptofeed([raw], "linear")).splitlines()
    messages = [line.partition(b" ") for line in lines]
    return [(int(stamp), message) for stamp, _, message in messages]
