-- description: The settlement interval of every settlement of every venue. Bybit's are int_bybit__funding_intervals, which
--   must not wait for another venue's data; the others' are found in the same way, and a test holds the two together.
-- grain: one row per venue, symbol and settlement
-- keys: venue, symbol, settlement_ts
-- columns:
--   venue: bybit, binance or okx
--   symbol: the venue's name of the perpetual
--   settlement_ts: ns UTC, instant of the settlement
--   previous_settlement_ts: ns UTC, settlement before it; null for the first
--   funding_rate: fraction of notional
--   hours_since_previous: hours, unrounded; null for the first
--   interval_h: hours this settlement covers, one of 1, 2, 4, 8; null where not known
--   is_gap: true where settlements are missing before this one
--   missing_settlements: how many are missing before this one; null where not known
--   is_interval_change: true where the interval differs from the one in force before
--   available_at: ns UTC, first instant the row could be known
with settled as (
    select 'binance' as venue, symbol, settlement_ts, funding_rate, available_at from stg_binance__funding
    union all
    select 'okx', symbol, settlement_ts, funding_rate, available_at from stg_okx__funding
),

spaced as (
    select
        venue,
        symbol,
        settlement_ts,
        funding_rate,
        available_at,
        lag(settlement_ts) over (partition by venue, symbol order by settlement_ts) as previous_settlement_ts
    from settled
),

measured as (
    select
        *,
        (settlement_ts - previous_settlement_ts) / 3600000000000.0::double as hours_since_previous,
        case
            when abs(hours_since_previous - 1) <= 1 / 30.0 then 1.0::double
            when abs(hours_since_previous - 2) <= 1 / 30.0 then 2.0::double
            when abs(hours_since_previous - 4) <= 1 / 30.0 then 4.0::double
            when abs(hours_since_previous - 8) <= 1 / 30.0 then 8.0::double
        end as clean_interval_h
    from spaced
),

in_force as (
    select
        *,
        last_value(clean_interval_h ignore nulls) over (
            partition by venue, symbol
            order by settlement_ts
            rows between unbounded preceding and 1 preceding
        ) as interval_before_h
    from measured
),

explained as (
    select
        *,
        previous_settlement_ts is not null and clean_interval_h is null as is_gap,
        round(hours_since_previous / interval_before_h) as intervals_passed
    from in_force
)

select
    venue,
    symbol,
    settlement_ts,
    previous_settlement_ts,
    funding_rate,
    hours_since_previous,
    case
        when not is_gap then clean_interval_h
        when abs(hours_since_previous - intervals_passed * interval_before_h) <= 1 / 30.0 then interval_before_h
    end as interval_h,
    is_gap,
    case
        when not is_gap then 0
        when interval_h is not null then (intervals_passed - 1)::bigint
    end as missing_settlements,
    not is_gap and coalesce(clean_interval_h <> interval_before_h, false) as is_interval_change,
    available_at
from explained
union all
select
    'bybit',
    symbol,
    settlement_ts,
    previous_settlement_ts,
    funding_rate,
    hours_since_previous,
    interval_h,
    is_gap,
    missing_settlements,
    is_interval_change,
    available_at
from int_bybit__funding_intervals
