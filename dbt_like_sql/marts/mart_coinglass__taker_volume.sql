-- description: What takers bought and sold of a coin over the span before each look, on every exchange CoinGlass names and on
--   all of them (`exchange` = all). Looks are snapshots: hours without one are unknown, and spans of looks may overlap.
-- grain: one row per symbol, look and exchange
-- keys: symbol, ts, exchange
-- columns:
--   symbol: our name of the perpetual whose coin was asked for
--   ts: ns UTC, when it was asked
--   exchange: as CoinGlass calls it, or all
--   range_s: seconds, the span that ended at ts
--   buy_usd: USD
--   sell_usd: USD
--   buy_share: fraction of both that was bought
--   available_at: ns UTC, when it was asked
with sides as (
    select symbol, seen_at as ts, exchange, range_s, buy_usd, sell_usd, available_at
    from stg_coinglass__taker_volume
    union all
    select
        symbol,
        seen_at,
        'all',
        range_s,
        sum(buy_usd order by exchange),
        sum(sell_usd order by exchange),
        max(available_at)
    from stg_coinglass__taker_volume
    group by symbol, seen_at, range_s
)

select
    symbol,
    ts,
    exchange,
    range_s,
    buy_usd,
    sell_usd,
    buy_usd / (buy_usd + sell_usd) as buy_share,
    available_at
from sides
where buy_usd + sell_usd > 0
