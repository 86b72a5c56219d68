-- description: Positions closed by force, by hour and side, from recorded streams. A recording has holes while the recorder
--   was off; hours without a row are hours without a recorded liquidation, not proof that there was none. Money is at the
--   bankruptcy price.
-- grain: one row per venue, symbol, hour and side
-- keys: venue, symbol, ts, liquidated_side
-- columns:
--   venue: bybit
--   symbol: the venue's own name
--   canonical: coin/quote, the same on every venue
--   ts: ns UTC, begin of the hour
--   liquidated_side: +1 longs were closed by force, -1 shorts
--   orders: forced orders
--   coins: coins
--   usd: quote currency
--   largest_usd: quote currency, the largest of them
--   available_at: ns UTC, when the last of them was known
select
    'bybit' as venue,
    symbol,
    canonical,
    ts // 3600000000000 * 3600000000000 as ts,
    liquidated_side,
    count(*) as orders,
    sum(size * multiplier order by forced.ts, seq) as coins,
    sum(price * size order by forced.ts, seq) as usd,
    max(price * size) as largest_usd,
    max(forced.available_at) as available_at
from stg_bybit__liquidations as forced
inner join mart_market__symbols as symbols using (symbol)
where symbols.venue = 'bybit'
group by all
