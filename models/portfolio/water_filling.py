"""Shares in proportion to weights, none below a floor or above a cap, that sum to a given total. Pure arithmetic."""

from __future__ import annotations

import math
from collections.abc import Mapping

from models.errors import DataError
from models.portfolio.phases import normalised

_ROUNDING = 1e-9
_WEIGHTLESS = 1e-12
_NEARLY = 1.0 - 1e-12


def fill(weights: Mapping[str, float], total: float, floor: float, cap: float) -> dict[str, float]:
    """Divide `total`.

    Parameters
    ----------
    weights : mapping of str to float
        Finite, not negative; only their proportions matter. All zero counts as all alike, and less than 1e-12 of their sum
        as zero: it could not be told from rounding.
    total : float
        Not negative.
    floor, cap : float
        Of each share that is not zero; 0 <= floor <= cap.

    Returns
    -------
    dict of str to float
        A share of each name, in the order given. Their sum is `total`, or ``n × cap`` where that is less. Where
        ``n × floor`` is more than `total`, only as many as the floor allows get a share: the heaviest, and of equal ones those
        given first.

    Raises
    ------
    DataError
        For numbers out of range.

    Notes
    -----
    The shares are clip(level × weight, floor, cap) at the one level where they sum to `total`; the sum grows with the level
    along straight pieces between the levels at which a share leaves its floor or meets its cap, so the piece is found and
    solved exactly.

    """
    _check(weights, total, floor, cap)
    shares = dict.fromkeys(weights, 0.0)
    most = len(weights) if floor == 0.0 else int(total / floor + _ROUNDING)
    chosen = sorted(weights, key=lambda name: -weights[name])[:most]
    if not chosen:
        return shares
    room = min(total, len(chosen) * cap)
    parts = normalised({name: weights[name] for name in chosen})
    parts = {name: part if part > _WEIGHTLESS else 0.0 for name, part in parts.items()}
    for name, share in _levelled(parts, room, floor, cap).items():
        shares[name] = share
    return shares


def _levelled(parts: Mapping[str, float], room: float, floor: float, cap: float) -> dict[str, float]:
    def at(level: float) -> dict[str, float]:
        return {name: min(max(level * part, floor), cap) for name, part in parts.items()}

    bends = sorted({bound / part for part in parts.values() if part > 0.0 for bound in (floor, cap)})
    low = 0.0
    for bend in bends:
        if sum(at(bend).values()) <= room:
            low = bend
    shares = at(low)
    # Between this bend and the next one the same shares move, each in proportion to its part.
    moving = [name for name, part in parts.items() if floor * _NEARLY <= low * part < cap * _NEARLY]
    speed = sum(parts[name] for name in moving)
    left = room - sum(shares.values())
    if left > 0.0 and speed > 0.0:
        for name in moving:
            shares[name] = min(shares[name] + left * parts[name] / speed, cap)
    elif left > 0.0:
        # Those with weight are at their cap: the others, all at the floor, share what is left alike.
        idle = [name for name, share in shares.items() if share < cap * _NEARLY]
        for name in idle:
            shares[name] += left / len(idle)
    return shares


def _check(weights: Mapping[str, float], total: float, floor: float, cap: float) -> None:
    for name, weight in weights.items():
        if not (math.isfinite(weight) and weight >= 0.0):
            raise DataError(f"the weight of {name} should be finite and not negative, was {weight}")
    if not (math.isfinite(total) and total >= 0.0 and 0.0 <= floor <= cap < math.inf):
        raise DataError(
            f"expected total >= 0 and 0 <= floor <= cap, was total {total}, floor {floor}, cap {cap}",
            remedy="see AllocationRules",
        )
