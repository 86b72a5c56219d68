"""G7: how long a strategy waits in a symbol after an entry, and how many entries it may make in a UTC day.

`Entries` are remembered here too, as a record that a journal can bring back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from models.gates.records import NANOSECONDS, Block, Candidate, Entries, Facts, Pass

DAY_NS: Final = 24 * 3_600 * NANOSECONDS


@dataclass(frozen=True)
class Pace:
    """`cooldown_s` after an entry in the same symbol; `daily_cap` of entries over all symbols."""

    cooldown_s: float
    daily_cap: int


USUAL: Final = Pace(60.0, 100)

PACES: Final[Mapping[str, Pace]] = {
    "funding_pressure": Pace(0.0, 240),  # decides once per settlement by itself: ten symbols, hourly
    "funding_harvester": Pace(4 * 3600.0, 6),
    "impact_reversion": Pace(5.0, 500),  # out after 5 s, one at a time
    "impulse_engine": Pace(120.0, 100),
    "hf_scalping": Pace(30.0, 300),
    "liquidity_sweep": Pace(900.0, 50),
    "enhanced_grid": Pace(0.0, 500),  # layers of one grid follow each other
    "inventory_neutral_mm": Pace(0.0, 3000),  # 30 s of refresh are its own
    "rebate_farmer": Pace(0.0, 500),
}
"""Cooldowns of S2, S7, S8 and S10 are those of SYSTEMS.md, as is S2's cap; the other numbers bound a strategy gone wild."""


@dataclass(frozen=True)
class PaceRules:
    """`paces` by strategy, and the `usual` one of all others."""

    paces: Mapping[str, Pace] = field(default_factory=lambda: PACES)
    usual: Pace = USUAL


def remember_entry(
    entries: Mapping[tuple[str, str], Entries], strategy: str, symbol: str, at_ns: int
) -> dict[tuple[str, str], Entries]:
    """Return the memory with one entry more.

    Parameters
    ----------
    entries : mapping of (strategy, symbol) to Entries
    strategy, symbol : str
    at_ns : int

    Returns
    -------
    dict

    """
    day = at_ns // DAY_NS
    before = entries.get((strategy, symbol))
    count = before.count if before is not None and before.day == day else 0
    return {**entries, (strategy, symbol): Entries(at_ns, day, count + 1)}


def pace_gate(candidate: Candidate, facts: Facts, rules: PaceRules) -> Pass | Block:
    """Block entries that come too soon or too often: ``COOLDOWN``, ``DAILY_CAP``. Without a memory nothing was entered.

    Parameters
    ----------
    candidate : Candidate
    facts : Facts
    rules : PaceRules

    Returns
    -------
    Pass or Block

    """
    pace = rules.paces.get(candidate.strategy, rules.usual)
    last = facts.account.entries.get((candidate.strategy, candidate.symbol))
    if last is not None:
        waited_s = (facts.now_ns - last.last_ns) / NANOSECONDS
        if waited_s < pace.cooldown_s:
            return Block(
                "COOLDOWN",
                f"{pace.cooldown_s:g} s should pass after an entry in {candidate.symbol}, were {waited_s:.0f} s",
            )
    today = facts.now_ns // DAY_NS
    made = sum(
        row.count
        for (strategy, _), row in facts.account.entries.items()
        if strategy == candidate.strategy and row.day == today
    )
    if made >= pace.daily_cap:
        return Block(
            "DAILY_CAP", f"entries of a day should be at most {pace.daily_cap}, were {made} before this"
        )
    return Pass(f"entry {made + 1} of at most {pace.daily_cap} today")
