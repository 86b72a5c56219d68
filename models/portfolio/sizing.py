"""Position sizing (P5): risk budget, capital share, Kelly cap and volatility scale, rounded once toward zero.

Here belongs the arithmetic from limits to a quantity, in `Decimal`, with its words. What else may forbid an
order (stale data, exposure, clock) is the business of `models.portfolio.limits`; where equity and prices come
from, of the shells.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

ONE = Decimal(1)


@dataclass(frozen=True)
class SizeRequest:
    """What a position's size depends on.

    Attributes
    ----------
    equity : Decimal
        Account equity, USD.
    price : Decimal
        Entry price, USD per unit.
    stop_fraction : Decimal
        Distance of the stop from the entry, fraction of the price (0.02 = 2 %).
    risk_fraction : Decimal
        Share of the equity that may be lost at the stop (0.01 = 1 %).
    capital_fraction : Decimal
        Share of the equity that may be bound as initial margin (0.03 = 3 %).
    leverage : Decimal
        Leverage of the symbol; margin × leverage is the notional allowed.
    qty_step, min_qty : Decimal
        Lot step and smallest lot of the instrument, units.
    min_notional : Decimal
        Smallest order value of the instrument, USD.
    kelly_fraction : Decimal or None
        Notional over equity allowed by (fractional) Kelly; None where no track record exists.
    volatility_scale : Decimal
        Factor in [0, 1] on the risk and capital budgets.

    """

    equity: Decimal
    price: Decimal
    stop_fraction: Decimal
    qty_step: Decimal
    min_qty: Decimal
    min_notional: Decimal
    risk_fraction: Decimal = Decimal("0.01")
    capital_fraction: Decimal = ONE
    leverage: Decimal = ONE
    kelly_fraction: Decimal | None = None
    volatility_scale: Decimal = ONE


@dataclass(frozen=True)
class Sized:
    """A quantity that may be traded: `qty` units, `notional` and `risk` in USD, and which limit bound it."""

    qty: Decimal
    notional: Decimal
    risk: Decimal
    bound_by: str
    arithmetic: str


@dataclass(frozen=True)
class SizerZero:
    """No quantity may be traded; `smallest_qty` is the least the venue takes, `smallest_risk` its loss."""

    smallest_qty: Decimal
    smallest_risk: Decimal
    unrounded_qty: Decimal
    arithmetic: str
    reason: str = "SIZER_ZERO"


def round_toward_zero(qty: Decimal, step: Decimal) -> Decimal:
    """Round a non-negative quantity down to a multiple of the lot step.

    Parameters
    ----------
    qty, step : Decimal
        Units; `step` > 0.

    Returns
    -------
    Decimal
        Largest multiple of `step` not above `qty`, with the step's own exponent.

    """
    return (qty / step).to_integral_value(rounding=ROUND_FLOOR) * step


def smallest_tradable(price: Decimal, qty_step: Decimal, min_qty: Decimal, min_notional: Decimal) -> Decimal:
    """Smallest quantity that satisfies both the lot and the notional minimum.

    Parameters
    ----------
    price : Decimal
        USD per unit, > 0.
    qty_step, min_qty : Decimal
        Units.
    min_notional : Decimal
        USD.

    Returns
    -------
    Decimal
        Units, a multiple of `qty_step`.

    """
    least = max(min_qty, min_notional / price)
    return (least / qty_step).to_integral_value(rounding=ROUND_CEILING) * qty_step


def size_position(request: SizeRequest) -> Sized | SizerZero:
    """Turn budgets into a quantity, or refuse with the arithmetic.

    Parameters
    ----------
    request : SizeRequest

    Returns
    -------
    Sized or SizerZero
        `SizerZero` whenever the budgets do not reach the smallest lot: a quantity is never rounded up.

    Raises
    ------
    ValueError
        If a price, step, stop or fraction is out of its range.

    Examples
    --------
    >>> size_position(SizeRequest(Decimal(10000), Decimal(60000), Decimal("0.02"), Decimal("0.001"),
    ...               Decimal("0.001"), Decimal(5))).qty
    Decimal('0.083')

    """
    _check(request)
    budgets = _notional_budgets(request)
    bound_by = min(budgets, key=lambda name: budgets[name])
    unrounded = max(budgets[bound_by], Decimal(0)) / request.price
    qty = round_toward_zero(unrounded, request.qty_step)
    words = _words(request, budgets, bound_by, unrounded)
    # Two minima, two messages: a venue refuses for either, and the remedy differs.
    if qty < request.min_qty:
        return _zero(request, unrounded, f"{words} < minimum quantity {request.min_qty}")
    if qty * request.price < request.min_notional:
        return _zero(
            request,
            unrounded,
            f"{words}, rounded {qty} is worth {_usd(qty * request.price)}"
            f" < minimum notional {request.min_notional} USD",
        )
    risk = qty * request.price * request.stop_fraction
    return Sized(
        qty, qty * request.price, risk, bound_by, f"{words}, rounded {qty}, loss at the stop {_usd(risk)}"
    )


def _notional_budgets(request: SizeRequest) -> dict[str, Decimal]:
    scaled = request.equity * request.volatility_scale
    budgets = {
        "risk": scaled * request.risk_fraction / request.stop_fraction,
        "capital": scaled * request.capital_fraction * request.leverage,
    }
    if request.kelly_fraction is not None:
        budgets["kelly"] = request.equity * request.kelly_fraction
    return budgets


def _words(request: SizeRequest, budgets: dict[str, Decimal], bound_by: str, unrounded: Decimal) -> str:
    limits = ", ".join(f"{name} {_usd(value)}" for name, value in budgets.items())
    return (
        f"equity {_usd(request.equity)}, risk {request.risk_fraction * 100:f} % at a stop of"
        f" {request.stop_fraction * 100:f} %, capital {request.capital_fraction * 100:f} % × leverage"
        f" {request.leverage:f}, volatility scale {request.volatility_scale:f}: notional allowed by {limits};"
        f" {bound_by} binds: {unrounded:.8f} at {request.price}"
    )


def _zero(request: SizeRequest, unrounded: Decimal, words: str) -> SizerZero:
    smallest = smallest_tradable(request.price, request.qty_step, request.min_qty, request.min_notional)
    risk = smallest * request.price * request.stop_fraction
    budget = request.equity * request.risk_fraction * request.volatility_scale
    relation = ">" if risk > budget else "<="
    return SizerZero(
        smallest_qty=smallest,
        smallest_risk=risk,
        unrounded_qty=unrounded,
        arithmetic=(
            f"{words}; the smallest tradable lot {smallest} binds {_usd(smallest * request.price)} and risks"
            f" {_usd(risk)} {relation} {_usd(budget)}"
        ),
    )


def _usd(value: Decimal) -> str:
    return f"{value:.2f} USD"


def _check(request: SizeRequest) -> None:
    positive = {
        "price": request.price,
        "qty_step": request.qty_step,
        "leverage": request.leverage,
        "stop_fraction": request.stop_fraction,
    }
    for name, value in positive.items():
        if not value > 0:
            raise ValueError(f"{name} should be positive, was {value}")
    for name, value in {
        "risk_fraction": request.risk_fraction,
        "capital_fraction": request.capital_fraction,
        "volatility_scale": request.volatility_scale,
    }.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name} should be a fraction in [0, 1], was {value}")
