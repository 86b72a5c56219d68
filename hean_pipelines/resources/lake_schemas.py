"""Every dataset of the lake, declared once: columns, key, spacing. Importing it costs nothing.

Types are `i64` (all times are ns UTC), `f64` and `str`. `available_at` is the moment a row could first be
known; joins are as-of on it. What does not belong here: reading, writing, checks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from models.errors import DataError

ColumnType = Literal["i64", "f64", "str"]
INTERVAL_S = {"5min": 300, "15min": 900, "30min": 1800, "1h": 3600, "4h": 14_400, "1d": 86_400}
ALL_SYMBOLS = "_ALL"
"""The path's symbol where a dataset is not split by symbol (our own activity)."""


@dataclass(frozen=True)
class Dataset:
    """One dataset of the lake.

    Attributes
    ----------
    name, description : str
        Name of the folder and of the asset; the description is shown in Dagster.
    columns : dict of str to ColumnType
        In file order, `available_at` last.
    key : tuple of str
        Columns that together name a row once.
    time : str
        The column whose day is the partition; rows are sorted by it.
    cadence_s : int or None
        Most seconds between two rows of a symbol when nothing is missing; None for irregular data.
    available_after_s : int
        `available_at` minus `time`.

    """

    name: str
    description: str
    columns: dict[str, ColumnType]
    key: tuple[str, ...] = ("symbol", "ts")
    time: str = "ts"
    cadence_s: int | None = None
    available_after_s: int = 0

    def spaced(self, seconds: int, available_after_s: int = 0) -> Dataset:
        """Return the same dataset with another spacing, for those whose interval is a setting."""
        return replace(self, cadence_s=seconds, available_after_s=available_after_s)


def _market(name: str, description: str, values: str, cadence_s: int, available_after_s: int) -> Dataset:
    columns: dict[str, ColumnType] = {"ts": "i64", "symbol": "str"}
    columns |= dict.fromkeys(values.split(), "f64")
    columns["available_at"] = "i64"
    return Dataset(name, description, columns, cadence_s=cadence_s, available_after_s=available_after_s)


def _snapshot(name: str, description: str, columns: dict[str, ColumnType]) -> Dataset:
    head: dict[str, ColumnType] = {"seen_at": "i64", "symbol": "str"}
    return Dataset(
        name, description, head | columns | {"available_at": "i64"}, ("symbol", "seen_at"), "seen_at"
    )


def _own(name: str, description: str, columns: str, key: str, time: str) -> Dataset:
    kinds: dict[str, ColumnType] = {"i": "i64", "f": "f64", "s": "str"}
    typed = {part[2:]: kinds[part[0]] for part in columns.split()}
    return Dataset(
        f"raw_hean__{name}", description, typed | {"available_at": "i64"}, tuple(key.split()), time
    )


_OHLC = "open high low close"
_INSTRUMENT: dict[str, ColumnType] = {
    "status": "str",
    "base_coin": "str",
    "quote_coin": "str",
    "settle_coin": "str",
    "tick_size": "f64",
    "qty_step": "f64",
    "min_order_qty": "f64",
    "max_order_qty": "f64",
    "min_notional_usd": "f64",
    "max_leverage": "f64",
    "price_scale": "i64",
    "funding_interval_min": "i64",
    "upper_funding_rate": "f64",
    "lower_funding_rate": "f64",
    "launch_ts": "i64",
}
_TICKER: dict[str, ColumnType] = {
    "last_price": "f64",
    "mark_price": "f64",
    "index_price": "f64",
    "bid1_price": "f64",
    "ask1_price": "f64",
    "funding_rate": "f64",
    "next_funding_ts": "i64",
    "funding_interval_h": "i64",
    "funding_cap": "f64",
    "open_interest": "f64",
}

_DATASETS = (
    _market(
        "raw_bybit__settlement_funding",
        "Funding rates as settled, one row per settlement. `funding_rate` is a fraction of the position's "
        "value for that interval; the interval changes per symbol and over time (at most 8 h) and follows "
        "from the stamps.",
        "funding_rate",
        28_800,
        0,
    ),
    _market(
        "raw_bybit__5m_open_interest",
        "Open interest in base coins, both sides summed as the venue reports it, at the instant `ts`.",
        "open_interest",
        300,
        0,
    ),
    _market(
        "raw_bybit__1h_account_ratio",
        "Share of accounts net long (`buy_ratio`) and net short over the period that starts at `ts`; counts "
        "accounts, not size.",
        "buy_ratio sell_ratio",
        3600,
        3600,
    ),
    _market(
        "raw_bybit__5m_perp_klines",
        "Closed 5-minute bars of the linear perpetual; `ts` is the bar's open, `volume` in base, `turnover` "
        "in quote units.",
        f"{_OHLC} volume turnover",
        300,
        300,
    ),
    _market(
        "raw_bybit__5m_spot_klines",
        "Closed 5-minute bars of the spot market of the same name; with the perpetual's they give the "
        "premium.",
        f"{_OHLC} volume turnover",
        300,
        300,
    ),
    _market(
        "raw_bybit__1m_premium_index_klines",
        "Closed 1-minute bars of the premium index (fraction), the input of the funding formula. The venue's "
        "open may lie outside [low, high].",
        _OHLC,
        60,
        60,
    ),
    _market("raw_bybit__1m_mark_klines", "Closed 1-minute bars of the mark price.", _OHLC, 60, 60),
    _market("raw_bybit__1m_index_klines", "Closed 1-minute bars of the index price.", _OHLC, 60, 60),
    _snapshot(
        "raw_bybit__snapshot_instruments",
        "What the venue said a contract is at `seen_at`: steps, minima, leverage, funding interval and caps.",
        _INSTRUMENT,
    ),
    _snapshot(
        "raw_bybit__snapshot_tickers",
        "Tickers at `seen_at`: prices, the running funding estimate (`funding_rate`, not yet settled) and "
        "the settlement it is for.",
        _TICKER,
    ),
    _own(
        "orders",
        "The executor's orders, by the day they were created; quantities as the journal's exact text.",
        "s:client_id s:venue_id s:strategy s:symbol i:side s:order_type s:qty s:price i:reduce_only s:leg "
        "i:decision_ns s:state s:filled_qty s:avg_price s:reason s:mode i:created_ns i:updated_ns",
        "client_id",
        "created_ns",
    ),
    _own(
        "fills",
        "The executor's fills and funding payments, one row per execution id of the venue.",
        "s:exec_id s:client_id s:venue_id s:symbol i:side s:qty s:price s:fee_usd i:is_maker s:kind i:at_ns",
        "exec_id",
        "at_ns",
    ),
    _own(
        "trades",
        "Closed trades, live and shadow, by the day of their exit, with forecast, realised rate and result.",
        "s:trade_id s:strategy s:symbol s:regime s:mode i:side s:qty i:entry_ns s:entry_price i:exit_ns "
        "s:exit_price f:fees_usd f:funding_usd f:pnl_usd f:pnl_bps f:predicted f:realised_rate "
        "s:model_version",
        "trade_id",
        "exit_ns",
    ),
    _own(
        "events",
        "Everything the executor noted: starts, forecasts, signals, blocks with reasons, errors.",
        "i:seq i:at_ns i:wall_ns s:kind s:strategy s:symbol s:body",
        "seq",
        "at_ns",
    ),
    _own(
        "equity",
        "Equity and free margin over time.",
        "i:at_ns f:equity_usd f:available_usd",
        "at_ns",
        "at_ns",
    ),
    _own(
        "forecasts",
        "Forecasts the executor made, one per symbol, settlement and horizon.",
        "s:symbol i:settlement_ns i:horizon_min i:made_at_ns s:model_version f:predicted f:q05 f:q50 f:q95",
        "symbol settlement_ns horizon_min",
        "made_at_ns",
    ),
)

DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in _DATASETS}
MARKET_DATASETS: tuple[str, ...] = tuple(name for name in DATASETS if name.startswith("raw_bybit__"))
OWN_DATASETS: tuple[str, ...] = tuple(name for name in DATASETS if name.startswith("raw_hean__"))


def dataset_named(name: str) -> Dataset:
    """Return the declaration of a dataset; raises DataError naming the known ones."""
    if name in DATASETS:
        return DATASETS[name]
    raise DataError(f"unknown dataset {name!r}", remedy=f"known are {', '.join(DATASETS)}")
