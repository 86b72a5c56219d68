"""What the gates are told beside a signal: its market, the account, the policy. Gathered here, judged in `models.gates`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hean_live.app.bank.sizing import BankRules
from hean_live.app.policy import PolicyView
from hean_live.app.snapshot import Snapshot
from hean_live.shadow.records import BankSignal
from models.execution.market_gates import PriceHistory
from models.execution.sight import MarketSight
from models.gates.market_facts import market_facts
from models.gates.memory import BankMemory
from models.gates.records import AccountFacts, Facts, Fees, PolicyFacts, Standing
from models.learning.roster import canonical
from models.portfolio.limits import Breach
from models.portfolio.rotator import Rotation

_SEEN: Final = (
    "vpin",
    "kyle_lambda_z",
    "flow_imbalance",
    "whale_cvd",
    "whale_intensity",
    "retail_imbalance",
    "hurst_label",
    "hurst_label_finer",
)


@dataclass(frozen=True)
class Requests:
    """Orders the venue has not told the fate of, by strategy id, and how many may be sent now."""

    in_flight: Mapping[str, int]
    free: int


def facts_of(
    signal: BankSignal,
    snapshot: Snapshot,
    sight: MarketSight,
    rotation: Rotation,
    memory: BankMemory,
    btc: PriceHistory,
    requests: Requests,
    rules: BankRules,
) -> Facts:
    """Return what every gate may ask about a signal."""
    features = {name: signal.features.get(name, math.nan) for name in _SEEN}
    return Facts(
        snapshot.now_ns,
        market_facts(features, sight, btc),
        AccountFacts(
            _fees(snapshot, _symbols(signal), rules),
            memory.entries,
            {canonical(system): count for system, count in requests.in_flight.items()},
            requests.free,
        ),
        _policy_facts(snapshot.policy, signal.strategy, _symbols(signal)),
        rotation,
    )


def sight_of(signal: BankSignal) -> MarketSight:
    """Return what the signal itself says of its market, where the streams say nothing."""
    return MarketSight(
        book_at_ns=signal.at_ns,
        book_valid=True,
        open_interest_at_ns=0,
        spread_bps=signal.features.get("spread_bps", math.nan),
        vpin_rank=signal.features.get("vpin_rank", math.nan),
    )


def _symbols(signal: BankSignal) -> tuple[str, ...]:
    return (signal.symbol, signal.partner) if signal.partner else (signal.symbol,)


def _fees(snapshot: Snapshot, symbols: tuple[str, ...], rules: BankRules) -> dict[str, Fees]:
    known = {symbol: snapshot.taker_fees[symbol] for symbol in symbols if symbol in snapshot.taker_fees}
    return {symbol: Fees(1e4 * float(rules.maker_fee), 1e4 * float(taker)) for symbol, taker in known.items()}


def _policy_facts(policy: PolicyView, strategy: str, symbols: tuple[str, ...]) -> PolicyFacts:
    breach = policy.breach(strategy)
    standing = Standing("live", "promoted") if breach is None else _standing(breach)
    return PolicyFacts(
        {symbol: policy.slippage_buffer_bps(symbol) for symbol in symbols},
        {symbol: policy.size_factor(symbol) for symbol in symbols},
        {strategy: standing},
    )


def _standing(breach: Breach) -> Standing:
    return Standing("vetoed" if breach.reason == "VETOED" else "shadow", breach.arithmetic)
