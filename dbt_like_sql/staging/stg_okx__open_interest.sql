-- description: Open interest each time it was looked at: in contracts, and what the venue makes of them.
-- grain: one row per symbol and look
-- keys: symbol, seen_at
-- columns:
--   symbol: the venue's name of the perpetual
--   seen_at: ns UTC, when it was asked
--   contracts: contracts of `contract_value` each
--   coins: coins, as the venue states
--   usd: USD, as the venue states
--   available_at: ns UTC, when it was asked
select
    symbol,
    seen_at,
    contracts,
    coins,
    usd,
    available_at
from raw_okx__snapshot_open_interest
where isfinite(contracts)
