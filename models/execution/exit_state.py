"""What only the entry of a position knew, kept for its exit; and its JSON values.

Here belong the record and how it is made. What follows from it is decided in `exits.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from models.execution.sight import MarketSight

_MINUTE_S: Final = 60.0


@dataclass(frozen=True)
class ExitState:
    """What the entry knew: signed side, average price, size, time, whether in a true trend, sigma (NaN: unknown)."""

    side: int
    entry_price: Decimal
    entry_qty: Decimal
    entered_ns: int
    is_trend: bool
    sigma: float


def entered(
    side: int, price: Decimal, qty: Decimal, entered_ns: int, held_s: float, sight: MarketSight | None
) -> ExitState:
    """Return the state of a position just entered.

    Parameters
    ----------
    side : int
    price, qty : Decimal
        Average price and size.
    entered_ns : int
    held_s : float
        How long the plan means to hold it, see `exits.planned_s`. Returns of a minute are taken as independent: sigma over
        this time is theirs times the root of its minutes.
    sight : MarketSight or None
        Without it no trend and no sigma are known.

    """
    if sight is None:
        return ExitState(side, price, qty, entered_ns, False, math.nan)
    sigma = sight.sigma_minute * math.sqrt(max(held_s, 0.0) / _MINUTE_S)
    return ExitState(side, price, qty, entered_ns, sight.is_trend, sigma)


def dump_exit_state(state: ExitState) -> dict[str, object]:
    """Return the state as plain JSON values."""
    sigma = None if math.isnan(state.sigma) else state.sigma
    return {
        "side": state.side,
        "entry_price": str(state.entry_price),
        "entry_qty": str(state.entry_qty),
        "entered_ns": state.entered_ns,
        "is_trend": state.is_trend,
        "sigma": sigma,
    }


def load_exit_state(body: Mapping[str, object]) -> ExitState:
    """Read what `dump_exit_state` wrote; raises KeyError, TypeError or ValueError for anything else."""
    sigma = body["sigma"]
    return ExitState(
        side=int(str(body["side"])),
        entry_price=Decimal(str(body["entry_price"])),
        entry_qty=Decimal(str(body["entry_qty"])),
        entered_ns=int(str(body["entered_ns"])),
        is_trend=body["is_trend"] is True,
        sigma=math.nan if sigma is None else float(str(sigma)),
    )
