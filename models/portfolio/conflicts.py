"""Conflicts (P3): of all that want to enter one symbol, and what is already there, at most one remains.

Two strategies on one symbol would pay twice to hold one position, or pay to hold none; and the venue knows a single position per
symbol, so that neither could be told apart. What does not belong here: whether either of them may trade at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from models.portfolio.roster import place_of

CONFLICT: Final = "CONFLICT"


@dataclass(frozen=True)
class Contender:
    """A strategy that wants to enter a symbol.

    Attributes
    ----------
    strategy, symbol : str
    side : int
        +1 long, -1 short, 0 both.
    value_per_risk : float
        Expected value net of costs over what is lost at the stop, both in one unit; NaN, where unknown, is below everything.

    """

    strategy: str
    symbol: str
    side: int
    value_per_risk: float


@dataclass(frozen=True)
class Holder:
    """Who has a position or working orders on a symbol, and on which side (0: both)."""

    strategy: str
    side: int


@dataclass(frozen=True)
class Loser:
    """A contender that may not enter, the `reason` code and the `words`."""

    contender: Contender
    words: str
    reason: str = CONFLICT


def resolve_conflicts(
    contenders: Sequence[Contender], holders: Mapping[str, Holder]
) -> tuple[list[Contender], list[Loser]]:
    """Let at most one strategy enter each symbol.

    Parameters
    ----------
    contenders : sequence of Contender
    holders : mapping of str to Holder
        By symbol. Whoever holds a symbol keeps it: others lose, whatever they are worth. The holder itself may add on its own
        side, which the limits bound, and not turn round before it has left.

    Returns
    -------
    winners : list of Contender
        At most one a symbol, in the order given.
    losers : list of Loser

    Raises
    ------
    ConfigError
        For a strategy that is not in the roster.

    Notes
    -----
    The highest value per risk wins; of equal ones the first in the roster, then short before both before long.

    """
    best: dict[str, Contender] = {}
    for contender in sorted(contenders, key=_rank):
        if contender.symbol not in holders:
            best.setdefault(contender.symbol, contender)
    winners: list[Contender] = []
    losers: list[Loser] = []
    taken: set[str] = set()
    for contender in contenders:
        holder, first = holders.get(contender.symbol), best.get(contender.symbol)
        if contender.symbol in taken:
            losers.append(Loser(contender, f"{contender.symbol} was given to {contender.strategy} already"))
        elif holder is not None and not _may_add(contender, holder):
            losers.append(Loser(contender, f"{_name(holder.strategy, holder.side)} holds {contender.symbol}"))
        elif first is not None and contender != first:
            losers.append(Loser(contender, _lost(contender, first)))
        else:
            winners.append(contender)
            taken.add(contender.symbol)
    return winners, losers


def _may_add(contender: Contender, holder: Holder) -> bool:
    return contender.strategy == holder.strategy and contender.side == holder.side


def _rank(contender: Contender) -> tuple[float, int, int]:
    return (-_known(contender.value_per_risk), place_of(contender.strategy), contender.side)


def _known(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def _lost(loser: Contender, winner: Contender) -> str:
    own, other = loser.value_per_risk, winner.value_per_risk
    relation = "comes after" if _known(own) == _known(other) else "<"
    return (
        f"{_name(loser.strategy, loser.side)} at {own:.3f} value per risk {relation}"
        f" {_name(winner.strategy, winner.side)} at {other:.3f} on {loser.symbol}"
    )


def _name(strategy: str, side: int) -> str:
    return f"{strategy} ({ {1: 'long', -1: 'short'}.get(side, 'both sides') })"
