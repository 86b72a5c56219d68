-- description: Settled funding of every venue in comparable units. Intervals differ between venues and over time, so
--   rates are compared per hour; a rate needs no multiplier, it is a share of the position whatever the price is quoted for.
--   Inverse contracts pay in their coin: their canonical name ends in /USD, so none is taken for the linear one.
-- grain: one row per venue, symbol and settlement
-- keys: venue, symbol, settlement_ts
-- columns:
--   venue: bybit, binance or okx
--   symbol: the venue's own name
--   canonical: coin/quote, the same on every venue
--   is_inverse: true where settled in the coin
--   settlement_ts: ns UTC, instant of the settlement
--   funding_rate: fraction of notional for the interval, longs pay when positive
--   interval_h: hours this settlement covers; null for the first and where not known
--   is_gap: true where settlements are missing before this one
--   rate_per_hour: fraction per hour
--   rate_per_8h: fraction per 8 h, not compounded
--   rate_annualised: fraction per year of 8760 h, not compounded
--   available_at: ns UTC, first instant the row could be known
select
    venue,
    symbol,
    canonical,
    is_inverse,
    settlement_ts,
    funding_rate,
    interval_h,
    is_gap,
    funding_rate / interval_h as rate_per_hour,
    rate_per_hour * 8 as rate_per_8h,
    rate_per_hour * 8760 as rate_annualised,
    funding.available_at
from int_market__funding_intervals as funding
inner join mart_market__symbols as symbols using (venue, symbol)
