"""What a shadow must know of a symbol. The record alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ShadowContract:
    """What a shadow must know of a symbol: steps, and the account's fees (fractions) and leverage.

    A leverage of 0 asks for no margin and never liquidates.
    """

    tick_size: float
    lot_size: float
    maker_fee: float
    taker_fee: float
    leverage: float = 0.0
