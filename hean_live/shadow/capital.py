"""How much capital each strategy trades in its shadow: enough that none is kept from it by the size of a lot.

Quantities and USD of what a shadow did are told as of the capital that was set (`SymbolBank`): the matrix of regimes adds up USD
over symbols and holds them against a least value, so nothing may count more because a lot is dear. What does not belong here: the
simulated orders (`models.simulation`), and the sizes of live ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from models.strategies.catalogue import CATALOGUE

LEAST_LOTS: Final = 1.5
"""Which the smallest share is to reach: the price may rise by half before it is less than one."""


@dataclass(frozen=True)
class ShadowCapital:
    """Capital each strategy trades on a symbol, USD, and why it is that much."""

    usd: float
    words: str


def least_share() -> float:
    """Return the smallest share of capital any strategy trades; one whose size varies counts with its largest."""
    named = (getattr(entry.params(), "capital_share", None) for entry in CATALOGUE.values())
    return float(min(share for share in named if share is not None))


def shadow_capital(symbol: str, set_usd: float, lot_usd: float) -> ShadowCapital:
    """Return what was set, or the next 1-2-5 step above what the symbol's lot asks for.

    Parameters
    ----------
    symbol : str
    set_usd : float
    lot_usd : float
        What the least order is worth now.

    Returns
    -------
    ShadowCapital

    """
    share = least_share()
    needed = LEAST_LOTS * lot_usd / share
    if set_usd >= needed:
        words = f"{set_usd:,.0f} USD on {symbol} as set: {100 * share:g} % of it is at least a lot"
        return ShadowCapital(set_usd, words)
    usd = _step_above(needed)
    return ShadowCapital(
        usd,
        f"{usd:,.0f} USD on {symbol} instead of {set_usd:,.0f} as set: the smallest share of a strategy, {100 * share:g} %,"
        f" should reach {LEAST_LOTS:g} lots, one of which is worth {lot_usd:,.2f} USD; results are told as of {set_usd:,.0f}",
    )


def _step_above(usd: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten: a price that moves a little gives the same capital at the next start."""
    power = 10.0 ** math.floor(math.log10(usd))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if usd <= step * power)
