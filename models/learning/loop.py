"""One turn of the learning loops: what L1, L2, L4 and promotion found, put together into the next policy.

Here belongs the composition, used by the pipelines every four hours and by the rehearsal five hundred times. Measuring belongs to
the modules of each loop, the fence to ``bounds``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from models.learning.bounds import Bounds, bounded_step
from models.learning.gate_cost import GateCost
from models.learning.probation import Standing
from models.learning.roster import STRATEGIES
from models.learning.shares import Divide, base_shares
from models.learning.slippage import RAISE, BufferChange
from models.learning.trades import HOUR_NS
from models.portfolio.policy import (
    FREE,
    LIVE,
    SHADOW,
    GateFigure,
    Policy,
    Reason,
    StrategyPolicy,
    SymbolPolicy,
)

VALID_NS: Final = 24 * HOUR_NS
"""Six missed loops, and everything shadows."""

Decisions = Mapping[str, tuple[str, tuple[Reason, ...]]]


@dataclass(frozen=True)
class Findings:
    """What the loops found.

    Attributes
    ----------
    now_ns : int
        Market time.
    trades : int
        Closed trades there are; 0 is a cold start.
    changes : mapping of str to BufferChange
        L1, by symbol.
    standings : sequence of Standing
        L2.
    decisions : mapping of str to (state, reasons)
        G10, by strategy; one that is absent shadows.
    costs : sequence of GateCost
        L4.
    matrix_version : str
        L3.
    is_rehearsal : bool
        Whether synthetic evidence was let count.
    account : tuple of Reason
        What the division of the capital rests on, for the policy's reasons.

    """

    now_ns: int
    trades: int
    changes: Mapping[str, BufferChange] = field(default_factory=dict)
    standings: Sequence[Standing] = ()
    decisions: Decisions = field(default_factory=dict)
    costs: Sequence[GateCost] = ()
    matrix_version: str = ""
    is_rehearsal: bool = False
    account: tuple[Reason, ...] = ()


def next_policy(
    previous: Policy | None,
    found: Findings,
    *,
    divide: Divide = base_shares,
    bounds: Bounds | None = None,
) -> Policy:
    """Make the next policy.

    Parameters
    ----------
    previous : Policy or None
        In force.
    found : Findings
    divide : callable
        Shares of the equity for the strategies that are live.
    bounds : Bounds, optional

    Returns
    -------
    Policy
        A bounded step from `previous`.

    """
    proposed = Policy(
        made_at_ns=found.now_ns,
        expires_ns=found.now_ns + VALID_NS,
        is_rehearsal=found.is_rehearsal,
        matrix_version=found.matrix_version,
        reasons=_reasons(found),
        strategies=_strategies(found, divide),
        symbols=_symbols(previous, found),
        gates={cost.gate: _figure(cost) for cost in found.costs},
    )
    return bounded_step(previous, proposed, bounds)


def _reasons(found: Findings) -> tuple[Reason, ...]:
    out = []
    if not found.trades:
        out.append(
            Reason("COLD_START", "no closed trades yet: everything shadows, shares start from the base")
        )
    if found.is_rehearsal:
        out.append(Reason("REHEARSAL", "synthetic evidence counts; valid on the local testnet only"))
    live = sorted(name for name, (state, _) in found.decisions.items() if state == LIVE)
    out.append(Reason("LIVE" if live else "NOTHING_LIVE", ", ".join(live)))
    return (*out, *found.account)


def _strategies(found: Findings, divide: Divide) -> dict[str, StrategyPolicy]:
    silent = (SHADOW, (Reason("NOT_JUDGED", "promotion said nothing of it"),))
    decided = {name: found.decisions.get(name, silent) for name in (*STRATEGIES, *found.decisions)}
    shares = divide([name for name, (state, _) in decided.items() if state == LIVE])
    base = base_shares(list(decided))
    return {
        name: StrategyPolicy(
            state, (*reasons, *_without(state, shares.get(name, 0.0))), shares.get(name, 0.0), base[name]
        )
        for name, (state, reasons) in decided.items()
    }


def _without(state: str, share: float) -> tuple[Reason, ...]:
    """Say so where a strategy may trade but gets no capital: its tier does not run it, or the floors left no room."""
    if state != LIVE or share > 0.0:
        return ()
    return (Reason("NO_CAPITAL", "it may trade, but the division of this account leaves it no share"),)


def _symbols(previous: Policy | None, found: Findings) -> dict[str, SymbolPolicy]:
    standing = {each.symbol: each for each in found.standings}
    before = previous.symbols if previous else {}
    return {
        name: _symbol(
            before.get(name, SymbolPolicy()), found.changes.get(name), standing.get(name), found.now_ns
        )
        for name in sorted({*before, *found.changes, *standing})
    }


def _symbol(
    before: SymbolPolicy, change: BufferChange | None, standing: Standing | None, now_ns: int
) -> SymbolPolicy:
    reasons = [Reason(f"BUFFER_{_word(change)}", change.words)] if change else []
    if standing is not None:
        reasons.append(Reason("PROBATION" if standing.probation != FREE else "FREE", standing.words))
    has_changed = standing is not None and standing.has_changed
    return SymbolPolicy(
        slippage_buffer_bps=before.slippage_buffer_bps + (change.change_bps if change else 0.0),
        buffer_raised_ns=now_ns
        if change is not None and change.verdict == RAISE
        else before.buffer_raised_ns,
        probation=before.probation if standing is None else standing.probation,
        probation_since_ns=now_ns if has_changed else before.probation_since_ns,
        reasons=tuple(reasons),
    )


def _word(change: BufferChange) -> str:
    return change.verdict.upper().replace(" ", "_")


def _figure(cost: GateCost) -> GateFigure:
    mean, low, high = (None if math.isnan(v) else v for v in (cost.net_bps, cost.low_bps, cost.high_bps))
    return GateFigure(cost.trades, mean, low, high, cost.total_usd, cost.verdict)
