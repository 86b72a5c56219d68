"""The order-flow generator as a live symbol of the synthetic universe: its parameters, and its events a second at a time.

Here belongs scaling a listed symbol's truth (price, volatility, volume, depth) to the generator's. What the generator does is
`models.simulation.order_flow`'s.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from models.errors import ConfigError
from models.market.tape import EVENT
from models.simulation.funding_universe import SyntheticSymbol
from models.simulation.order_flow.generator import advance_order_flow, open_order_flow
from models.simulation.order_flow.parameters import MAX_LEVELS, OrderFlowParameters
from models.simulation.processes import stream

SECOND_NS = 1_000_000_000
LEVEL_GAP = 0.1e-4
"""Levels of the book are this far apart as a share of the price, or one tick where that is more."""
_CHUNK_EVENTS = 1 << 14
_TRADES_PER_MINUTE = 600.0  # of the generator's default crowd, both sides, branching included
_MEAN_OVER_MEDIAN = math.exp(0.5 * 0.8**2)
_DAILY_VOLATILITY = 0.6e-4 * math.sqrt(86_400.0)  # of the generator's default, mean regime


def flow_parameters(
    item: SyntheticSymbol,
    *,
    price: float,
    open_interest: float,
    interval_h: int,
    start_ns: int,
    activity: float = 1.0,
) -> OrderFlowParameters:
    """Parameters of a listed symbol's order flow.

    Parameters
    ----------
    item : SyntheticSymbol
    price : float
        At the start, quote per base.
    open_interest : float
        At the start, base.
    interval_h : int
        Funding interval.
    start_ns : int
    activity : float, optional
        Factor on the rates of orders and of book updates; sizes shrink by it, so that volume stays.

    Raises
    ------
    ConfigError
        `activity` is not between 0.01 and 1000.

    """
    if not 0.01 <= activity <= 1000.0:
        raise ConfigError(f"activity of the order flow must be from 0.01 to 1000, was {activity:g}")
    tick = float(item.listing.tick_size)
    lot = float(item.listing.qty_step)
    gap = tick * max(1, round(LEVEL_GAP * price / tick))
    base = OrderFlowParameters()
    loudness = item.daily_volatility / _DAILY_VOLATILITY
    median = item.minute_volume_usd / (_TRADES_PER_MINUTE * activity * _MEAN_OVER_MEDIAN * price)
    touch = item.touch_depth_usd / price
    calm, normal, stressed = base.regime_volatility_bps
    return base._replace(
        tick_size=round(gap, 8),
        lot_size=lot,
        start_price=price,
        start_ns=start_ns,
        levels=MAX_LEVELS,
        background_rate=base.background_rate * activity,
        trade_size_median=max(median, lot),
        flow_impact_bps=base.flow_impact_bps * loudness / activity,
        book_updates=base.book_updates * activity,
        regime_touch_depth=(1.2 * touch, touch, max(0.4 * touch, 2.0 * lot)),
        regime_volatility_bps=(loudness * calm, loudness * normal, loudness * stressed),
        open_interest=open_interest,
        premium_mean=item.premium.mean,
        premium_std=math.hypot(item.premium.slow_std, item.premium.fast_std),
        funding_interval_h=float(interval_h),
        funding_cap=float(item.listing.funding_cap),
    )


class OrderFlowSource:
    """Events of one symbol's order flow.

    Parameters
    ----------
    parameters : OrderFlowParameters
    symbol : str
    seed : int
        Same parameters, symbol and seed: same events, in whatever steps they are read.
    premium : float
        Premium of the perpetual over its index at the start, so that the index goes on where it was.

    """

    def __init__(self, parameters: OrderFlowParameters, symbol: str, seed: int, premium: float) -> None:
        own_seed = int(stream(seed, symbol, "order flow").integers(1 << 62))
        self._parameters = parameters
        self._world = open_order_flow(parameters, own_seed, _CHUNK_EVENTS)
        self._world.state["premium"] = premium
        self._until = parameters.start_ns

    def read(self, until_ns: int) -> NDArray[np.void]:
        """Return the next events: all up to `until_ns` and up to a second more, which saves calls."""
        if until_ns < self._until:
            return np.empty(0, dtype=EVENT)
        self._until = until_ns + SECOND_NS
        chunks = [c.events for c in advance_order_flow(self._world, self._parameters, self._until)]
        return np.concatenate([c.view(np.uint8) for c in chunks]).view(EVENT)
