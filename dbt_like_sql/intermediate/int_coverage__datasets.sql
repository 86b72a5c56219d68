-- description: The datasets of the lake that hold a market, with the spacing their declaration gives. A test holds the list
--   against the declarations.
-- grain: one row per dataset
-- keys: dataset
-- columns:
--   dataset: the lake's name of the dataset
--   venue: whose data these are
--   cadence_s: seconds between two rows when nothing is missing; null where rows come as they come
--   available_at: ns UTC, 0: known from the beginning
select dataset, venue, cadence_s::bigint as cadence_s, 0::bigint as available_at
from (
    values
        ('raw_bybit__settlement_funding', 'bybit', 28800),
        ('raw_bybit__5m_open_interest', 'bybit', 300),
        ('raw_bybit__1h_account_ratio', 'bybit', 3600),
        ('raw_bybit__5m_perp_klines', 'bybit', 300),
        ('raw_bybit__5m_spot_klines', 'bybit', 300),
        ('raw_bybit__1m_premium_index_klines', 'bybit', 60),
        ('raw_bybit__1m_mark_klines', 'bybit', 60),
        ('raw_bybit__1m_index_klines', 'bybit', 60),
        ('raw_bybit__snapshot_instruments', 'bybit', null),
        ('raw_bybit__snapshot_tickers', 'bybit', null),
        ('raw_bybit__snapshot_mids', 'bybit', null),
        ('raw_bybit__trades', 'bybit', null),
        ('raw_bybit__book_events', 'bybit', null),
        ('raw_bybit__60s_open_interest', 'bybit', null),
        ('raw_bybit__liquidations', 'bybit', null),
        ('raw_binance__settlement_funding', 'binance', 28860),
        ('raw_binance__5m_open_interest', 'binance', 300),
        ('raw_binance__5m_metrics', 'binance', 300),
        ('raw_binance__1h_account_ratio', 'binance', 3600),
        ('raw_binance__5m_perp_klines', 'binance', 300),
        ('raw_binance__5m_spot_klines', 'binance', 300),
        ('raw_binance__1m_premium_index_klines', 'binance', 60),
        ('raw_binance__1m_mark_klines', 'binance', 60),
        ('raw_binance__agg_trades', 'binance', null),
        ('raw_binance__book_depth_bands', 'binance', null),
        ('raw_binance__snapshot_premium_index', 'binance', null),
        ('raw_binance__snapshot_instruments', 'binance', null),
        ('raw_okx__settlement_funding', 'okx', 28800),
        ('raw_okx__snapshot_funding', 'okx', null),
        ('raw_okx__snapshot_instruments', 'okx', null),
        ('raw_okx__snapshot_open_interest', 'okx', null),
        ('raw_coinglass__snapshot_long_short', 'coinglass', null),
        ('raw_coinglass__snapshot_taker_volume', 'coinglass', null),
        ('raw_coinglass__snapshot_liquidation_heatmap', 'coinglass', null),
        ('raw_sentiment__fear_greed', 'sentiment', 86400),
        ('raw_reddit__scored_posts', 'reddit', null),
        ('raw_x__scored_posts', 'x', null)
) as declared (dataset, venue, cadence_s)
