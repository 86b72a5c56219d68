"""Every strategy by name: its module's parts, what it is, and what it needs. One entry each, in the order of the ids.

Here belong names and facts about strategies. What does not: rules (the modules), loops and order of a bank
(`models.simulation.bank.steps`), what is allowed to trade (`models.portfolio`).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, Literal

import numpy as np

from models.errors import ConfigError
from models.portfolio.roster import Kind, kind_of, place_of
from models.strategies import (
    basis_arbitrage,
    correlation_arb,
    cross_exchange_funding,
    enhanced_grid,
    forced_flow_exhaustion,
    funding_harvester,
    funding_pressure_ticks,
    hf_scalping,
    impact_reversion,
    impulse_engine,
    inventory_neutral_mm,
    liquidation_gravity,
    liquidation_hunter,
    liquidity_sweep,
    momentum_trader,
    oi_momentum,
    rebate_farmer,
    sentiment,
    synthetic_convexity,
)

Leg = Literal["none", "spot", "pair", "other"]

# What a strategy may need; the first five are on a tape, the rest in outlooks.
TRADES: Final = "trades"
BOOK: Final = "book"
OPEN_INTEREST: Final = "open interest"
LIQUIDATIONS: Final = "liquidations"
FUNDING: Final = "funding"
FORECAST: Final = "forecast"
CASCADE_MODEL: Final = "cascade model"
SPOT: Final = "spot"
PAIR: Final = "pair"
OTHER_VENUE: Final = "other venue"
SENTIMENT: Final = "sentiment"


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
    kind : str
    params : type
        A named tuple of which every field has a default.
    check : callable
        Returns the parameters, or raises ConfigError naming the one out of range.
    state : dtype
    new_state : callable
        A flat state that has seen nothing.
    step : callable
        ``step(market, outlook, params, state) -> Intent``; without `outlook` where `asks_outlook` is False.
    reasons : mapping of int to str
        Names of the reasons on its intents.
    needs : tuple of str
        Data without which it cannot trade.
    leg : str
        Market of its second leg.
    asks_outlook : bool

    """

    name: str
    system: str
    summary: str
    kind: Kind
    params: type[Any]
    check: Callable[[Any], Any]
    state: np.dtype[np.record]
    new_state: Callable[[], np.record]
    step: Callable[..., Any]
    reasons: Mapping[int, str]
    needs: tuple[str, ...]
    leg: Leg = "none"
    asks_outlook: bool = True


def _entry(
    module: ModuleType,
    summary: str,
    needs: tuple[str, ...] = (),
    leg: Leg = "none",
    asks_outlook: bool = True,
    name: str = "",
) -> Entry:
    name = name or module.__name__.rpartition(".")[2]
    return Entry(
        name=name,
        system=f"S{place_of(name) + 1}",
        summary=summary,
        kind=kind_of(name),
        params=module.Params,
        check=module.check_params,
        state=module.STATE,
        new_state=module.new_state,
        step=module.step,
        reasons=module.REASON_NAMES,
        needs=(TRADES, BOOK, *needs),
        leg=leg,
        asks_outlook=asks_outlook,
    )


_ENTRIES: Final = (
    _entry(
        funding_pressure_ticks,
        "Holds the side that receives a funding rate forecast to move, across one settlement.",
        (FUNDING, FORECAST),
        name="funding_pressure",
    ),
    _entry(
        funding_harvester,
        "Receives funding where what is expected over the hold beats costs.",
        (FUNDING, FORECAST),
    ),
    _entry(liquidation_gravity, "Goes with the break of a liquidation cluster until the cascade ends."),
    _entry(
        liquidation_hunter,
        "Follows strong momentum when the cascade model expects a cascade.",
        (CASCADE_MODEL,),
    ),
    _entry(
        impact_reversion,
        "Trades against a whale's impact half a second after it.",
        asks_outlook=False,
    ),
    _entry(
        forced_flow_exhaustion,
        "Fades forced flow with layered maker orders once it is exhausted.",
        (OPEN_INTEREST,),
        asks_outlook=False,
    ),
    _entry(impulse_engine, "Goes with a move that passed twelve filters and the flow's toxicity."),
    _entry(hf_scalping, "Joins the way back from the edge of a range for a quarter percent."),
    _entry(momentum_trader, "Follows a breakout in a trending regime until the channel breaks back."),
    _entry(liquidity_sweep, "Trades back into the range after a run beyond a swing level."),
    _entry(enhanced_grid, "Buys below and sells above the middle of a range, level by level."),
    _entry(inventory_neutral_mm, "Quotes both sides in balanced flow, never holding more than one quote."),
    _entry(rebate_farmer, "Rests orders half a percent away for who must trade now."),
    _entry(basis_arbitrage, "Holds perpetual against spot until their gap closes.", (SPOT,), leg="spot"),
    _entry(
        correlation_arb, "Trades the spread of a co-integrated pair back to its mean.", (PAIR,), leg="pair"
    ),
    _entry(sentiment, "Leans against extreme sentiment once the price has turned.", (SENTIMENT,)),
    _entry(
        cross_exchange_funding,
        "Receives the difference of two venues' funding on opposite sides.",
        (FUNDING, OTHER_VENUE),
        leg="other",
    ),
    _entry(
        oi_momentum,
        "Follows rises of price and open interest together, and bets on the squeeze when they part.",
        (OPEN_INTEREST,),
    ),
    _entry(
        synthetic_convexity,
        "Replicates a long straddle on the perpetual by its delta; research and shadow only.",
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
