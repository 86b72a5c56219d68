"""Bars made of trades, to hold a venue's daily files against what its REST says of the same day."""

from __future__ import annotations

import polars as pl


def bars_from_trades(trades: pl.DataFrame, bar_ns: int) -> pl.DataFrame:
    """Return bars of a day's trades.

    Parameters
    ----------
    trades : DataFrame
        `ts`, `price`, `size` in the order of the file.
    bar_ns : int
        Length of a bar.

    Returns
    -------
    DataFrame
        `ts` (open of the bar), `open`, `high`, `low`, `close`, `volume`; bars without a trade are absent.

    """
    return (
        trades.group_by(ts=pl.col("ts") // bar_ns * bar_ns)
        .agg(
            open=pl.col("price").first(),
            high=pl.col("price").max(),
            low=pl.col("price").min(),
            close=pl.col("price").last(),
            volume=pl.col("size").sum(),
        )
        .sort("ts")
    )
