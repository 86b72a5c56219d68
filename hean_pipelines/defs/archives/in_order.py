"""A file of trades into the lake batch by batch: while one is checked and written the next is parsed; memory holds a few batches.

Only a file that needs no mending goes this way to the end. At the first sign that one does (rows out of order, of another day,
or twice) nothing is stored and the caller takes the way that holds the whole file (`findings.inspect`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import polars as pl

from hean_pipelines.defs.archives.findings import (
    HOLE_NS,
    Findings,
    blanks,
    jumps,
    price_column,
    refuse_impossible,
)
from hean_pipelines.resources.dataset import Dataset
from hean_pipelines.resources.distinct import Hashes, all_differ, row_hashes
from hean_pipelines.resources.lake import Lake
from hean_pipelines.resources.lake_stream import open_partition


class NeedsMending(Exception):
    """The file's rows are not as they should be, in a way that can be put right."""


def store_in_order(
    batches: Iterator[pl.DataFrame],
    dataset: Dataset,
    lake: Lake,
    symbol: str,
    day: date,
    bounds_ns: tuple[int, int],
    name: str,
) -> Findings | None:
    """Check and store a day's rows as they come.

    Parameters
    ----------
    batches : iterator of DataFrame
        The dataset's columns, in the file's order.
    dataset : Dataset
        One that keeps its order.
    lake, symbol, day
        Where the rows go.
    bounds_ns : tuple of int
        What the file should cover, ``[start, end)``.
    name : str
        For messages.

    Returns
    -------
    Findings or None
        None where the rows need mending; the partition is then as it was.

    Raises
    ------
    DataError
        As `findings.inspect` where prices or sizes are not above zero.

    """
    checks = _Checks(dataset, bounds_ns, name)
    try:
        with open_partition(lake, dataset.name, symbol, day) as stream:
            for frame in batches:
                if frame.height:
                    checks.add(frame)
                    stream.add(frame, is_ordered=True)
            checks.end()
    except NeedsMending:
        return None
    return checks.found


class _Checks:
    def __init__(self, dataset: Dataset, bounds_ns: tuple[int, int], name: str) -> None:
        self.found = Findings()
        self._dataset = dataset
        self._bounds_ns = bounds_ns
        self._name = name
        self._key = [column for column in dataset.key if column != "symbol"]
        self._price = price_column(dataset)
        self._last_ns: int | None = None
        self._last_price = np.empty(0)
        self._hashes: list[Hashes] = []

    def add(self, frame: pl.DataFrame) -> None:
        """Check a batch against itself and the one before."""
        times = frame.get_column(self._dataset.time).to_numpy()
        steps = np.diff(times, prepend=times[0] if self._last_ns is None else self._last_ns)
        start, end = self._bounds_ns
        if steps.min() < 0 or times[0] < start or times[-1] >= end:
            raise NeedsMending
        refuse_impossible(frame, self._dataset, self._name)
        prices = np.concatenate([self._last_price, frame.get_column(self._price).to_numpy()])
        self._hashes.append(row_hashes(frame, self._key))
        self.found.rows += frame.height
        self.found.holes += int((steps > HOLE_NS).sum())
        self.found.jumps += jumps(prices)
        self.found.blanks += blanks(frame, self._dataset)
        self._last_ns, self._last_price = int(times[-1]), prices[-1:]

    def end(self) -> None:
        """Check what only the whole file shows."""
        if self._hashes and not all_differ(np.concatenate(self._hashes)):
            raise NeedsMending
