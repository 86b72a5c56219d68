"""Exits (X2): a ladder of profit tiers, force-hold in a trend, and stops by price, sigma and time.

Tiers rest as reduce-only post-only orders; a stop leaves the whole position and is said, the caller carries it out. A
position entered in a true trend is held for a while: tiers below a profit are not quoted and time does not end it, while
price and sigma stops always work. The stop the venue holds is beside all this and never touched.

What a tier has sold is known from its orders, so that a restart loses nothing; `ExitState` keeps what only the entry knew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Final

from models.errors import ConfigError
from models.execution.exit_state import ExitState
from models.execution.rounding import is_tradable, passive_price
from models.market.instruments import Instrument
from models.portfolio.sizing import round_toward_zero

PRICE_STOP: Final = "price stop"
SIGMA_STOP: Final = "sigma stop"
TIME_STOP: Final = "time stop"
EMERGENCIES: Final = frozenset({PRICE_STOP, SIGMA_STOP})
_NANOSECONDS: Final = 1_000_000_000
ZERO: Final = Decimal(0)
_MOST_TIERS: Final = 9  # the last digit of an order's number tells its tier


@dataclass(frozen=True)
class Tier:
    """Sell `share` of the position at a profit of `gain`, both fractions."""

    gain: Decimal
    share: Decimal


@dataclass(frozen=True)
class ExitParams:
    """An exit plan.

    Attributes
    ----------
    tiers : tuple of Tier
        Lowest gain first; empty for none. What their shares leave waits for the time.
    hold_s : float
        How long a position entered in a true trend is held.
    hold_gain : Decimal
        Tiers below this gain are blocked meanwhile.
    longest_s : float or None
        Time stop after the entry; None leaves it to the signal's own exit time.
    price_stop : Decimal or None
        Loss per unit over the entry price at which the position is left.
    sigmas : float or None
        The same in standard deviations measured at the entry.
    requote_ticks : int
        A resting tier is replaced when its price is off by so many ticks.

    Raises
    ------
    ConfigError
        For tiers that are not in order, sell more than all, or are more than nine.

    """

    tiers: tuple[Tier, ...] = ()
    hold_s: float = 0.0
    hold_gain: Decimal = ZERO
    longest_s: float | None = None
    price_stop: Decimal | None = None
    sigmas: float | None = None
    requote_ticks: int = 1

    def __post_init__(self) -> None:
        """Check."""
        gains, shares = [tier.gain for tier in self.tiers], [tier.share for tier in self.tiers]
        if any(a >= b for a, b in pairwise([ZERO, *gains])) or len(gains) > _MOST_TIERS:
            raise ConfigError(
                f"tiers: expected at most {_MOST_TIERS} gains growing from above 0, was {gains}"
            )
        if sum(shares) > 1 or min(shares, default=ZERO) < 0:
            raise ConfigError(f"tiers: expected shares adding up to at most 1, was {shares}")


TIME_EXIT: Final = ExitParams()
LADDER: Final = ExitParams(
    tiers=tuple(Tier(Decimal(gain), Decimal("0.25")) for gain in ("0.005", "0.010", "0.015", "0.020")),
    hold_s=2700.0,
    hold_gain=Decimal("0.020"),
    price_stop=Decimal("0.02"),
    sigmas=2.5,
)
EXIT_PLANS: Final[Mapping[str, ExitParams]] = {"time": TIME_EXIT, "ladder": LADDER}


@dataclass(frozen=True)
class RestingTier:
    """An order of a tier that rests: its key, the tier's number from 0, price, and what is left of it."""

    key: str
    tier: int
    price: Decimal
    remaining: Decimal


@dataclass(frozen=True)
class ExitPosition:
    """What is held (`qty` ≥ 0), what rests, and how much the orders of each tier have sold so far."""

    qty: Decimal
    resting: Sequence[RestingTier] = ()
    sold: Mapping[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class ExitMarket:
    """Time, touch, mark and when the signal wants to be out (ns UTC)."""

    now_ns: int
    bid: Decimal
    ask: Decimal
    mark: Decimal
    exit_ns: int
    instrument: Instrument


@dataclass(frozen=True)
class TierOrder:
    """A reduce-only post-only order of a tier; `side` is that of the order."""

    tier: int
    side: int
    qty: Decimal
    price: Decimal


@dataclass(frozen=True)
class ExitStep:
    """Orders to place, keys to cancel, and why the whole position is to be left (``""`` if it is not) with figures."""

    orders: tuple[TierOrder, ...] = ()
    cancels: tuple[str, ...] = ()
    leave: str = ""
    arithmetic: str = ""


def planned_s(params: ExitParams, entered_ns: int, exit_ns: int, is_trend: bool) -> float:
    """Return how long a plan means to hold a position, seconds: to its time, and in a true trend no shorter than that."""
    until_exit_s = (exit_ns - entered_ns) / _NANOSECONDS
    longest_s = until_exit_s if params.longest_s is None else min(params.longest_s, until_exit_s)
    return max(longest_s, params.hold_s) if is_trend else longest_s


def exits(position: ExitPosition, market: ExitMarket, params: ExitParams, state: ExitState) -> ExitStep:
    """Decide on the exit of a position.

    Parameters
    ----------
    position : ExitPosition
    market : ExitMarket
    params : ExitParams
    state : ExitState

    Returns
    -------
    ExitStep
        With a reason to leave all resting tiers are cancelled and nothing is placed. Otherwise resting and placed
        orders together never exceed the position, and none of them crosses the book.

    """
    if position.qty <= 0:
        return ExitStep(cancels=tuple(order.key for order in position.resting))
    reason, arithmetic = _stop(market, params, state) or ("", "")
    if reason:
        return ExitStep((), tuple(order.key for order in position.resting), reason, arithmetic)
    wanted = _wanted(market, params, state)
    moved = params.requote_ticks * market.instrument.tick_size
    cancels = tuple(
        order.key
        for order in position.resting
        if order.tier not in wanted or abs(order.price - wanted[order.tier].price) >= moved
    )
    room = position.qty - sum((order.remaining for order in position.resting), ZERO)
    busy = {order.tier for order in position.resting}
    orders = []
    for tier, order in wanted.items():
        left = min(order.qty - position.sold.get(tier, ZERO), room)
        qty = round_toward_zero(max(left, ZERO), market.instrument.qty_step)
        if tier not in busy and is_tradable(qty, order.price, market.instrument):
            orders.append(TierOrder(tier, order.side, qty, order.price))
            room -= qty
    return ExitStep(tuple(orders), cancels)


def is_held(now_ns: int, params: ExitParams, state: ExitState) -> bool:
    """Return whether the position is held for the trend it was entered in."""
    return state.is_trend and now_ns < state.entered_ns + int(params.hold_s * _NANOSECONDS)


def _stop(market: ExitMarket, params: ExitParams, state: ExitState) -> tuple[str, str] | None:
    """Return the first reason to leave, emergencies first, with its arithmetic."""
    loss = state.side * (state.entry_price - market.mark) / state.entry_price
    words = f"{state.side:+d} × ({state.entry_price} - {market.mark}) / {state.entry_price} = {loss:.5f}"
    if params.price_stop is not None and loss >= params.price_stop:
        return PRICE_STOP, f"loss {words} >= {params.price_stop}"
    if params.sigmas is not None and state.sigma > 0:
        limit = params.sigmas * state.sigma
        if float(loss) >= limit:
            return SIGMA_STOP, f"loss {words} >= {params.sigmas:g} × {state.sigma:.5f} = {limit:.5f}"
    if is_held(market.now_ns, params, state):
        return None
    if params.longest_s is not None and market.now_ns >= state.entered_ns + int(
        params.longest_s * _NANOSECONDS
    ):
        return TIME_STOP, f"held for {(market.now_ns - state.entered_ns) / 1e9:.0f} s >= {params.longest_s:g}"
    if market.now_ns >= market.exit_ns:
        return "exit time", f"the signal's exit at {market.exit_ns} has come"
    return None


def _wanted(market: ExitMarket, params: ExitParams, state: ExitState) -> dict[int, TierOrder]:
    """Return the whole order of each tier allowed now, lowest first; a tier too small is merged into the next higher."""
    held = is_held(market.now_ns, params, state)
    tick, step, side = market.instrument.tick_size, market.instrument.qty_step, -state.side
    touch = market.bid if side > 0 else market.ask
    across = market.ask if side > 0 else market.bid
    wanted: dict[int, TierOrder] = {}
    carried, promised = ZERO, ZERO
    for number, tier in enumerate(params.tiers):
        raw = state.entry_price * (1 + state.side * tier.gain)
        price = passive_price(raw, side, tick)
        # A tier the market has passed is quoted at the touch: it must not cross.
        quoted = price if side * (across - price) > 0 else touch
        until = sum((t.share for t in params.tiers[: number + 1]), ZERO)
        qty = round_toward_zero(state.entry_qty * until, step) - promised + carried
        promised = round_toward_zero(state.entry_qty * until, step)
        # Judged at the tier's own price: what a tier holds must not depend on where the market is.
        if not is_tradable(qty, price, market.instrument):
            carried = qty
            continue
        carried = ZERO
        if not (held and tier.gain < params.hold_gain):
            wanted[number] = TierOrder(number, side, qty, quoted)
    return wanted
