-- description: What the lake holds of each dataset of the market, by symbol and day. Counted once for each file of the
--   lake, whatever it holds: a day of trades is read when it comes and not again. Settled funding is not here, its rows are
--   counted by its own intervals (int_market__funding_intervals).
-- grain: one row per dataset, symbol and UTC day with at least one row
-- keys: dataset, symbol, day
-- partitions: dataset, symbol, day
-- columns:
--   dataset: the lake's name of the dataset
--   symbol: the venue's name of the perpetual
--   day: days since 1970-01-01 UTC
--   rows: rows in the lake
--   first_ts: ns UTC, first row of the day
--   last_ts: ns UTC, last row of the day
--   available_at: ns UTC, when the last row of the day was known
with samples as (
    select 'raw_bybit__5m_open_interest' as dataset, symbol, ts as ts, available_at from raw_bybit__5m_open_interest
    union all
    select 'raw_bybit__1h_account_ratio', symbol, ts, available_at from raw_bybit__1h_account_ratio
    union all
    select 'raw_bybit__5m_perp_klines', symbol, ts, available_at from raw_bybit__5m_perp_klines
    union all
    select 'raw_bybit__5m_spot_klines', symbol, ts, available_at from raw_bybit__5m_spot_klines
    union all
    select 'raw_bybit__1m_premium_index_klines', symbol, ts, available_at from raw_bybit__1m_premium_index_klines
    union all
    select 'raw_bybit__1m_mark_klines', symbol, ts, available_at from raw_bybit__1m_mark_klines
    union all
    select 'raw_bybit__1m_index_klines', symbol, ts, available_at from raw_bybit__1m_index_klines
    union all
    select 'raw_bybit__snapshot_instruments', symbol, seen_at, available_at from raw_bybit__snapshot_instruments
    union all
    select 'raw_bybit__snapshot_tickers', symbol, seen_at, available_at from raw_bybit__snapshot_tickers
    union all
    select 'raw_bybit__snapshot_mids', symbol, seen_at, available_at from raw_bybit__snapshot_mids
    union all
    select 'raw_bybit__trades', symbol, ts, available_at from raw_bybit__trades
    union all
    select 'raw_bybit__book_events', symbol, exch_ts, available_at from raw_bybit__book_events
    union all
    select 'raw_bybit__60s_open_interest', symbol, ts, available_at from raw_bybit__60s_open_interest
    union all
    select 'raw_bybit__liquidations', symbol, exch_ts, available_at from raw_bybit__liquidations
    union all
    select 'raw_binance__5m_open_interest', symbol, ts, available_at from raw_binance__5m_open_interest
    union all
    select 'raw_binance__5m_metrics', symbol, ts, available_at from raw_binance__5m_metrics
    union all
    select 'raw_binance__1h_account_ratio', symbol, ts, available_at from raw_binance__1h_account_ratio
    union all
    select 'raw_binance__5m_perp_klines', symbol, ts, available_at from raw_binance__5m_perp_klines
    union all
    select 'raw_binance__5m_spot_klines', symbol, ts, available_at from raw_binance__5m_spot_klines
    union all
    select 'raw_binance__1m_premium_index_klines', symbol, ts, available_at from raw_binance__1m_premium_index_klines
    union all
    select 'raw_binance__1m_mark_klines', symbol, ts, available_at from raw_binance__1m_mark_klines
    union all
    select 'raw_binance__agg_trades', symbol, ts, available_at from raw_binance__agg_trades
    union all
    select 'raw_binance__book_depth_bands', symbol, ts, available_at from raw_binance__book_depth_bands
    union all
    select 'raw_binance__snapshot_premium_index', symbol, seen_at, available_at from raw_binance__snapshot_premium_index
    union all
    select 'raw_binance__snapshot_instruments', symbol, seen_at, available_at from raw_binance__snapshot_instruments
    union all
    select 'raw_okx__snapshot_funding', symbol, seen_at, available_at from raw_okx__snapshot_funding
    union all
    select 'raw_okx__snapshot_instruments', symbol, seen_at, available_at from raw_okx__snapshot_instruments
    union all
    select 'raw_okx__snapshot_open_interest', symbol, seen_at, available_at from raw_okx__snapshot_open_interest
    union all
    select 'raw_coinglass__snapshot_long_short', symbol, seen_at, available_at from raw_coinglass__snapshot_long_short
    union all
    select 'raw_coinglass__snapshot_taker_volume', symbol, seen_at, available_at from raw_coinglass__snapshot_taker_volume
    union all
    select 'raw_coinglass__snapshot_liquidation_heatmap', symbol, seen_at, available_at from raw_coinglass__snapshot_liquidation_heatmap
    union all
    select 'raw_sentiment__fear_greed', symbol, ts, available_at from raw_sentiment__fear_greed
    union all
    select 'raw_reddit__scored_posts', symbol, seen_at, available_at from raw_reddit__scored_posts
    union all
    select 'raw_x__scored_posts', symbol, seen_at, available_at from raw_x__scored_posts
)

select
    dataset,
    symbol,
    ts // 86400000000000 as day,
    count(*) as rows,
    min(ts) as first_ts,
    max(ts) as last_ts,
    max(available_at) as available_at
from samples
group by dataset, symbol, day
