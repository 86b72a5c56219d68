"""How far one loop may move the policy: the fence around everything that learns.

Here belongs clipping a proposal to a bounded step from the policy in force. A loop may propose anything, out of malice or by a
defect; what comes out of here lies within the ranges of `models.portfolio.policy`, one step from what was, and trades live only
what was promoted. Proposing belongs to ``loop``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from models.portfolio.policy import (
    FREE,
    GROUNDS_TO_TRADE,
    LIVE,
    MOST_BUFFER_BPS,
    MOST_SHARE,
    MOST_SHARES,
    MOST_VALID_NS,
    OFF,
    PROBATION,
    SHADOW,
    Policy,
    Reason,
    StrategyPolicy,
    SymbolPolicy,
)


@dataclass(frozen=True)
class Bounds:
    """Largest change in one loop.

    Attributes
    ----------
    buffer_up_bps, buffer_down_bps : float
        Of a symbol's slippage buffer, which stays within 0 and 20.
    share_step : float
        Of a live strategy's share, either way. Capital leaves a strategy that may no longer trade at once.

    """

    buffer_up_bps: float = 2.0
    buffer_down_bps: float = 1.0
    share_step: float = 0.05


def bounded_step(previous: Policy | None, proposed: Policy, bounds: Bounds | None = None) -> Policy:
    """Clip a proposal to a bounded step.

    Parameters
    ----------
    previous : Policy or None
        In force; None at a cold start, which counts as no buffers, no shares, everything in shadow.
    proposed : Policy
        Its numbers may be anything, NaN too, which counts as "no change".
    bounds : Bounds, optional

    Returns
    -------
    Policy
        Numbered after `previous`. Buffers, probation, shares and states lie within their ranges. A strategy is live only where
        its proposal names its ground (`PROMOTED`, `RETAINED`, `PINNED_LIVE`) and it was not off; a strategy or symbol that the
        proposal forgets keeps its numbers, but does not stay live.

    """
    bounds = bounds or Bounds()
    before = previous or Policy(0, 0, 0)
    strategies = {
        name: _state(before.strategies.get(name), proposed.strategies.get(name))
        for name in sorted({*before.strategies, *proposed.strategies})
    }
    shares = _shares(before, strategies, bounds)
    most_ns = proposed.made_at_ns + MOST_VALID_NS
    return replace(
        proposed,
        number=before.number + 1,
        previous=previous.digest if previous else "",
        expires_ns=min(max(proposed.expires_ns, proposed.made_at_ns), most_ns),
        strategies={name: replace(each, share=shares[name]) for name, each in strategies.items()},
        symbols={
            name: _symbol(before.symbol(name), proposed.symbols.get(name, before.symbol(name)), bounds)
            for name in sorted({*before.symbols, *proposed.symbols})
        },
    )


def _state(before: StrategyPolicy | None, proposed: StrategyPolicy | None) -> StrategyPolicy:
    if proposed is None:
        forgotten = Reason("NOT_PROPOSED", "the loop said nothing of it")
        return StrategyPolicy(
            SHADOW if before is None or before.state == LIVE else before.state, (forgotten,)
        )
    base_share = _clip(proposed.base_share, 0.0, 0.0, MOST_SHARE)
    made = replace(proposed, base_share=base_share)
    if made.state not in (LIVE, SHADOW, OFF):
        return replace(
            made, state=SHADOW, reasons=(Reason("UNKNOWN_STATE", repr(proposed.state)), *made.reasons)
        )
    if made.state != LIVE:
        return made
    if not {reason.word for reason in made.reasons} & GROUNDS_TO_TRADE:
        return replace(
            made,
            state=SHADOW,
            reasons=(Reason("NO_PROMOTION", "no ground to trade was named"), *made.reasons),
        )
    if before is not None and before.state == OFF:
        return replace(
            made, state=SHADOW, reasons=(Reason("WAS_OFF", "shadows for one loop first"), *made.reasons)
        )
    return made


def _shares(before: Policy, strategies: Mapping[str, StrategyPolicy], bounds: Bounds) -> dict[str, float]:
    """Move each live share toward its proposal; where the sum would be too much, only the increases shrink."""
    held = {
        name: before.strategy(name).share if each.state == LIVE else 0.0 for name, each in strategies.items()
    }
    moved = {}
    for name, each in strategies.items():
        wanted = _clip(each.share, held[name], 0.0, MOST_SHARE) if each.state == LIVE else 0.0
        moved[name] = _clip(wanted - held[name], 0.0, -bounds.share_step, bounds.share_step)
    excess = sum(held.values()) + sum(moved.values()) - MOST_SHARES
    up = sum(move for move in moved.values() if move > 0.0)
    if excess > 0.0 and up > 0.0:
        kept = max(1.0 - excess / up, 0.0)
        moved = {name: move * kept if move > 0.0 else move for name, move in moved.items()}
    return {name: min(max(held[name] + moved[name], 0.0), MOST_SHARE) for name in strategies}


def _symbol(before: SymbolPolicy, proposed: SymbolPolicy, bounds: Bounds) -> SymbolPolicy:
    start = before.slippage_buffer_bps
    low, high = max(start - bounds.buffer_down_bps, 0.0), min(start + bounds.buffer_up_bps, MOST_BUFFER_BPS)
    buffer = _clip(proposed.slippage_buffer_bps, start, low, high)
    factor = before.probation if math.isnan(proposed.probation) else proposed.probation
    return replace(
        proposed,
        slippage_buffer_bps=buffer,
        buffer_raised_ns=max(proposed.buffer_raised_ns, 0),
        probation=FREE if factor >= FREE else PROBATION,
        probation_since_ns=max(proposed.probation_since_ns, 0),
    )


def _clip(value: float, unknown: float, low: float, high: float) -> float:
    chosen = unknown if math.isnan(value) else value
    return min(max(chosen, low), high)
