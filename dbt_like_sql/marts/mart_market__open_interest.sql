-- description: Open interest of every venue in coins and in USD. Venues state it in units of their contract: of a thousand
--   coins where the price is for a thousand, of `contract_value` coins at OKX, of a dollar where inverse. Bybit states no
--   money: its USD are at the close of the last five-minute bar known then, null without one.
-- grain: one row per venue, symbol, sample and source
-- keys: venue, symbol, ts, source
-- columns:
--   venue: bybit, binance or okx
--   symbol: the venue's own name
--   canonical: coin/quote, the same on every venue
--   ts: ns UTC, instant of the sample
--   source: history, metrics (Binance's archive) or snapshot
--   stated: as the venue states it, in its units
--   coins: coins, longs plus shorts as the venue counts them
--   usd: quote currency
--   venue_coins: coins as the venue itself states them; null where it does not
--   available_at: ns UTC, first instant the row could be known
with okx as (
    select
        interest.symbol,
        interest.seen_at as ts,
        interest.contracts,
        interest.contracts * rules.contract_value as value,
        interest.coins,
        interest.usd,
        greatest(interest.available_at, rules.available_at) as available_at
    from stg_okx__open_interest as interest
    asof left join stg_okx__instruments as rules
        on interest.symbol = rules.symbol and interest.available_at >= rules.available_at
),

priced as (
    select
        interest.symbol,
        interest.ts,
        interest.open_interest,
        bars.close,
        interest.available_at
    from stg_bybit__open_interest as interest
    asof left join stg_bybit__perp_klines as bars
        on interest.symbol = bars.symbol and interest.available_at >= bars.available_at
),

samples as (
    select
        'bybit' as venue,
        symbol,
        ts,
        'history' as source,
        open_interest as stated,
        open_interest as value,
        open_interest * close as usd,
        open_interest / close as inverse_coins,
        null::double as venue_coins,
        available_at
    from priced
    union all
    select 'binance', symbol, ts, 'history', open_interest, open_interest, open_interest_usd, null, null, available_at
    from stg_binance__open_interest
    union all
    select 'binance', symbol, ts, 'metrics', open_interest, open_interest, open_interest_usd, null, null, available_at
    from stg_binance__metrics
    where open_interest is not null
    union all
    select 'okx', symbol, ts, 'snapshot', contracts, value, usd, coins, coins, available_at
    from okx
)

select
    venue,
    symbol,
    canonical,
    ts,
    source,
    stated,
    case when is_inverse then inverse_coins else value * multiplier end as coins,
    case when is_inverse then value else usd end as usd,
    venue_coins,
    samples.available_at
from samples
inner join mart_market__symbols as symbols using (venue, symbol)
