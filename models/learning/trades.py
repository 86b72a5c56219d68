"""Closed trades as columns, and the profit factor: what the loops that judge strategies and symbols read.

Here belongs selecting rows and adding up. Results are in basis points of the entry notional after fees and funding, so that a
shadow trade, a small and a large live trade count alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

HOUR_NS: Final = 3_600_000_000_000
DAY_NS: Final = 24 * HOUR_NS
GOLDEN_HOURS: Final = (9, 16)
"""UTC; F16's, the end excluded."""


@dataclass(frozen=True)
class TradeTable:
    """Closed trades in order of their exit.

    Attributes
    ----------
    strategy, symbol : ndarray of str, shape (n,)
    is_live : ndarray of bool, shape (n,)
        False for shadow trades.
    blocked_by : ndarray of str, shape (n,)
        Reason of the gate that kept a shadow trade from its live twin, empty for none.
    entry_ns, exit_ns : ndarray of int64, shape (n,)
    pnl_bps, pnl_usd : ndarray of float64, shape (n,)
        Net of fees and funding.

    """

    strategy: Texts
    symbol: Texts
    is_live: Bools
    blocked_by: Texts
    entry_ns: Ints
    exit_ns: Ints
    pnl_bps: Floats
    pnl_usd: Floats

    def __post_init__(self) -> None:
        """Check that columns are equally long, finite and in order."""
        lengths = {len(getattr(self, each.name)) for each in fields(self)}
        if len(lengths) != 1:
            raise DataError(f"columns of trades should be equally long, were {sorted(lengths)}")
        if not (np.isfinite(self.pnl_bps).all() and np.isfinite(self.pnl_usd).all()):
            raise DataError("results of trades should be finite numbers, some were not")
        if (np.diff(self.exit_ns) < 0).any():
            raise DataError("trades should be in order of their exit", remedy="sort them by exit_ns")

    def __len__(self) -> int:
        return len(self.exit_ns)

    def take(self, chosen: Bools) -> TradeTable:
        """Return the chosen rows."""
        return TradeTable(*(getattr(self, each.name)[chosen] for each in fields(self)))

    def since(self, start_ns: int) -> TradeTable:
        """Return trades that were closed after an instant."""
        return self.take(self.exit_ns > start_ns)

    @property
    def in_golden_hours(self) -> Bools:
        """Whether each trade was entered between 09:00 and 16:00 UTC."""
        hour = self.entry_ns % DAY_NS // HOUR_NS
        return np.asarray((hour >= GOLDEN_HOURS[0]) & (hour < GOLDEN_HOURS[1]))

    def by(self, column: str) -> Iterator[tuple[str, TradeTable]]:
        """Give the rows of each value of a text column, values ascending."""
        values = getattr(self, column)
        for value in sorted(set(values.tolist())):
            yield value, self.take(values == value)


def table_of(columns: Mapping[str, object]) -> TradeTable:
    """Make a table of columns of any array-like kind, sorted by exit.

    Parameters
    ----------
    columns : mapping of str to array-like
        The fields of `TradeTable`.

    """
    kinds: dict[str, type] = {"is_live": np.bool_, "entry_ns": np.int64, "exit_ns": np.int64}
    kinds |= {"pnl_bps": np.float64, "pnl_usd": np.float64}
    arrays: dict[str, NDArray[Any]] = {
        each.name: np.asarray(columns[each.name], kinds.get(each.name, object)) for each in fields(TradeTable)
    }
    order = np.argsort(arrays["exit_ns"], kind="stable")
    return TradeTable(**{name: values[order] for name, values in arrays.items()})


def profit_factor(gains: Floats, losses: Floats, prior: float) -> Floats:
    """Gains over losses, each with one imagined trade of the usual size, so that no loss is not infinity.

    Parameters
    ----------
    gains, losses : ndarray of float64
        Sums, both positive, bps.
    prior : float
        Mean absolute result of a trade, bps; positive.

    """
    return np.asarray((gains + prior) / (losses + prior), dtype=np.float64)


def block_sums(trades: TradeTable, block_ns: int) -> Floats:
    """Add up gains and losses of shadow and live trades by block of time.

    Parameters
    ----------
    trades : TradeTable
    block_ns : int
        Length of a block; blocks without a trade are left out.

    Returns
    -------
    ndarray of float64, shape (blocks, 4)
        Shadow gains, shadow losses, live gains, live losses in bps, losses positive.

    """
    _, block = np.unique(trades.exit_ns // block_ns, return_inverse=True)
    out = np.zeros((int(block.max()) + 1 if len(block) else 0, 4))
    for column, (mode, sign) in enumerate(((False, 1.0), (False, -1.0), (True, 1.0), (True, -1.0))):
        amounts = np.where(trades.is_live == mode, np.maximum(sign * trades.pnl_bps, 0.0), 0.0)
        np.add.at(out[:, column], block, amounts)
    return out


def resampled_sums(sums: Floats, resamples: int, seed: int) -> Floats:
    """Draw blocks with replacement and add them up: shadow and live trades of one block stay together.

    Parameters
    ----------
    sums : ndarray of float64, shape (blocks, k)
    resamples : int
    seed : int

    Returns
    -------
    ndarray of float64, shape (resamples, k)

    """
    rng = np.random.default_rng(seed)
    blocks = len(sums)
    return np.asarray(sums[rng.integers(0, blocks, (resamples, blocks))].sum(axis=1), dtype=np.float64)
