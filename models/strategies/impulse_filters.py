"""The twelve filters of S7, and the thirteenth: each a compiled function with a name, all of them together a bit mask.

What is asked about is an impulse: a move of the mid over a window (`Impulse`). Every filter takes the same four things: the
market, the impulse, the side that would be traded, and the parameters of S7; it says whether it lets the trade pass, and
nothing passes on NaN. `filters_passed` asks all of them, so that each can be measured on its own: how often it passes, and
what follows where it alone blocks. Filter 13 is VPIN: it says with the move, against it, or not at all, and how large.

What does not belong here: measuring the impulse, and trading (`impulse_engine.py`).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from numba import njit

from models.regimes.kernel import HIGH_ENTROPY, MARKDOWN, MARKUP, UNKNOWN
from models.strategies.one_trade import beats_costs

# Bits, in the order of the cascade.
MOMENTUM: Final = 1 << 0
STEADY: Final = 1 << 1
FRESH: Final = 1 << 2
SPREAD: Final = 1 << 3
LIQUIDITY: Final = 1 << 4
VOLATILITY: Final = 1 << 5
VOLUME: Final = 1 << 6
ORDER_FLOW: Final = 1 << 7
TAKER_FLOW: Final = 1 << 8
DEPTH: Final = 1 << 9
REGIME: Final = 1 << 10
EDGE: Final = 1 << 11
VPIN: Final = 1 << 12

ALL_PASSED: Final = (1 << 13) - 1

FILTER_NAMES: Final = {
    MOMENTUM: "MOMENTUM",
    STEADY: "STEADY",
    FRESH: "FRESH",
    SPREAD: "SPREAD",
    LIQUIDITY: "LIQUIDITY",
    VOLATILITY: "VOLATILITY",
    VOLUME: "VOLUME",
    ORDER_FLOW: "ORDER_FLOW",
    TAKER_FLOW: "TAKER_FLOW",
    DEPTH: "DEPTH",
    REGIME: "REGIME",
    EDGE: "EDGE",
    VPIN: "VPIN",
}

WITH_MOVE: Final = 1
AGAINST_MOVE: Final = -1
NO_WAY: Final = 0


class Impulse(NamedTuple):
    """A move of the mid and what went with it; NaN where unknown.

    Attributes
    ----------
    move : float
        Log return over the window.
    newest : float
        Log return over the newest part of it.
    efficiency : float
        |move| over the length of the path, 0 to 1.
    usual : float
        Standard deviation of the log return over a window as long, from before and during the move.
    expansion : float
        Volatility of now over the usual one.
    volume_ratio : float
        Traded notional a second of now over the day's average.

    """

    move: float
    newest: float
    efficiency: float
    usual: float
    expansion: float
    volume_ratio: float


@njit(cache=True)
def is_large(market: Any, impulse: Impulse, side: int, params: Any) -> bool:
    """MOMENTUM: the move is at least `least_sigmas` of what is usual for a window as long."""
    return bool(impulse.usual > 0.0 and abs(impulse.move) >= params.least_sigmas * impulse.usual)


@njit(cache=True)
def is_steady(market: Any, impulse: Impulse, side: int, params: Any) -> bool:
    """STEADY: the way was not much longer than the move (Kaufman's efficiency ratio)."""
    return bool(impulse.efficiency >= params.least_efficiency)


@njit(cache=True)
def is_fresh(market: Any, impulse: Impulse, side: int, params: Any) -> bool:
    """FRESH: the newest seconds went the way to be traded: the move goes on, or, to be traded against, has turned."""
    return bool(side * impulse.newest > 0.0)


@njit(cache=True)
def has_narrow_spread(market: Any, impulse: Impulse, side: int, params: Any) -> bool:
    """SPREAD: at most `most_spread_bps`."""
    return bool(market.spread_bps <= params.most_spread_bps)


@njit(cache=True)
def has_liquidity(market: Any, impulse: Impulse, side: int, params: Any) -> bool:
    """LIQUIDITY: it is not draining away: z of F6's liquidity drain ratio is at most `most_z_ldr`."""
    return bool(market.z_ldr <= params.most_z_ldr)


@njit(cache=True)
def has_volatility(market: Any, impulse: Impulse, side: int, params: Any) -> bool:
    """VOLATILITY: it has expanded to `least_expansion` of the usual."""
    return bool(impulse.expansion >= params.least_expansion)


@njit(cache=True)
def has_volume(market: Any, impulse: Impulse, side: int, params: Any) -> bool:
    """VOLUME: at least `least_volume_ratio` of the day's average."""
    return bool(impulse.volume_ratio >= params.least_volume_ratio)


@njit(cache=True)
def has_order_flow(market: Any, impulse: Impulse, side: int, params: Any) -> bool:
    """ORDER_FLOW: OFI over its window, for the side to be traded, in sizes of the touch."""
    touch = 0.5 * (market.bid_size + market.ask_size)
    return bool(touch > 0.0 and side * market.ofi_window >= params.least_ofi * touch)


@njit(cache=True)
def has_taker_flow(market: Any, impulse: Impulse, side: int, params: Any) -> bool:
    """TAKER_FLOW: takers trade that side on balance."""
    return bool(side * market.flow_imbalance >= params.least_flow)


@njit(cache=True)
def has_no_wall(market: Any, impulse: Impulse, side: int, params: Any) -> bool:
    """DEPTH: five levels of the book do not stand against it."""
    return bool(side * market.depth_imbalance >= -params.most_depth_against)


@njit(cache=True)
def suits_regime(market: Any, impulse: Impulse, side: int, params: Any) -> bool:
    """REGIME: known, with a direction, and no trend against the side to be traded."""
    regime = market.regime
    if not regime > UNKNOWN or regime == HIGH_ENTROPY:
        return False
    return bool(regime != (MARKDOWN if side > 0 else MARKUP))


@njit(cache=True)
def has_edge(market: Any, impulse: Impulse, side: int, params: Any) -> bool:
    """EDGE: the target is worth `least_edge` times what the trade costs."""
    target = params.target_share * abs(impulse.move)
    return beats_costs(target, market.spread_bps, params.fees_bps, params.least_edge)


@njit(cache=True)
def vpin_level(market: Any, params: Any) -> float:
    """Return what filter 13 looks at: VPIN's rank among the symbol's own values, or VPIN itself where `vpin_fixed` is 1."""
    return float(market.vpin if params.vpin_fixed == 1 else market.vpin_rank)


@njit(cache=True)
def vpin_way(market: Any, params: Any) -> int:
    """Return filter 13: `WITH_MOVE` above the high limit, `AGAINST_MOVE` below the low one, else `NO_WAY`."""
    level = vpin_level(market, params)
    if level > params.high_vpin:
        return WITH_MOVE
    return AGAINST_MOVE if level < params.low_vpin else NO_WAY


@njit(cache=True)
def vpin_scale(market: Any, params: Any) -> float:
    """Return the share of the full size: `least_scale` at either limit, rising evenly to 1 at the ends; 0 between or on NaN."""
    level = vpin_level(market, params)
    if level > params.high_vpin:
        depth = (level - params.high_vpin) / (1.0 - params.high_vpin)
    elif level < params.low_vpin:
        depth = (params.low_vpin - level) / params.low_vpin
    else:
        return 0.0
    return float(params.least_scale + (1.0 - params.least_scale) * depth)


@njit(cache=True)
def filters_passed(market: Any, impulse: Impulse, side: int, way: int, params: Any) -> int:
    """Ask all filters, whatever the others say.

    Parameters
    ----------
    market : record of MARKET
    impulse : Impulse
    side : int
        +1 or -1, to be traded.
    way : int
        Of `vpin_way`.
    params : impulse_engine.Params

    Returns
    -------
    int
        Bits of `FILTER_NAMES`; `ALL_PASSED` when nothing stands against the trade.

    """
    return (
        MOMENTUM * is_large(market, impulse, side, params)
        | STEADY * is_steady(market, impulse, side, params)
        | FRESH * is_fresh(market, impulse, side, params)
        | SPREAD * has_narrow_spread(market, impulse, side, params)
        | LIQUIDITY * has_liquidity(market, impulse, side, params)
        | VOLATILITY * has_volatility(market, impulse, side, params)
        | VOLUME * has_volume(market, impulse, side, params)
        | ORDER_FLOW * has_order_flow(market, impulse, side, params)
        | TAKER_FLOW * has_taker_flow(market, impulse, side, params)
        | DEPTH * has_no_wall(market, impulse, side, params)
        | REGIME * suits_regime(market, impulse, side, params)
        | EDGE * has_edge(market, impulse, side, params)
        | VPIN * (way != NO_WAY)
    )


@njit(cache=True)
def first_failed(passed: int) -> int:
    """Return the place (0 for MOMENTUM, 12 for VPIN) of the first filter of the cascade that did not pass; 13 if all did."""
    place = 0
    while place < 13 and passed & (1 << place):
        place += 1
    return place


def names_of(passed: int) -> tuple[str, ...]:
    """Return the names of the filters in a mask, in the order of the cascade."""
    return tuple(name for bit, name in FILTER_NAMES.items() if passed & bit)
