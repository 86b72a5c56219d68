"""What the lake holds of a symbol over time: 5-minute closes, open interest, settlements, forecasts, and another venue's closes.

The mood, too, which is of no symbol. Here belongs reading, each as instants at which it became known and values. What is made of
it is `bar_tapes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hean_pipelines.studies.bar_datasets import EVERY_VENUE, INTEREST, MOOD, OTHER_PERP, PERP, RATES
from models.market.symbols import counterparts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

FORECASTER = "structural"
"""The candidate whose forecasts are taken. It needs no fit; which candidate did best was known only afterwards."""
_LEVELS = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Series:
    """Values by the instant each became known, ascending."""

    at_ns: Ints
    value: Floats

    def __len__(self) -> int:
        """Count them."""
        return len(self.at_ns)

    def held(self, at_ns: Ints) -> Floats:
        """Return the newest value known at each instant; NaN before the first."""
        place = self.newest(at_ns)
        out = np.full(len(at_ns), np.nan)
        out[place >= 0] = self.value[place[place >= 0]]
        return out

    def newest(self, at_ns: Ints) -> Ints:
        """Return the place of the newest value known at each instant; -1 before the first."""
        return np.asarray(np.searchsorted(self.at_ns, at_ns, side="right") - 1, np.int64)


@dataclass(frozen=True)
class Settlements:
    """Rates by settlement, ascending: instant, rate (fraction), and the hours it covers, NaN where not known."""

    at_ns: Ints
    rate: Floats
    interval_h: Floats

    def per_hour(self, at_ns: Ints) -> Floats:
        """Return the rate settled last at each instant, fraction per hour of its interval; NaN where not known."""
        return Series(self.at_ns, self.rate / self.interval_h).held(at_ns)


@dataclass(frozen=True)
class Forecasts:
    """Forecasts by the instant they were made, ascending.

    Attributes
    ----------
    at_ns, settlement_ns : ndarray of int64, shape (n,)
    predicted : ndarray of float64, shape (n,)
        Fraction.
    above, below, positive : ndarray of float64, shape (n,)
        Probability of a rate above or below the one settled last when the forecast was made, and of one above zero.

    """

    at_ns: Ints
    settlement_ns: Ints
    predicted: Floats
    above: Floats
    below: Floats
    positive: Floats


def no_series() -> Series:
    """Return nothing known at any time."""
    return Series(np.zeros(0, np.int64), np.zeros(0))


def no_other_venue() -> tuple[str, Series, Settlements]:
    """Return another venue that does not list the symbol."""
    return "", no_series(), _settlements(None)


def no_forecasts() -> Forecasts:
    """Return no forecast at all."""
    instants, nothing = np.zeros(0, np.int64), np.zeros(0)
    return Forecasts(instants, instants, nothing, nothing, nothing, nothing)


def closes_of(lake_root: Path, dataset: str, symbol: str) -> Series:
    """Return the closes of a symbol's bars by the instant each bar was over."""
    return _series(lake_root, dataset, symbol, "close")


def interest_of(lake_root: Path, symbol: str) -> Series:
    """Return open interest, base."""
    return _series(lake_root, INTEREST, symbol, "open_interest")


def mood_of(lake_root: Path) -> Series:
    """Return the Fear & Greed index, 0 to 100; empty where it was not fetched."""
    frame = _product(lake_root, "marts", MOOD, "available_at")
    if frame is None:
        return no_series()
    return Series(frame["available_at"].to_numpy(), frame["value"].cast(float).to_numpy())


def symbols_of(lake_root: Path) -> list[str]:
    """Return the symbols with bars of the perpetual."""
    from hean_pipelines.resources.lake import Lake

    return Lake(lake_root).symbols(PERP)


def settlements_of(lake_root: Path, symbol: str) -> Settlements:
    """Return settled rates; none where the warehouse has not been built."""
    return _settlements(_product(lake_root, "marts", RATES, "settlement_ts", symbol))


def other_venue_of(lake_root: Path, symbol: str) -> tuple[str, Series, Settlements]:
    """Return Binance's name of a symbol, closes there as prices of what Bybit quotes, and settled rates; empty ones without."""
    from hean_pipelines.resources.lake import Lake

    found = counterparts([symbol], Lake(lake_root).symbols(OTHER_PERP)).get(symbol)
    if found is None:
        return no_other_venue()
    name, units = found
    closes = closes_of(lake_root, OTHER_PERP, name)
    panel = _product(lake_root, "marts", EVERY_VENUE, "settlement_ts", name)
    settled = _settlements(None if panel is None else panel.filter(panel["venue"] == "binance"))
    return name, Series(closes.at_ns, units * closes.value), settled


def _settlements(frame: Any) -> Settlements:
    if frame is None:
        return Settlements(np.zeros(0, np.int64), np.zeros(0), np.zeros(0))
    return Settlements(
        frame["settlement_ts"].to_numpy(),
        frame["funding_rate"].to_numpy(),
        frame["interval_h"].cast(float).fill_null(np.nan).to_numpy(),
    )


def forecasts_of(lake_root: Path, symbol: str, settled: Settlements) -> Forecasts:
    """Return the out-of-sample forecasts of `FORECASTER`; none where nothing was trained.

    Probabilities are read from the 5th, 50th and 95th percentile, straight between them.
    """
    from models.funding.distribution import LEVELS, Distribution

    frame = _product(lake_root, "forecasts", "out_of_sample", "made_at", symbol)
    if frame is None:
        return no_forecasts()
    frame = frame.filter(frame["model"] == FORECASTER)
    made_at = frame["made_at"].to_numpy()
    current = Series(settled.at_ns, settled.rate).held(made_at)
    known = frame.select("q05", "q50", "q95").to_numpy()
    above, positive = np.full(len(made_at), np.nan), np.full(len(made_at), np.nan)
    for i in np.flatnonzero(np.isfinite(known).all(axis=1)).tolist():
        spread = Distribution(np.interp(LEVELS, _LEVELS, known[i]))
        positive[i] = spread.probability_above(0.0)
        if np.isfinite(current[i]):
            above[i] = spread.probability_above(float(current[i]))
    predicted, settlement_ns = frame["predicted"].to_numpy(), frame["settlement_ts"].to_numpy()
    return Forecasts(made_at, settlement_ns, predicted, above, 1.0 - above, positive)


def _series(lake_root: Path, dataset: str, symbol: str, column: str) -> Series:
    from hean_pipelines.resources.lake import Lake

    frame = Lake(lake_root).scan(dataset, [symbol]).select("available_at", column).collect()
    frame = frame.sort("available_at")
    return Series(frame["available_at"].to_numpy(), frame[column].to_numpy())


def _product(lake_root: Path, folder: str, name: str, by: str, symbol: str = "") -> Any:
    import polars as pl

    path = lake_root / folder / f"{name}.parquet"
    if not path.is_file():
        return None
    rows = pl.scan_parquet(path)
    return (rows.filter(pl.col("symbol") == symbol) if symbol else rows).sort(by).collect()
