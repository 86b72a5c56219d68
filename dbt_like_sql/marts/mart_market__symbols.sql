-- description: What every venue's symbol is: one canonical name for a coin and its quote, whatever the venue calls it, and
--   how many coins a quoted price is for. The rule is that of models/market/symbols.py. Names that are not of a perpetual
--   are left out. How many coins an OKX contract holds is no matter of its name: see its instruments.
-- grain: one row per venue and symbol
-- keys: venue, symbol
-- columns:
--   venue: bybit, binance or okx
--   symbol: the venue's own name
--   canonical: coin/quote, the same on every venue
--   coin: base coin without multiplier
--   quote: USDT, USDC or USD
--   multiplier: coins a quoted price is for, 1000 for 1000PEPEUSDT
--   is_inverse: true where settled in the coin
--   available_at: ns UTC, when the name was first seen
with named as (
    select 'bybit' as venue, symbol, available_at from stg_bybit__funding
    union all
    select 'bybit', symbol, available_at from stg_bybit__perp_klines
    union all
    select 'bybit', symbol, available_at from stg_bybit__open_interest
    union all
    select 'bybit', symbol, available_at from stg_bybit__account_ratio
    union all
    select 'bybit', symbol, available_at from stg_bybit__instruments
    union all
    select 'bybit', symbol, available_at from stg_bybit__liquidations
    union all
    select 'binance', symbol, available_at from stg_binance__funding
    union all
    select 'binance', symbol, available_at from stg_binance__perp_klines
    union all
    select 'binance', symbol, available_at from stg_binance__premium_index
    union all
    select 'binance', symbol, available_at from stg_binance__open_interest
    union all
    select 'binance', symbol, available_at from stg_binance__metrics
    union all
    select 'binance', symbol, available_at from stg_binance__account_ratio
    union all
    select 'binance', symbol, available_at from stg_binance__book_depth
    union all
    select 'binance', symbol, available_at from stg_binance__funding_now
    union all
    select 'binance', symbol, available_at from stg_binance__instruments
    union all
    select 'okx', symbol, available_at from stg_okx__funding
    union all
    select 'okx', symbol, available_at from stg_okx__funding_now
    union all
    select 'okx', symbol, available_at from stg_okx__open_interest
    union all
    select 'okx', symbol, available_at from stg_okx__instruments
),

seen as (
    select venue, symbol, min(available_at) as available_at
    from named
    group by venue, symbol
),

split as (
    select
        *,
        case venue
            when 'okx' then '^([A-Z0-9]+)-(USDT|USDC|USD)-SWAP(_PERP)?$'
            else '^([A-Z0-9]+?)(USDT|USDC|USD)(_PERP)?$'
        end as pattern,
        regexp_extract(symbol, pattern, 1) as base,
        regexp_extract(symbol, pattern, 2) as quote
    from seen
),

multiplied as (
    select
        *,
        -- A coin's own name may begin with digits (1INCH): only powers of ten from a thousand up are multipliers.
        nullif(regexp_extract(base, '^(10{3,}|1M)[A-Z]', 1), '') as prefix,
        case when prefix is null then nullif(regexp_extract(base, '[A-Z](10{3,})$', 1), '') end as suffix,
        case
            when prefix is not null then right(base, length(base) - length(prefix))
            when suffix is not null then left(base, length(base) - length(suffix))
            else base
        end as coin
    from split
    where base <> ''
)

select
    venue,
    symbol,
    coin || '/' || quote as canonical,
    coin,
    quote,
    case when prefix = '1M' then 1000000 else coalesce(prefix::bigint, suffix::bigint, 1) end as multiplier,
    quote = 'USD' as is_inverse,
    available_at
from multiplied
