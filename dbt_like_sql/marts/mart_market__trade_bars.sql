-- description: Bars of four kinds from one pass over the trades: of equal time, number of trades, coins and money. A bar
--   never crosses midnight UTC, so the last ones of a day are short, and a day's bars depend on that day's file alone.
--   A trade belongs to the bar it begins in: with the trades before it, a volume or dollar bar may exceed its size by one
--   trade. A volume bar is the power of ten of coins that was worth about `dollar_usd` at the day's first price. Sums are
--   of whole units (1e-8 coins, 1e-6 USD), exact in any order.
-- grain: one row per venue's dataset, symbol, kind and bar
-- keys: dataset, symbol, kind, day, bar
-- partitions: dataset, symbol, day
-- parameters:
--   time_s = 60: seconds of a time bar
--   tick_trades = 1000: trades of a tick bar
--   dollar_usd = 1000000: USD of a dollar bar, and about that of a volume bar
-- columns:
--   dataset: raw_bybit__trades or raw_binance__agg_trades (aggregated: one taker order at one price is one trade)
--   symbol: the venue's name of the perpetual
--   day: days since 1970-01-01 UTC
--   kind: time, tick, volume or dollar
--   bar: number of the bar within its day, from 0; time bars without a trade are absent
--   size: seconds, trades, coins or USD that a full bar holds
--   start_ts: ns UTC, first trade; of time bars the open of the bar
--   end_ts: ns UTC, last trade; of time bars the close of the bar
--   open: quote currency per unit
--   high: quote currency per unit
--   low: quote currency per unit
--   close: quote currency per unit
--   volume: units of the contract's base
--   turnover_usd: quote currency
--   buy_volume: units of the contract's base that takers bought
--   trades: number of trades
--   available_at: ns UTC, when the last trade was known; of time bars not before their close
with trades as (
    select 'raw_bybit__trades' as dataset, symbol, ts, side, price, size, file_row_number, available_at
    from raw_bybit__trades
    union all
    select 'raw_binance__agg_trades', symbol, ts, side, price, size, file_row_number, available_at
    from raw_binance__agg_trades
),

counted as (
    select
        *,
        ts // 86400000000000 as day,
        round(size * 1e8)::bigint as units,
        round(price * size * 1e6)::bigint as micro_usd,
        row_number() over in_order - 1 as number,
        sum(units) over in_order - units as units_before,
        sum(micro_usd) over in_order - micro_usd as micro_usd_before,
        (1e8 * pow(10, round(log10($dollar_usd / first_value(price) over in_order))))::bigint as volume_units
    from trades
    window
        in_order as (
            partition by dataset, symbol, ts // 86400000000000
            order by ts, file_row_number
            rows between unbounded preceding and current row
        )
),

placed as (
    select
        *,
        (ts % 86400000000000) // ($time_s * 1000000000::bigint) as time_bar,
        number // $tick_trades as tick_bar,
        (units_before // volume_units)::bigint as volume_bar,
        (micro_usd_before // ($dollar_usd * 1000000::bigint))::bigint as dollar_bar
    from counted
),

bars as (
    select
        dataset,
        symbol,
        day,
        case
            when grouping(time_bar) = 0 then 'time'
            when grouping(tick_bar) = 0 then 'tick'
            when grouping(volume_bar) = 0 then 'volume'
            else 'dollar'
        end as kind,
        coalesce(time_bar, tick_bar, volume_bar, dollar_bar) as bar,
        any_value(volume_units) as volume_units,
        min(ts) as first_ts,
        max(ts) as last_ts,
        arg_min(price, number) as open,
        max(price) as high,
        min(price) as low,
        arg_max(price, number) as close,
        sum(units) as units,
        sum(micro_usd) as micro_usd,
        coalesce(sum(units) filter (where side > 0), 0) as buy_units,
        count(*) as trades,
        max(available_at) as available_at
    from placed
    group by grouping sets (
        (dataset, symbol, day, time_bar),
        (dataset, symbol, day, tick_bar),
        (dataset, symbol, day, volume_bar),
        (dataset, symbol, day, dollar_bar)
    )
)

select
    dataset,
    symbol,
    day,
    kind,
    bar,
    case kind when 'time' then $time_s when 'tick' then $tick_trades when 'dollar' then $dollar_usd else volume_units / 1e8 end
    ::double as size,
    case kind when 'time' then day * 86400000000000 + bar * $time_s * 1000000000::bigint else first_ts end as start_ts,
    case kind when 'time' then day * 86400000000000 + (bar + 1) * $time_s * 1000000000::bigint else last_ts end as end_ts,
    open,
    high,
    low,
    close,
    units::double / 1e8 as volume,
    micro_usd::double / 1e6 as turnover_usd,
    buy_units::double / 1e8 as buy_volume,
    trades,
    greatest(available_at, case kind when 'time' then end_ts else last_ts end) as available_at
from bars
