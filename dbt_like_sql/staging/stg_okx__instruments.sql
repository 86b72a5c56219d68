-- description: The venue's contract rules, each time they were looked at.
-- grain: one row per symbol and look
-- keys: symbol, seen_at
-- columns:
--   symbol: the venue's name of the perpetual
--   seen_at: ns UTC, when it was asked
--   status: the venue's trading status
--   base_coin: the venue's name of the base
--   quote_coin: the venue's name of the quote
--   contract_value: units of the base per contract; of the quote where inverse
--   is_inverse: true where settled in the base coin
--   funding_interval_min: minutes between settlements as announced
--   launch_ts: ns UTC, first trading
--   available_at: ns UTC, when it was asked
select
    symbol,
    seen_at,
    status,
    base_coin,
    quote_coin,
    contract_value,
    is_inverse::boolean as is_inverse,
    funding_interval_min,
    launch_ts,
    available_at
from raw_okx__snapshot_instruments
