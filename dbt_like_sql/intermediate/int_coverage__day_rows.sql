-- description: What the lake holds of each evenly spaced dataset, by symbol and day.
-- grain: one row per dataset, symbol and UTC day with at least one row
-- keys: dataset, symbol, day
-- columns:
--   dataset: the lake's name of the dataset
--   symbol: the venue's name of the perpetual
--   day: days since 1970-01-01 UTC
--   rows: rows in the lake
--   first_ts: ns UTC, first row of the day
--   last_ts: ns UTC, last row of the day
--   available_at: ns UTC, when the last row of the day was known
with samples as (
    select 'raw_bybit__5m_perp_klines' as dataset, symbol, ts, available_at from raw_bybit__5m_perp_klines
    union all
    select 'raw_bybit__5m_spot_klines', symbol, ts, available_at from raw_bybit__5m_spot_klines
    union all
    select 'raw_bybit__1m_premium_index_klines', symbol, ts, available_at from raw_bybit__1m_premium_index_klines
    union all
    select 'raw_bybit__1m_mark_klines', symbol, ts, available_at from raw_bybit__1m_mark_klines
    union all
    select 'raw_bybit__1m_index_klines', symbol, ts, available_at from raw_bybit__1m_index_klines
    union all
    select 'raw_bybit__5m_open_interest', symbol, ts, available_at from raw_bybit__5m_open_interest
    union all
    select 'raw_bybit__1h_account_ratio', symbol, ts, available_at from raw_bybit__1h_account_ratio
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
