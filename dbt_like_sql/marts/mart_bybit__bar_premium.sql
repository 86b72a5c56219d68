-- description: The premium, bar by bar, from one source at a time: the venue's premium index (one minute) or
--   perp/spot closes (five minutes). The source is decided once for each block of eight hours from midnight UTC, by the
--   first five minutes of the block that hold any bar: the premium index if it is among them, else perp/spot. Every
--   settlement interval (1, 2, 4, 8 h) lies inside one block, so none mixes the two, and the choice rests on nothing
--   later than the bars it governs.
-- grain: one row per symbol and bar
-- keys: symbol, ts, bar_s
-- columns:
--   symbol: the venue's name of the perpetual
--   ts: ns UTC, open of the bar
--   bar_s: seconds, length of the bar: 60 or 300
--   premium: fraction, at the close of the bar
--   source: premium_index or perp_spot
--   available_at: ns UTC, close of the bar
with bars as (
    select symbol, ts, 60 as bar_s, close as premium, 'premium_index' as source, 0 as rank, available_at
    from stg_bybit__premium_index
    union all
    select symbol, ts, 300 as bar_s, premium, 'perp_spot' as source, 1 as rank, available_at
    from int_bybit__perp_spot_premium
),

placed as (
    select
        *,
        ts // 28800000000000 as block,
        ts // 300000000000 as five_minutes
    from bars
),

chosen as (
    select symbol, block, arg_min(source, 2 * five_minutes + rank) as source
    from placed
    group by symbol, block
)

select symbol, ts, bar_s, premium, source, available_at
from placed
inner join chosen using (symbol, block, source)
