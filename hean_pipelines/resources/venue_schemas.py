"""Datasets beside Bybit's REST history: archives and recordings, Binance, OKX, CoinGlass, sentiment.

Symbols are the venue's own names; canonical ones exist only in SQL. What does not belong here: reading, writing, checks.
"""

from __future__ import annotations

from hean_pipelines.resources.dataset import ColumnType, Dataset, market, snapshot

_OHLC = "open high low close"
_TRADE: dict[str, ColumnType] = {
    "ts": "i64",
    "symbol": "str",
    "trade_id": "str",
    "side": "i64",
    "price": "f64",
    "size": "f64",
    "available_at": "i64",
}
_EVENT: dict[str, ColumnType] = {
    "local_ts": "i64",
    "exch_ts": "i64",
    "symbol": "str",
    "kind": "i64",
    "side": "i64",
    "price": "f64",
    "size": "f64",
    "seq": "i64",
    "available_at": "i64",
}
_INSTRUMENT: dict[str, ColumnType] = {
    "status": "str",
    "base_coin": "str",
    "quote_coin": "str",
    "settle_coin": "str",
    "contract_value": "f64",
    "is_inverse": "i64",
    "tick_size": "f64",
    "qty_step": "f64",
    "min_order_qty": "f64",
    "funding_interval_min": "i64",
    "upper_funding_rate": "f64",
    "lower_funding_rate": "f64",
    "launch_ts": "i64",
}
_FUNDING_NOW: dict[str, ColumnType] = {
    "funding_rate": "f64",
    "funding_ts": "i64",
    "next_funding_ts": "i64",
    "upper_funding_rate": "f64",
    "lower_funding_rate": "f64",
    "mark_price": "f64",
    "index_price": "f64",
}

_BYBIT = (
    Dataset(
        "raw_bybit__trades",
        "Every public trade of a day from the venue's daily files; `side` is the taker's, `size` in base coins.",
        _TRADE,
        key=("symbol", "trade_id"),
        keeps_order=True,
    ),
    Dataset(
        "raw_bybit__book_events",
        "Order-book archives as tape events (kind, side, price, size); `seq` numbers the events of a day.",
        _EVENT,
        key=("symbol", "seq"),
        time="exch_ts",
        keeps_order=True,
    ),
    market(
        "raw_bybit__60s_open_interest",
        "Open interest polled each minute while the executor or the recorder ran; gaps are hours it did not.",
        "open_interest",
        None,
        0,
    ),
    Dataset(
        "raw_bybit__liquidations",
        "Forced orders from recorded streams; `side` is the liquidation order's (+1 buys a short back).",
        {name: kind for name, kind in _EVENT.items() if name not in ("kind",)},
        key=("symbol", "seq"),
        time="local_ts",
        keeps_order=True,
    ),
)
_BINANCE = (
    market(
        "raw_binance__settlement_funding",
        "Funding rates as settled. `ts` carries the venue's jitter of a few milliseconds; `mark_price` is empty in "
        "archive rows, `interval_h` in REST rows.",
        "funding_rate mark_price interval_h",
        28_860,  # its stamps jitter
        0,
    ),
    market(
        "raw_binance__5m_open_interest",
        "Open interest in base coins and its value in quote coins; REST knows the last 30 days only.",
        "open_interest open_interest_usd",
        300,
        300,
    ),
    market(
        "raw_binance__5m_metrics",
        "The archive's daily metrics: open interest, ratios of top traders and of all accounts, taker volume ratio; a "
        "blank cell of the file is empty here.",
        "open_interest open_interest_usd top_account_ratio top_position_ratio account_ratio taker_volume_ratio",
        300,
        300,
    ),
    market(
        "raw_binance__1h_account_ratio",
        "Shares of accounts net long and net short over the period that starts at `ts`.",
        "buy_ratio sell_ratio",
        3600,
        3600,
    ),
    market(
        "raw_binance__5m_perp_klines",
        "Closed 5-minute bars of the perpetual, with the volume takers bought.",
        f"{_OHLC} volume turnover taker_buy_volume",
        300,
        300,
    ),
    market(
        "raw_binance__5m_spot_klines",
        "Closed 5-minute bars of the spot market, with the volume takers bought.",
        f"{_OHLC} volume turnover taker_buy_volume",
        300,
        300,
    ),
    market(
        "raw_binance__1m_premium_index_klines", "Closed 1-minute bars of the premium index.", _OHLC, 60, 60
    ),
    market("raw_binance__1m_mark_klines", "Closed 1-minute bars of the mark price.", _OHLC, 60, 60),
    Dataset(
        "raw_binance__agg_trades",
        "Aggregated trades: one taker order at one price within 100 ms is one row. `side` is the taker's.",
        _TRADE,
        key=("symbol", "trade_id"),
        keeps_order=True,
    ),
    Dataset(
        "raw_binance__book_depth_bands",
        "Cumulative depth within a percentage of the mid: bands as published, not a book.",
        {
            "ts": "i64",
            "symbol": "str",
            "band_pct": "f64",
            "depth": "f64",
            "notional_usd": "f64",
            "available_at": "i64",
        },
        key=("symbol", "ts", "band_pct"),
    ),
    snapshot(
        "raw_binance__snapshot_premium_index",
        "The running funding rate and its next settlement.",
        _FUNDING_NOW,
    ),
    snapshot(
        "raw_binance__snapshot_instruments", "What the venue said a contract is at `seen_at`.", _INSTRUMENT
    ),
)
_OKX = (
    market(
        "raw_okx__settlement_funding",
        "Funding rates as realised (`realizedRate`), and as predicted before; REST knows about three months.",
        "funding_rate predicted_rate",
        28_800,
        0,
    ),
    snapshot(
        "raw_okx__snapshot_funding", "The rate for the coming settlement, with its bounds.", _FUNDING_NOW
    ),
    snapshot(
        "raw_okx__snapshot_instruments",
        "What the venue said a contract is at `seen_at`; sizes are in contracts of `contract_value` coins.",
        _INSTRUMENT,
    ),
    snapshot(
        "raw_okx__snapshot_open_interest",
        "Open interest in contracts, coins and USD.",
        {"contracts": "f64", "coins": "f64", "usd": "f64"},
    ),
)
_COINGLASS = (
    snapshot(
        "raw_coinglass__snapshot_long_short",
        "Account ratio of a venue as CoinGlass had it at `seen_at`; never back-filled.",
        {"exchange": "str", "interval_s": "i64", "ts": "i64", "long_pct": "f64", "short_pct": "f64"},
    ),
    snapshot(
        "raw_coinglass__snapshot_taker_volume",
        "Taker volume by venue over the range before `seen_at`; a snapshot without a past.",
        {"exchange": "str", "range_s": "i64", "buy_usd": "f64", "sell_usd": "f64"},
    ),
    snapshot(
        "raw_coinglass__snapshot_liquidation_heatmap",
        "A model's liquidation levels at `seen_at`; model output, it cannot be backtested.",
        {"price": "f64", "bucket_ts": "i64", "usd": "f64"},
    ),
)
_SENTIMENT = (
    market(
        "raw_sentiment__fear_greed", "The Fear & Greed index, 0 to 100, of the day `ts`.", "value", 86_400, 0
    ),
)
_SCORED_POST: dict[str, ColumnType] = {
    "post_id": "str",
    "created_ts": "i64",
    "place": "str",
    "compound": "f64",
    "positive": "f64",
    "neutral": "f64",
    "negative": "f64",
    "likes": "i64",
    "replies": "i64",
    "scorer": "str",
}
_POSTS = (
    snapshot(
        "raw_reddit__scored_posts",
        "How posts in the chosen subreddits sound that are about a symbol's coin, each once, from when it was first "
        "seen; neither texts nor authors are kept. `compound` is VADER's score from -1 to +1. Only with keys.",
        _SCORED_POST,
    ),
    snapshot(
        "raw_x__scored_posts",
        "How English posts on X sound that are about a symbol's coin, each once, from when it was first seen; neither "
        "texts nor authors are kept. `compound` is VADER's score from -1 to +1. Only with a token.",
        _SCORED_POST,
    ),
)


def _keyed(dataset: Dataset, *more: str) -> Dataset:
    return Dataset(
        dataset.name,
        dataset.description,
        dataset.columns,
        (*dataset.key, *more),
        dataset.time,
        dataset.cadence_s,
    )


_KEYS = {
    "raw_coinglass__snapshot_long_short": ("exchange", "ts"),
    "raw_coinglass__snapshot_taker_volume": ("exchange",),
    "raw_coinglass__snapshot_liquidation_heatmap": ("price", "bucket_ts"),
    "raw_reddit__scored_posts": ("post_id",),
    "raw_x__scored_posts": ("post_id",),
}
VENUE_DATASETS: tuple[Dataset, ...] = tuple(
    _keyed(dataset, *_KEYS[dataset.name]) if dataset.name in _KEYS else dataset
    for dataset in (*_BYBIT, *_BINANCE, *_OKX, *_COINGLASS, *_SENTIMENT, *_POSTS)
)
