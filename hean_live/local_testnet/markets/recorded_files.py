"""Reads a folder of recorded Parquet files into arrays.

Here belongs the shape of the files: ``bybit_<what>_<interval>.parquet`` with columns ``symbol, ts, …`` as
`data/README` describes. Whatever files and symbols a folder holds are taken; nothing is filled in.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hean_live.local_testnet.markets.base import BarKind, Series
from models.errors import ConfigError
from models.simulation.bars import Bars

BAR_COLUMNS = ("open", "high", "low", "close")
# File stem to price kind and bar length in minutes.
BAR_FILES: dict[str, tuple[BarKind, int]] = {
    f"bybit_{word}_klines_{length}": (kind, minutes)
    for word, kind in (
        ("perp", BarKind.PERP),
        ("spot", BarKind.SPOT),
        ("mark", BarKind.MARK),
        ("index", BarKind.INDEX),
        ("premium_index", BarKind.PREMIUM),
    )
    for length, minutes in (("1m", 1), ("5m", 5), ("1h", 60))
}
FUNDING_FILE = "bybit_funding"
INTEREST_FILE = "bybit_open_interest_1h"


@dataclass(slots=True)
class Recording:
    """Everything one folder holds, by symbol.

    `bars` maps (kind, bar minutes) to bars by symbol; `funding` and `open_interest` hold (ts_ms, value).
    """

    bars: dict[tuple[BarKind, int], dict[str, Bars]] = field(default_factory=dict)
    funding: dict[str, Series] = field(default_factory=dict)
    open_interest: dict[str, Series] = field(default_factory=dict)

    def symbols(self) -> list[str]:
        """Every symbol any file mentions."""
        names = set(self.funding) | set(self.open_interest)
        for by_symbol in self.bars.values():
            names |= set(by_symbol)
        return sorted(names)


def read_folder(folder: Path, symbols: Collection[str] | None) -> Recording:
    """Read the files of a folder.

    Parameters
    ----------
    folder : Path
    symbols : collection of str or None
        Restricts what is kept.

    Raises
    ------
    ConfigError
        No such folder, no file of the known names, or no Parquet reader installed.

    """
    files = sorted(folder.glob("bybit_*.parquet")) if folder.is_dir() else []
    known = [file for file in files if file.stem in BAR_FILES or file.stem in (FUNDING_FILE, INTEREST_FILE)]
    if not known:
        raise ConfigError(
            f"a recording must be a folder with files such as bybit_funding.parquet, was {folder}",
            remedy="Give recorded:FOLDER of that shape, or use --market synthetic.",
        )
    recording = Recording()
    for file in known:
        table = _read(file)
        for symbol, rows in _by_symbol(table).items():
            if symbols is None or symbol in symbols:
                _keep(recording, file.stem, symbol, table, rows)
    return recording


def _read(file: Path) -> dict[str, NDArray[Any]]:
    try:
        # Named by text: the executor does not need this library, and it carries no type information.
        parquet = import_module("pyarrow.parquet")
    except ImportError as error:
        raise ConfigError(
            "a recorded market needs a Parquet reader, which is not installed",
            remedy="pip install 'hean[pipelines]'",
        ) from error
    columns = [*BAR_COLUMNS, "volume", "funding_rate", "open_interest", "symbol", "ts"]
    present = [name for name in columns if name in parquet.read_schema(file).names]
    table = parquet.read_table(file, columns=present)
    return {name: table.column(name).to_numpy() for name in present}


def _by_symbol(table: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.int64]]:
    """Row numbers of each symbol in ascending time."""
    names = table["symbol"].astype(str)
    order = np.lexsort((table["ts"].astype("datetime64[ms]").astype(np.int64), names))
    unique, first = np.unique(names[order], return_index=True)
    ends = [*first[1:].tolist(), len(order)]
    return {str(name): order[a:b] for name, a, b in zip(unique, first.tolist(), ends, strict=True)}


def _keep(
    recording: Recording, stem: str, symbol: str, table: dict[str, NDArray[Any]], rows: NDArray[np.int64]
) -> None:
    ts = table["ts"][rows].astype("datetime64[ms]").astype(np.int64)
    if stem == FUNDING_FILE:
        recording.funding[symbol] = (ts, table["funding_rate"][rows].astype(np.float64))
    elif stem == INTEREST_FILE:
        recording.open_interest[symbol] = (ts, table["open_interest"][rows].astype(np.float64))
    else:
        kind, minutes = BAR_FILES[stem]
        o, h, low, c = (table[name][rows].astype(np.float64) for name in BAR_COLUMNS)
        volume = np.nan_to_num(table["volume"][rows].astype(np.float64)) if kind.traded else None
        turnover = None if volume is None else volume * (o + h + low + c) / 4.0
        recording.bars.setdefault((kind, minutes), {})[symbol] = Bars(ts, o, h, low, c, volume, turnover)


def step_of(*columns: NDArray[np.float64], at_most: int = 8) -> Decimal:
    """Find the smallest power of ten that all values are multiples of: how finely columns are written.

    Parameters
    ----------
    *columns : ndarray of float64
        Not empty.
    at_most : int, optional
        Decimals beyond which values are taken as not rounded at all.

    """
    values = np.concatenate(columns)
    # What binary floats cannot tell apart is the same number.
    tolerance = np.maximum(10.0 ** -(at_most + 2), np.abs(values) * 2.0**-48)
    for places in range(at_most):
        if (np.abs(values - np.round(values, places)) <= tolerance).all():
            return Decimal(1).scaleb(-places)
    return Decimal(1).scaleb(-at_most)
