-- description: The premium of live mids, (perp - spot) / spot, each time both order books were looked at (once an hour by the
--   schedule; not a mean over time). `premium_sell` is what selling the perpetual and buying spot would have earned at the
--   best prices before fees, `premium_buy` what the opposite would have cost: the premium is certain only within the two.
-- grain: one row per symbol and look at which both were quoted
-- keys: symbol, ts
-- columns:
--   symbol: the venue's name of the perpetual and of its spot market
--   ts: ns UTC, when both were known
--   perp_mid: quote currency per unit
--   spot_mid: quote currency per unit
--   premium: fraction of the spot mid
--   premium_sell: fraction, perpetual's bid over spot's ask
--   premium_buy: fraction, perpetual's ask over spot's bid
--   available_at: ns UTC, when both were known
select
    symbol,
    seen_at as ts,
    (bid1_price + ask1_price) / 2 as perp_mid,
    (spot_bid1_price + spot_ask1_price) / 2 as spot_mid,
    perp_mid / spot_mid - 1 as premium,
    bid1_price / spot_ask1_price - 1 as premium_sell,
    ask1_price / spot_bid1_price - 1 as premium_buy,
    available_at
from stg_bybit__mids
where bid1_price > 0 and ask1_price > 0 and spot_bid1_price > 0 and spot_ask1_price > 0
