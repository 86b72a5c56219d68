"""The Fear & Greed index: a number a day, without a key.

Source: alternative.me's public API, ``/fng/``. What does not belong here: storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hean_pipelines.sources.http import PoliteHttp, Retry
from hean_pipelines.sources.ranges import NS_PER_S, join_pages
from models.errors import DataError
from models.market.bybit_v5 import integer, real, rows_of

SYMBOL = "CRYPTO"
"""The index is about the market as a whole."""


class FearGreed(NamedTuple):
    """The index, 0 (fear) to 100 (greed), of the day that begins at `ts`."""

    ts: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]


class FearGreedClient:
    """Reads the index, or anything that speaks its API."""

    def __init__(self, base_url: str, http: PoliteHttp) -> None:
        self.base_url = base_url.rstrip("/")
        self.http = http

    def history(self, symbol: str, start_ns: int, end_ns: int) -> FearGreed:
        """Return the days in [start_ns, end_ns); the whole history is one small reply."""
        rows = rows_of(self.http.get_json(f"{self.base_url}/fng/?limit=0&format=json", _judge), "fng", "data")
        stamps = [integer(row, "timestamp", "fng") * NS_PER_S for row in rows]
        values = [real(row, "value", "fng") for row in rows]
        if any(not 0.0 <= value <= 100.0 for value in values):
            raise DataError("fng: expected values from 0 to 100, was otherwise")
        page = FearGreed(np.array(stamps, np.int64), np.array(values, np.float64))
        return join_pages([page], start_ns, end_ns)


def _judge(body: Mapping[str, Any], headers: Mapping[str, str]) -> Retry | None:
    return None if "data" in body else Retry("a reply without data")
