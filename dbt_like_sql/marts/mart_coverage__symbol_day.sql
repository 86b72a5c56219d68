-- description: How much of each day of each dataset is in the lake. A full day is expected from the first row of the
--   symbol to the last row of the dataset; days without a file are rows with zero. Funding expects what was settled plus
--   the settlements found missing between two others. Where rows come as they come (trades, snapshots, recordings), a day
--   is complete with any row: one row is expected of a day without; holes inside such a day are not seen here.
-- grain: one row per dataset, symbol and UTC day
-- keys: dataset, symbol, date
-- columns:
--   dataset: the lake's name of the dataset
--   venue: whose data these are
--   symbol: the venue's name of the perpetual
--   date: UTC day
--   rows: rows in the lake
--   expected_rows: rows a complete lake would hold
--   share: rows / expected_rows
--   is_spaced: true where rows are expected at even distances, or at settlements
--   available_at: ns UTC, when the last row of the day was known; the end of the day where there is none
with periods as (
    select
        dataset,
        max(last_ts) as dataset_last_ts,
        -- These two periods are settings. Gaps only lengthen a day's mean step, so the shortest is the period.
        case
            when dataset in ('raw_bybit__5m_open_interest', 'raw_bybit__1h_account_ratio') then coalesce(
                min(round((last_ts - first_ts) / (rows - 1) / 300000000000) * 300000000000) filter (where rows > 1),
                300000000000
            )::bigint
            else any_value(cadence_s) * 1000000000
        end as period
    from int_coverage__day_rows
    inner join int_coverage__datasets using (dataset)
    group by dataset
),

spans as (
    select
        dataset,
        symbol,
        min(first_ts) as first_ts,
        any_value(dataset_last_ts) as last_ts,
        any_value(period) as period
    from int_coverage__day_rows
    inner join periods using (dataset)
    group by dataset, symbol
),

days as (
    select
        *,
        unnest(range(first_ts // 86400000000000, last_ts // 86400000000000 + 1)) as day
    from spans
),

expected as (
    select
        dataset,
        symbol,
        day,
        period is not null as is_spaced,
        (least(last_ts, (day + 1) * 86400000000000 - 1) - greatest(first_ts, day * 86400000000000)) // period + 1
            as spaced_rows
    from days
),

missing_settlements as (
    select
        venue,
        symbol,
        previous_settlement_ts + unnest(range(1, missing_settlements + 1)) * (interval_h * 3600000000000)::bigint
            as settlement_ts
    from int_market__funding_intervals
    where missing_settlements > 0
),

settlements as (
    select venue, symbol, settlement_ts // 86400000000000 as day, 1 as settled, available_at
    from int_market__funding_intervals
    union all
    select venue, symbol, settlement_ts // 86400000000000, 0, null
    from missing_settlements
),

complete as (
    select
        dataset,
        symbol,
        day,
        coalesce(rows, 0) as rows,
        coalesce(spaced_rows, greatest(rows, 1)) as expected_rows,
        is_spaced,
        available_at
    from expected
    left join int_coverage__day_rows using (dataset, symbol, day)
    union all
    select
        'raw_' || venue || '__settlement_funding',
        symbol,
        day,
        sum(settled)::bigint,
        count(*),
        true,
        max(available_at)
    from settlements
    group by venue, symbol, day
)

select
    dataset,
    venue,
    symbol,
    make_timestamp(day * 86400000000)::date as date,
    rows,
    expected_rows,
    rows / expected_rows as share,
    is_spaced,
    coalesce(complete.available_at, (day + 1) * 86400000000000) as available_at
from complete
inner join int_coverage__datasets using (dataset)
