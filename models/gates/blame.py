"""Which gate a block is counted under, so that what a gate cost or saved is its own doing.

Here belongs that one rule. What a block cost is `models.learning.gate_cost`.
"""

from __future__ import annotations

from typing import Final

from models.gates.order import Outcome, Verdict

SEVERAL: Final = "SEVERAL"
"""Reason of a block that more than one gate would have made alone: neither may claim the outcome."""
_PERMISSIONS: Final = frozenset({"standing", "rotator"})


def sole_block(verdict: Verdict) -> Outcome | None:
    """Return what the only gate that blocked said, permissions apart; None where several blocked.

    Parameters
    ----------
    verdict : Verdict
        With at least one block. Where permissions alone blocked it is the first of them.

    """
    asked = [outcome for outcome in verdict.blocks if outcome.name not in _PERMISSIONS]
    if not asked:
        return verdict.blocks[0]
    return asked[0] if len(asked) == 1 else None


def blocked_by(verdict: Verdict) -> str:
    """Return the reason a block is counted under: of the only gate that blocked, permissions apart; `SEVERAL` else."""
    sole = sole_block(verdict)
    return SEVERAL if sole is None else sole.reason
