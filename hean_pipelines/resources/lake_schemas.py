"""Every dataset of the lake, declared once: Bybit's, our own activity's, and the index of all. Importing it costs nothing.

What does not belong here: reading, writing, checks. The other venues' are in `venue_schemas.py`.
"""

from __future__ import annotations

from hean_pipelines.resources.dataset import (
    ALL_SYMBOLS,
    INTERVAL_S,
    ColumnType,
    Dataset,
    market,
    own,
    snapshot,
)
from hean_pipelines.resources.venue_schemas import VENUE_DATASETS
from models.errors import DataError

__all__ = [
    "ALL_SYMBOLS",
    "DATASETS",
    "INTERVAL_S",
    "MARKET_DATASETS",
    "OWN_DATASETS",
    "ColumnType",
    "Dataset",
    "dataset_named",
]

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
    market(
        "raw_bybit__settlement_funding",
        "Funding rates as settled, one row per settlement. `funding_rate` is a fraction of the position's "
        "value for that interval; the interval changes per symbol and over time (at most 8 h) and follows "
        "from the stamps.",
        "funding_rate",
        28_800,
        0,
    ),
    market(
        "raw_bybit__5m_open_interest",
        "Open interest in base coins, both sides summed as the venue reports it, at the instant `ts`.",
        "open_interest",
        300,
        0,
    ),
    market(
        "raw_bybit__1h_account_ratio",
        "Share of accounts net long (`buy_ratio`) and net short over the period that starts at `ts`; counts "
        "accounts, not size.",
        "buy_ratio sell_ratio",
        3600,
        3600,
    ),
    market(
        "raw_bybit__5m_perp_klines",
        "Closed 5-minute bars of the linear perpetual; `ts` is the bar's open, `volume` in base, `turnover` "
        "in quote units.",
        f"{_OHLC} volume turnover",
        300,
        300,
    ),
    market(
        "raw_bybit__5m_spot_klines",
        "Closed 5-minute bars of the spot market of the same name; with the perpetual's they give the "
        "premium.",
        f"{_OHLC} volume turnover",
        300,
        300,
    ),
    market(
        "raw_bybit__1m_premium_index_klines",
        "Closed 1-minute bars of the premium index (fraction), the input of the funding formula. The venue's "
        "open may lie outside [low, high].",
        _OHLC,
        60,
        60,
    ),
    market("raw_bybit__1m_mark_klines", "Closed 1-minute bars of the mark price.", _OHLC, 60, 60),
    market("raw_bybit__1m_index_klines", "Closed 1-minute bars of the index price.", _OHLC, 60, 60),
    snapshot(
        "raw_bybit__snapshot_instruments",
        "What the venue said a contract is at `seen_at`: steps, minima, leverage, funding interval and caps.",
        _INSTRUMENT,
    ),
    snapshot(
        "raw_bybit__snapshot_tickers",
        "Tickers at `seen_at`: prices, the running funding estimate (`funding_rate`, not yet settled) and "
        "the settlement it is for.",
        _TICKER,
    ),
    snapshot(
        "raw_bybit__snapshot_mids",
        "Best bid and ask of the perpetual and, asked right after, of the spot market of the same name: the live "
        "premium. `seen_at` is when both were known, `spot_seen_at` the venue's time of the spot reply. Empty where there "
        "is no such spot market.",
        {
            "bid1_price": "f64",
            "ask1_price": "f64",
            "spot_seen_at": "i64",
            "spot_bid1_price": "f64",
            "spot_ask1_price": "f64",
        },
    ),
    own(
        "orders",
        "The executor's orders, by the day they were created; quantities as the journal's exact text.",
        "s:client_id s:venue_id s:strategy s:symbol i:side s:order_type s:qty s:price i:reduce_only s:leg "
        "i:decision_ns s:state s:filled_qty s:avg_price s:reason s:mode i:created_ns i:updated_ns",
        "client_id",
        "created_ns",
    ),
    own(
        "fills",
        "The executor's fills and funding payments, one row per execution id of the venue.",
        "s:exec_id s:client_id s:venue_id s:symbol i:side s:qty s:price s:fee_usd i:is_maker s:kind i:at_ns",
        "exec_id",
        "at_ns",
    ),
    own(
        "trades",
        "Closed trades, live and shadow, by the day of their exit, with forecast, realised rate and result.",
        "s:trade_id s:strategy s:symbol s:regime s:mode i:side s:qty i:entry_ns s:entry_price i:exit_ns "
        "s:exit_price f:fees_usd f:funding_usd f:pnl_usd f:pnl_bps f:predicted f:realised_rate "
        "s:model_version",
        "trade_id",
        "exit_ns",
    ),
    own(
        "events",
        "Everything the executor noted: starts, forecasts, signals, blocks with reasons, errors.",
        "i:seq i:at_ns i:wall_ns s:kind s:strategy s:symbol s:body",
        "seq",
        "at_ns",
    ),
    own(
        "equity",
        "Equity and free margin over time.",
        "i:at_ns f:equity_usd f:available_usd",
        "at_ns",
        "at_ns",
    ),
    own(
        "forecasts",
        "Forecasts the executor made, one per symbol, settlement and horizon.",
        "s:symbol i:settlement_ns i:horizon_min i:made_at_ns s:model_version f:predicted f:q05 f:q50 f:q95",
        "symbol settlement_ns horizon_min",
        "made_at_ns",
    ),
)

DATASETS: dict[str, Dataset] = {dataset.name: dataset for dataset in (*_DATASETS, *VENUE_DATASETS)}
MARKET_DATASETS: tuple[str, ...] = tuple(
    dataset.name for dataset in _DATASETS if dataset.name.startswith("raw_bybit__")
)
"""Bybit's own from REST: what trading needs."""
OWN_DATASETS: tuple[str, ...] = tuple(name for name in DATASETS if name.startswith("raw_hean__"))


def dataset_named(name: str) -> Dataset:
    """Return the declaration of a dataset; raises DataError naming the known ones."""
    if name in DATASETS:
        return DATASETS[name]
    raise DataError(f"unknown dataset {name!r}", remedy=f"known are {', '.join(DATASETS)}")
