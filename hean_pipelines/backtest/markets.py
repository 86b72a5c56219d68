"""Contracts a backtest knows by name, and the synthetic markets that stand for them.

Here belong steps and start prices. What is planted is `models.simulation.order_flow.scenarios`, how a market behaves is the rest
of that package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from models.errors import ConfigError
from models.simulation.order_flow.parameters import OrderFlowParameters
from models.simulation.order_flow.scenarios import SCENARIOS
from models.simulation.slow_market.parameters import SlowMarketParameters
from models.simulation.slow_market.scenarios import SCENARIOS as SLOW_SCENARIOS
from models.simulation.slow_market.symbols import SYMBOLS

MINIMUM_ORDER_USD: Final = 5.0
"""Bybit's least order value of USDT perpetuals."""
DEFAULT_SYMBOL: Final = "XRPUSDT"
"""Its lot is small enough for 2 % of a 500 USD account; one lot of BTCUSDT is not."""


BASE_SYMBOL: Final = "BTCUSDT"
"""Whose turnover every synthetic market of ticks has."""


@dataclass(frozen=True)
class Contract:
    """Steps of a linear perpetual on Bybit, and the price its synthetic market starts at (quote, base, quote)."""

    tick_size: float
    lot_size: float
    start_price: float


CONTRACTS: Final = {
    "BTCUSDT": Contract(0.1, 0.001, 60_000.0),
    "DOGEUSDT": Contract(0.00001, 1.0, 0.2),
    "ETHUSDT": Contract(0.01, 0.01, 3_000.0),
    "SOLUSDT": Contract(0.01, 0.1, 150.0),
    "XRPUSDT": Contract(0.0001, 0.1, 2.0),
}


def contract_of(symbol: str) -> Contract:
    """Return a contract's steps.

    Raises
    ------
    ConfigError
        When it is not known here.

    """
    if symbol not in CONTRACTS:
        raise ConfigError(
            f"symbol: expected one of {', '.join(CONTRACTS)}, was {symbol!r}",
            remedy="for a recording of another contract pass its --tick-size and --lot-size",
        )
    return CONTRACTS[symbol]


def synthetic_market(symbol: str, scenario: str) -> OrderFlowParameters:
    """Return the synthetic market of a symbol: that of BTCUSDT at another price, worth the same in USD.

    Raises
    ------
    ConfigError
        When symbol or scenario is unknown.

    """
    if scenario not in SCENARIOS:
        raise ConfigError(f"scenario: expected one of {', '.join(SCENARIOS)}, was {scenario!r}")
    contract, market = contract_of(symbol), SCENARIOS[scenario]()
    if symbol != BASE_SYMBOL:
        market = _scaled(market, contract)
    return market


def slow_market(symbol: str, scenario: str) -> SlowMarketParameters:
    """Return the slow synthetic market of a scenario.

    Raises
    ------
    ConfigError
        When symbol or scenario is unknown.

    """
    if symbol not in SYMBOLS:
        raise ConfigError(f"symbol: expected one of {', '.join(SYMBOLS)}, was {symbol!r}")
    if scenario not in SLOW_SCENARIOS:
        raise ConfigError(f"scenario: expected one of {', '.join(SLOW_SCENARIOS)}, was {scenario!r}")
    return SLOW_SCENARIOS[scenario]()


def _scaled(market: OrderFlowParameters, contract: Contract) -> OrderFlowParameters:
    """Keep values in USD and spreads in bps, the latter not under a tick."""
    bases = market.start_price / contract.start_price
    per_tick = (market.tick_size / market.start_price) / (contract.tick_size / contract.start_price)
    calm, normal, stressed = (max(1.0, float(round(s * per_tick))) for s in market.regime_spread_ticks)
    return market._replace(
        tick_size=contract.tick_size,
        lot_size=contract.lot_size,
        start_price=contract.start_price,
        trade_size_median=market.trade_size_median * bases,
        regime_touch_depth=tuple(depth * bases for depth in market.regime_touch_depth),
        regime_spread_ticks=(calm, normal, stressed),
        open_interest=market.open_interest * bases,
    )
