"""What is remembered between signals: regimes in force, entries made, signals whose shadow is still under way; and its JSON.

Here belong the record and its plain values. Rules that change it belong to whoever judges signals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from models.errors import DataError
from models.gates.records import Entries
from models.portfolio.rotator import Rotation


@dataclass(frozen=True)
class Waiting:
    """A signal whose round trip is not over: its tick, and why it was not traded live (``""`` if it was)."""

    signal_ns: int
    blocked_by: str


@dataclass(frozen=True)
class Asked:
    """When a strategy last asked to quote a symbol, and why it may not (``""`` if it may)."""

    at_ns: int
    refused_by: str


@dataclass
class BankMemory:
    """Memory of the bank's side of the engine.

    Attributes
    ----------
    regimes : dict of str to (str, int)
        Regime in force and since when, by symbol.
    entries : dict of (strategy, symbol) to Entries
        Of entries made live, for cooldowns and daily caps.
    waiting : dict of (strategy, symbol) to Waiting
    asked : dict of (strategy, symbol) to Asked
        Of strategies that make markets.

    """

    regimes: dict[str, tuple[str, int]] = field(default_factory=dict)
    entries: dict[tuple[str, str], Entries] = field(default_factory=dict)
    waiting: dict[tuple[str, str], Waiting] = field(default_factory=dict)
    asked: dict[tuple[str, str], Asked] = field(default_factory=dict)

    def rotation(self, symbol: str) -> Rotation | None:
        """Return what the rotator is told of its last call for a symbol."""
        held = self.regimes.get(symbol)
        return None if held is None else Rotation(held[0], held[1], {})


def dump_bank(memory: BankMemory) -> dict[str, object]:
    """Return what is remembered as plain JSON values; empty for an empty memory."""
    body: dict[str, object] = {}
    if memory.regimes:
        body["regimes"] = {symbol: list(held) for symbol, held in sorted(memory.regimes.items())}
    if memory.entries:
        body["entries"] = [
            [*key, own.last_ns, own.day, own.count] for key, own in sorted(memory.entries.items())
        ]
    if memory.waiting:
        body["waiting"] = [
            [*key, own.signal_ns, own.blocked_by] for key, own in sorted(memory.waiting.items())
        ]
    if memory.asked:
        body["asked"] = [[*key, own.at_ns, own.refused_by] for key, own in sorted(memory.asked.items())]
    return body


def load_bank(body: Mapping[str, Any]) -> BankMemory:
    """Read what `dump_bank` wrote.

    Raises
    ------
    DataError
        If the values are not of this form.

    """
    try:
        return BankMemory(
            {
                symbol: (str(regime), int(since))
                for symbol, (regime, since) in body.get("regimes", {}).items()
            },
            {
                (strategy, symbol): Entries(int(last), int(day), int(count))
                for strategy, symbol, last, day, count in body.get("entries", [])
            },
            {
                (strategy, symbol): Waiting(int(at_ns), str(why))
                for strategy, symbol, at_ns, why in body.get("waiting", [])
            },
            {
                (strategy, symbol): Asked(int(at_ns), str(why))
                for strategy, symbol, at_ns, why in body.get("asked", [])
            },
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise DataError(
            f"the engine's saved memory of the shadows is unreadable: {error!r}",
            remedy="delete the key engine_state from the journal's meta table; positions are read from the venue",
        ) from error
