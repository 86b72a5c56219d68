"""A candidate that every gate lets pass, and facts to change one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from models.execution.market_gates import PriceHistory, PricePoint
from models.execution.sight import MarketSight
from models.gates.records import (
    NANOSECONDS,
    AccountFacts,
    Candidate,
    Facts,
    Fees,
    MarketFacts,
    PolicyFacts,
    Standing,
)
from models.portfolio.rotator import BOTH, Activation, Rotation

SYMBOL = "ETHUSDT"
DAY = 20_000 * 86_400 * NANOSECONDS
NOON = DAY + 12 * 3_600 * NANOSECONDS

SIGHT = MarketSight(
    book_at_ns=NOON,
    book_valid=True,
    open_interest_at_ns=NOON,
    spread_bps=2.0,
    median_spread_bps=2.0,
    vpin_rank=0.3,
)
MARKET = MarketFacts(
    SIGHT,
    vpin=0.2,
    kyle_lambda_z=0.0,
    flow_imbalance=0.0,
    whale_cvd_usd=0.0,
    whale_intensity=0.0,
    retail_imbalance=0.0,
    hurst="TRUE_TREND",
    hurst_finer="TRUE_TREND",
    btc=PriceHistory(
        (PricePoint(NOON - 1800 * NANOSECONDS, 60000.0),), PricePoint(NOON - 1 * NANOSECONDS, 60000.0)
    ),
)
ACCOUNT = AccountFacts(fees={SYMBOL: Fees(2.0, 5.5)}, free_slots=8)
POLICY = PolicyFacts(
    standings={
        name: Standing("live", "promoted")
        for name in ("impulse_engine", "impact_reversion", "inventory_neutral_mm", "funding_pressure")
    }
)
ROTATION = Rotation(
    "IMPULSE_MARKUP",
    0,
    {
        name: Activation(BOTH, False, "active")
        for name in ("impulse_engine", "impact_reversion", "inventory_neutral_mm", "funding_pressure")
    },
)
FACTS = Facts(NOON, MARKET, ACCOUNT, POLICY, ROTATION)
FINE = Candidate("impulse_engine", SYMBOL, 1, NOON, expected_edge_bps=20.0, horizon_s=300.0)


def facts(
    market: dict[str, Any] | None = None,
    sight: dict[str, Any] | None = None,
    account: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    **own: Any,
) -> Facts:
    """`FACTS` with some changed."""
    changed = replace(MARKET, **{"sight": replace(SIGHT, **(sight or {})), **(market or {})})
    return replace(
        FACTS,
        **{
            "market": changed,
            "account": replace(ACCOUNT, **(account or {})),
            "policy": replace(POLICY, **(policy or {})),
            **own,
        },
    )


def fine(**change: Any) -> Candidate:
    """`FINE` with some changed."""
    return replace(FINE, **change)
