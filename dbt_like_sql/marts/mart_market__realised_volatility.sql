-- description: Volatility as it was, each full hour, from logarithmic returns of five-minute closes: the root of their
--   summed squares over the window, per year of 8760 h. Returns across a missing bar are left out; a window with fewer
--   than `least_share` of its returns gives none, else the sum is scaled to a full window.
-- grain: one row per venue, symbol and full hour
-- keys: venue, symbol, ts
-- parameters:
--   least_share = 0.95: share of a window's returns that must be there
-- columns:
--   venue: bybit or binance
--   symbol: the venue's own name
--   canonical: coin/quote, the same on every venue
--   ts: ns UTC, end of both windows
--   volatility_1h: fraction per root year, over the hour before ts
--   volatility_24h: fraction per root year, over the 24 h before ts
--   returns_1h: returns in the hour, 12 when complete
--   returns_24h: returns in the 24 h, 288 when complete
--   available_at: ns UTC, when the last bar was known
with bars as (
    select 'bybit' as venue, symbol, ts, close, available_at from stg_bybit__perp_klines
    union all
    select 'binance', symbol, ts, close, available_at from stg_binance__perp_klines
),

moved as (
    select
        *,
        ts + 300000000000 as end_ts,
        case
            when lag(ts) over by_time = ts - 300000000000 then ln(close / lag(close) over by_time)
        end as log_return
    from bars
    window by_time as (partition by venue, symbol order by ts)
),

summed as (
    select
        venue,
        symbol,
        end_ts,
        available_at,
        count(log_return) over hour as returns_1h,
        count(log_return) over day as returns_24h,
        sum(log_return * log_return) over hour as squares_1h,
        sum(log_return * log_return) over day as squares_24h
    from moved
    window
        hour as (
            partition by venue, symbol order by ts range between 3300000000000 preceding and current row
        ),
        day as (
            partition by venue, symbol order by ts range between 86100000000000 preceding and current row
        )
)

select
    venue,
    symbol,
    canonical,
    end_ts as ts,
    case when returns_1h >= $least_share * 12 then sqrt(squares_1h * 12 / returns_1h * 8760) end as volatility_1h,
    case when returns_24h >= $least_share * 288 then sqrt(squares_24h * 288 / returns_24h * 365) end as volatility_24h,
    returns_1h,
    returns_24h,
    summed.available_at
from summed
inner join mart_market__symbols as symbols using (venue, symbol)
where end_ts % 3600000000000 = 0
