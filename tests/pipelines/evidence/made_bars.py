"""A lake of made-up 5-minute bars: prices whose truth is known, written as ingestion would."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hean_pipelines.resources.lake import Lake
from hean_pipelines.resources.products import Products
from hean_pipelines.studies.bar_tapes import bar_tapes
from hean_pipelines.studies.tapes import Tape

START_NS = 1_735_689_600_000_000_000  # 2025-01-01
BAR_NS = 300_000_000_000
HOUR_NS = 3_600_000_000_000
DAY_BARS = 288
PERP, SPOT = "raw_bybit__5m_perp_klines", "raw_bybit__5m_spot_klines"
OTHER_PERP = "raw_binance__5m_perp_klines"
INTEREST = "raw_bybit__5m_open_interest"


def tape_of(strategy: str, root: Path, symbol: str = "BTCUSDT") -> Tape:
    """Return a symbol's bars as a strategy is asked on them."""
    return next(tape for tape in bar_tapes(strategy, root, "recorded") if tape.market.symbol == symbol)


def walk(seed: int, bars: int, start: float = 60_000.0, step_bps: float = 5.0) -> Any:
    """Return closes of a martingale in steps of ten cents."""
    moves = np.random.default_rng(seed).normal(0.0, 1e-4 * step_bps, bars)
    return np.round(start * np.exp(np.cumsum(moves)), 1)


def reverting(seed: int, bars: int, spread_bps: float, half_life_s: float) -> Any:
    """Return an Ornstein-Uhlenbeck process of that standard deviation, fraction."""
    keep = 0.5 ** (300.0 / half_life_s)
    noise = np.random.default_rng(seed).normal(0.0, 1e-4 * spread_bps * np.sqrt(1.0 - keep**2), bars)
    out = np.zeros(bars)
    for i in range(1, bars):
        out[i] = keep * out[i - 1] + noise[i]
    return out


def write_bars(root: Path, dataset: str, symbol: str, closes: Any, missing: tuple[int, ...] = ()) -> None:
    """Write bars day by day; those in `missing` have no row."""
    open_ns = START_NS + BAR_NS * np.arange(len(closes))
    columns: dict[str, Any] = {"ts": open_ns, "symbol": [symbol] * len(closes)}
    columns |= dict.fromkeys(("open", "high", "low", "close"), closes)
    columns |= dict.fromkeys(("volume", "turnover"), np.ones(len(closes)))
    if dataset == OTHER_PERP:
        columns |= {"taker_buy_volume": np.ones(len(closes))}
    frame = pl.DataFrame(columns | {"available_at": open_ns + BAR_NS})
    _write(root, dataset, symbol, frame.filter(~pl.Series(np.isin(np.arange(len(closes)), missing))))


def write_interest(root: Path, symbol: str, interest: Any) -> None:
    """Write open interest every five minutes, known at once."""
    at_ns = START_NS + BAR_NS * np.arange(len(interest))
    columns = {"ts": at_ns, "symbol": [symbol] * len(interest), "open_interest": interest}
    _write(root, INTEREST, symbol, pl.DataFrame(columns | {"available_at": at_ns}))


def write_rates(root: Path, symbol: str, rates: Any) -> Any:
    """Write rates settled every eight hours, and forecasts half an hour before that are right; returns the instants."""
    settlement_ns = START_NS + 8 * HOUR_NS * np.arange(1, len(rates) + 1)
    names, products = [symbol] * len(rates), Products(root)
    products.write(
        products.mart("mart_bybit__settlement_funding"),
        pl.DataFrame(
            {
                "symbol": names,
                "settlement_ts": settlement_ns,
                "funding_rate": rates,
                "interval_h": [None, *[8] * (len(rates) - 1)],
            }
        ),
    )
    forecasts = pl.DataFrame(
        {
            "symbol": names,
            "settlement_ts": settlement_ns,
            "made_at": settlement_ns - HOUR_NS // 2,
            "model": ["structural"] * len(rates),
            "predicted": rates,
            "q05": rates - 2e-4,
            "q50": rates,
            "q95": rates + 2e-4,
        }
    )
    # Another candidate, wrong throughout: it is not asked.
    wrong = forecasts.with_columns(
        model=pl.lit("last_rate"), predicted=-pl.col("predicted"), made_at=pl.col("made_at") + 1
    )
    products.write(products.out_of_sample, pl.concat([forecasts, wrong]))
    return settlement_ns


def write_other_rates(root: Path, symbol: str, rates: Any, hours: int = 8) -> Any:
    """Write rates settled on Binance, beside those of another venue under the same name; returns the instants."""
    settlement_ns = START_NS + hours * HOUR_NS * np.arange(1, len(rates) + 1)
    products = Products(root)
    columns = {"symbol": [symbol] * len(rates), "settlement_ts": settlement_ns, "funding_rate": rates}
    own = pl.DataFrame(columns | {"venue": ["binance"] * len(rates), "interval_h": [hours] * len(rates)})
    elsewhere = own.with_columns(venue=pl.lit("bybit"), funding_rate=pl.lit(0.5))
    products.write(products.mart("mart_market__funding_panel"), pl.concat([elsewhere, own]))
    return settlement_ns


def write_mood(root: Path, values: list[int]) -> None:
    """Write the index of each day, known as the day begins."""
    at_ns = START_NS + 24 * HOUR_NS * np.arange(len(values))
    products = Products(root)
    frame = pl.DataFrame({"ts": at_ns, "value": values, "available_at": at_ns})
    products.write(products.mart("mart_sentiment__fear_greed"), frame)


def _write(root: Path, dataset: str, symbol: str, frame: pl.DataFrame) -> None:
    lake = Lake(root)
    by_day = frame.with_columns(day=pl.col("ts") // (24 * HOUR_NS))
    for (day,), part in by_day.group_by(["day"], maintain_order=True):
        lake.write_partition(dataset, symbol, date(1970, 1, 1) + timedelta(days=int(day)), part.drop("day"))
