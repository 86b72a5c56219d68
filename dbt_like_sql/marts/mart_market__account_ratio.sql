-- description: How much of a venue's accounts or positions is long, as a share, whatever the venue publishes (a share or
--   longs over shorts).
-- grain: one row per venue, symbol, sample, population and source
-- keys: venue, symbol, ts, population, source
-- columns:
--   venue: bybit or binance
--   symbol: the venue's own name
--   canonical: coin/quote, the same on every venue
--   ts: ns UTC, open of the period (history) or instant of the sample (metrics)
--   population: all (accounts), top_accounts or top_positions (the top fifth by margin)
--   source: history or metrics (Binance's archive)
--   long_ratio: fraction that is net long
--   available_at: ns UTC, first instant the row could be known
with samples as (
    select 'bybit' as venue, symbol, ts, 'all' as population, 'history' as source, long_ratio, available_at
    from stg_bybit__account_ratio
    union all
    select 'binance', symbol, ts, 'all', 'history', long_ratio, available_at
    from stg_binance__account_ratio
    union all
    select 'binance', symbol, ts, 'all', 'metrics', account_ratio / (1 + account_ratio), available_at
    from stg_binance__metrics
    union all
    select 'binance', symbol, ts, 'top_accounts', 'metrics', top_account_ratio / (1 + top_account_ratio), available_at
    from stg_binance__metrics
    union all
    select 'binance', symbol, ts, 'top_positions', 'metrics', top_position_ratio / (1 + top_position_ratio), available_at
    from stg_binance__metrics
)

select
    venue,
    symbol,
    canonical,
    ts,
    population,
    source,
    long_ratio,
    samples.available_at
from samples
inner join mart_market__symbols as symbols using (venue, symbol)
where long_ratio is not null
