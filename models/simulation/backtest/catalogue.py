"""The strategies a backtest can run, by name: one entry each. A new strategy is a new entry and nothing else here.

Here belong names, parameters given as text, and what data a strategy needs. What does not: rules, loops, tapes.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from models.errors import ConfigError
from models.simulation.backtest.run import (
    Strategy,
    forced_flow_exhaustion_strategy,
    impact_reversion_strategy,
)
from models.strategies import forced_flow_exhaustion, impact_reversion

# What a strategy may need; the first four are on a tape.
TRADES: Final = "trades"
BOOK: Final = "book"
OPEN_INTEREST: Final = "open interest"
FUNDING: Final = "funding"
BARS: Final = "bars"
SEVERAL_SYMBOLS: Final = "several symbols"


@dataclass(frozen=True)
class Entry:
    """A strategy as it is offered.

    Attributes
    ----------
    name : str
    system : str
        Its id in docs/systems.md.
    summary : str
        What it does, one sentence.
    params : type
        A named tuple of which every field has a default.
    check : callable
        Returns the parameters, or raises ConfigError naming the one out of range.
    make : callable
        Parameters to a new, flat `Strategy`.
    reasons : mapping of int to str
        Names of the reasons on its intents.
    needs : tuple of str
        Data without which it cannot trade.

    """

    name: str
    system: str
    summary: str
    params: type[Any]
    check: Callable[[Any], Any]
    make: Callable[[Any], Strategy]
    reasons: Mapping[int, str]
    needs: tuple[str, ...]


_ENTRIES: Final = (
    Entry(
        "impact_reversion",
        "S5",
        "Trades against a whale's impact half a second after it.",
        impact_reversion.Params,
        impact_reversion.check_params,
        impact_reversion_strategy,
        impact_reversion.REASON_NAMES,
        (TRADES, BOOK),
    ),
    Entry(
        "forced_flow_exhaustion",
        "S6",
        "Fades forced flow with layered maker orders once it is exhausted.",
        forced_flow_exhaustion.Params,
        forced_flow_exhaustion.check_params,
        forced_flow_exhaustion_strategy,
        forced_flow_exhaustion.REASON_NAMES,
        (TRADES, BOOK, OPEN_INTEREST),
    ),
)
CATALOGUE: Final[Mapping[str, Entry]] = {entry.name: entry for entry in _ENTRIES}


def entry_of(name: str) -> Entry:
    """Return a strategy by its name or its id.

    Raises
    ------
    ConfigError
        When there is none; lists the names, the nearest first.

    """
    for entry in _ENTRIES:
        if name.lower() in (entry.name, entry.system.lower()):
            return entry
    near = difflib.get_close_matches(name.lower(), CATALOGUE, n=1, cutoff=0.4)
    meant = f"did you mean {near[0]}? " if near else ""
    raise ConfigError(
        f"strategy: expected one of {', '.join(CATALOGUE)}, was {name!r}",
        remedy=f"{meant}`hean backtest --list` says what each does",
    )


def parse_params(entry: Entry, texts: Mapping[str, str]) -> Any:
    """Return a strategy's checked parameters: the defaults, changed by `texts`.

    Parameters
    ----------
    entry : Entry
    texts : mapping of str to str
        Parameter names and values as a person writes them.

    Returns
    -------
    tuple
        Of the class ``entry.params``.

    Raises
    ------
    ConfigError
        When a name is unknown, a value is of the wrong kind, or out of range.

    Examples
    --------
    >>> parse_params(entry_of("S5"), {"stop_share": "0.5"}).stop_share
    0.5

    """
    defaults = entry.params()
    changed = {name: _parse(entry, name, text, defaults) for name, text in texts.items()}
    return entry.check(defaults._replace(**changed))


def _parse(entry: Entry, name: str, text: str, defaults: Any) -> int | float:
    if name not in defaults._fields:
        near = difflib.get_close_matches(name, defaults._fields, n=1)
        raise ConfigError(
            f"{entry.name}: expected a parameter among {', '.join(defaults._fields)}, was {name!r}",
            remedy=f"did you mean {near[0]}?" if near else "",
        )
    default = getattr(defaults, name)
    kind, words = (int, "a whole number") if isinstance(default, int) else (float, "a number")
    try:
        value = kind(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(
            f"{entry.name}: expected {name} to be {words}, was {text!r}", remedy=f"its default is {default!r}"
        )
    return value
