"""From exported marts to `FundingInputs`, and from stored features back to a `FeatureTable`.

Here belongs reading; computing belongs to `models.funding`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hean_pipelines.resources.products import Products
from models.funding.features import FEATURE_NAMES
from models.funding.inputs import SOURCE_PERP_SPOT, SOURCE_PREMIUM_INDEX, FundingInputs
from models.funding.table import FeatureTable

if TYPE_CHECKING:
    import polars as pl

SOURCES = {"premium_index": SOURCE_PREMIUM_INDEX, "perp_spot": SOURCE_PERP_SPOT}
_IDENTITY = ("symbol", "settlement_ns", "made_at_ns", "horizon_min")
_TAIL = ("cap_lower", "cap_upper", "realised")


def load_inputs(products: Products, symbols: Sequence[str] | None = None) -> list[FundingInputs]:
    """Read what a forecast may look at, one `FundingInputs` per symbol.

    Parameters
    ----------
    products : Products
    symbols : sequence of str, optional
        By default every symbol with a settlement.

    Raises
    ------
    DataError
        If a mart was never exported.

    """
    marts = {
        name: products.read_mart(name)
        for name in (
            "mart_bybit__settlement_funding",
            "mart_bybit__bar_premium",
            "mart_bybit__5m_open_interest",
            "mart_bybit__account_ratio",
            "mart_bybit__funding_caps",
        )
    }
    known = marts["mart_bybit__settlement_funding"].get_column("symbol").unique().sort().to_list()
    return [_one(symbol, marts) for symbol in known if symbols is None or symbol in symbols]


def _one(symbol: str, marts: dict[str, pl.DataFrame]) -> FundingInputs:
    import polars as pl

    def rows(name: str, clock: str = "available_at") -> pl.DataFrame:
        return marts[name].filter(pl.col("symbol") == symbol).sort(clock)

    funding = rows("mart_bybit__settlement_funding", "settlement_ts")
    premium = rows("mart_bybit__bar_premium")
    interest = rows("mart_bybit__5m_open_interest")
    ratio = rows("mart_bybit__account_ratio")
    caps = rows("mart_bybit__funding_caps")
    return FundingInputs(
        symbol=symbol,
        settlement_ts=_ints(funding, "settlement_ts"),
        rate=_floats(funding, "funding_rate"),
        premium_available_at=_ints(premium, "available_at"),
        premium_ts=_ints(premium, "ts"),
        premium_bar_s=_ints(premium, "bar_s"),
        premium=_floats(premium, "premium"),
        premium_source=premium.get_column("source").replace_strict(SOURCES, return_dtype=pl.Int64).to_numpy(),
        oi_available_at=_ints(interest, "available_at"),
        open_interest=_floats(interest, "open_interest"),
        ratio_available_at=_ints(ratio, "available_at"),
        long_ratio=_floats(ratio, "long_ratio"),
        caps_available_at=_ints(caps, "available_at"),
        cap_lower=_floats(caps, "lower"),
        cap_upper=_floats(caps, "upper"),
    )


def _ints(frame: pl.DataFrame, column: str) -> np.ndarray:
    return frame.get_column(column).to_numpy().astype(np.int64)


def _floats(frame: pl.DataFrame, column: str) -> np.ndarray:
    return frame.get_column(column).to_numpy().astype(np.float64)


def table_to_frame(table: FeatureTable) -> pl.DataFrame:
    """Return the table with one named column a feature, and `available_at` = when the row could be made."""
    import polars as pl

    columns: dict[str, np.ndarray] = {name: getattr(table, name) for name in _IDENTITY}
    columns |= {name: table.features[:, i] for i, name in enumerate(FEATURE_NAMES)}
    columns |= {name: getattr(table, name) for name in _TAIL}
    columns["available_at"] = table.made_at_ns
    return pl.DataFrame(columns)


def frame_to_table(frame: pl.DataFrame) -> FeatureTable:
    """Return the stored features as a `FeatureTable`.

    Raises
    ------
    polars.exceptions.ColumnNotFoundError
        If the file was made by a release with other features.

    """
    return FeatureTable(
        symbol=frame.get_column("symbol").to_numpy().astype(np.str_),
        settlement_ns=_ints(frame, "settlement_ns"),
        made_at_ns=_ints(frame, "made_at_ns"),
        horizon_min=_ints(frame, "horizon_min"),
        features=frame.select(FEATURE_NAMES).to_numpy().astype(np.float64),
        cap_lower=_floats(frame, "cap_lower"),
        cap_upper=_floats(frame, "cap_upper"),
        realised=_floats(frame, "realised"),
    )


def load_table(products: Products) -> FeatureTable:
    """Read the feature table.

    Raises
    ------
    DataError
        If it was never made.

    """
    return frame_to_table(products.read(products.features, "materialise feat_bybit__settlement_funding"))
