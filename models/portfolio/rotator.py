"""Regime rotator (P3): which strategies may enter in a regime, on which side, and how silenced ones earn their way back.

First the table: a regime activates some strategies and silences the others it knows; those that live on events or on two legs are
not in it and stay active. Then value: what M3 says a strategy earns there, against a least value per trade. Thompson sampling
(Thompson 1933) draws from the posterior instead of comparing its mean, so that a strategy that is poorly known trades
now and then, and one known to lose almost never; the other setting is a fixed share of exploration. Draws come from a hash and
hold for a window of time, so that a replay decides the same and no poll draws anew. A regime in force is kept for a least time.
Which of two signals on one symbol wins is the business of `conflicts`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from models.errors import ConfigError
from models.portfolio.chance import normal, uniform
from models.portfolio.regime_matrix import Cell
from models.portfolio.roster import STRATEGIES, place_of
from models.regimes.rules import DISTRIBUTION, HIGH_ENTROPY, IMPULSE_DOWN, IMPULSE_UP, RANGE, UNKNOWN

_NANOSECONDS: Final = 1_000_000_000
BOTH: Final = frozenset({1, -1})
SHORT: Final = frozenset({-1})
NEITHER: Final[frozenset[int]] = frozenset()

TABLE: Final[Mapping[str, Mapping[str, frozenset[int]]]] = {
    IMPULSE_UP: {"impulse_engine": BOTH, "momentum_trader": BOTH},
    RANGE: {"funding_harvester": BOTH, "rebate_farmer": BOTH, "enhanced_grid": BOTH, "hf_scalping": BOTH},
    DISTRIBUTION: {"liquidity_sweep": BOTH, "correlation_arb": BOTH},
    IMPULSE_DOWN: {"impulse_engine": SHORT, "liquidation_gravity": BOTH},
    HIGH_ENTROPY: {"inventory_neutral_mm": BOTH},
    UNKNOWN: {},
}
"""P3's exclusive activation, by regime: strategies and the sides they may enter on. S8 trades in ranges by its own row."""


class Exploration(StrEnum):
    """How strategies that do not seem to pay get a chance: `THOMPSON` or a fixed `SHARE` of the windows."""

    THOMPSON = "thompson"
    SHARE = "share"


@dataclass(frozen=True)
class Value:
    """What a strategy is known to earn a trade in a regime (M3): mean and standard error, USD, of `trades` trades."""

    mean_usd: float
    sd_usd: float
    trades: int


@dataclass(frozen=True)
class RotatorRules:
    """Numbers of the rotator.

    Attributes
    ----------
    table : mapping
        See `TABLE`.
    least_value_usd, at_equity_usd : float
        Least expected value a trade of an account of that equity; in proportion for any other, because sizes are.
    exploration : Exploration
    exploration_share : float
        Of the windows, for `Exploration.SHARE`.
    prior_sds : float
        Where nothing was traded yet the mean is 0 and its standard error this many least values.
    dwell_s : float
        Least time a regime is in force; UNKNOWN is left at once.
    window_s : float
        For which a draw holds.
    seed : int

    Raises
    ------
    ConfigError
        For numbers out of range.

    """

    table: Mapping[str, Mapping[str, frozenset[int]]] = field(default_factory=lambda: TABLE)
    least_value_usd: float = 0.50
    at_equity_usd: float = 10_000.0
    exploration: Exploration = Exploration.THOMPSON
    exploration_share: float = 0.10
    prior_sds: float = 4.0
    dwell_s: float = 900.0
    window_s: float = 900.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check."""
        if not (0.0 <= self.exploration_share <= 1.0 and self.window_s > 0.0 and self.at_equity_usd > 0.0):
            raise ConfigError(
                "rotator: expected exploration_share from 0 to 1, window_s and at_equity_usd above 0,"
                f" was {self.exploration_share}, {self.window_s}, {self.at_equity_usd}"
            )


@dataclass(frozen=True)
class Activation:
    """Whether a strategy may enter: on which `sides` (none: silenced), whether only to explore, and why in `words`."""

    sides: frozenset[int]
    exploring: bool
    words: str


@dataclass(frozen=True)
class Rotation:
    """What is in force on one symbol: the regime, since when, and an `Activation` for each strategy asked for."""

    regime: str
    since_ns: int
    activations: Mapping[str, Activation]


def rotate(
    symbol: str,
    regime: str,
    strategies: Collection[str],
    values: Mapping[tuple[str, str], Value],
    equity_usd: float,
    previous: Rotation | None,
    now_ns: int,
    rules: RotatorRules | None = None,
) -> Rotation:
    """Decide who may enter a symbol now.

    Parameters
    ----------
    symbol : str
    regime : str
        Seen now, one of `models.regimes.rules.REGIMES`; one the table does not have counts as UNKNOWN.
    strategies : collection of str
        Those that may trade live at all.
    values : mapping of (strategy, regime) to Value
        M3; absent where nothing was traded.
    equity_usd : float
    previous : Rotation or None
        Of the last call for this symbol.
    now_ns : int
    rules : RotatorRules, optional

    Returns
    -------
    Rotation

    Raises
    ------
    ConfigError
        For a strategy that is not in the roster.

    """
    rules = rules or RotatorRules()
    seen = regime if regime in rules.table else UNKNOWN
    held, since_ns = _regime_in_force(seen, previous, now_ns, rules)
    names = sorted(set(strategies), key=place_of)
    activations = {}
    for name in names:
        sides, words = _by_table(name, held, rules)
        if sides:
            paying, exploring, why = _by_value(name, symbol, held, values, equity_usd, now_ns, rules)
            activations[name] = Activation(sides if paying else NEITHER, exploring, f"{words}; {why}")
        else:
            activations[name] = Activation(NEITHER, False, words)
    return Rotation(held, since_ns, activations)


def values_of(cells: Iterable[Cell]) -> dict[tuple[str, str], Value]:
    """Return what a regime-performance matrix says, as the rotator takes it: shrunk means and their standard errors."""
    return {(c.strategy, c.regime): Value(c.ev_shrunk_usd, c.ev_sd_usd, c.n) for c in cells}


def least_value(equity_usd: float, rules: RotatorRules) -> float:
    """Return the least expected value a trade, USD, of an account: in proportion to its equity, the reference if unknown."""
    if not (math.isfinite(equity_usd) and equity_usd > 0.0):
        return rules.least_value_usd
    return rules.least_value_usd * equity_usd / rules.at_equity_usd


def _regime_in_force(
    seen: str, previous: Rotation | None, now_ns: int, rules: RotatorRules
) -> tuple[str, int]:
    if previous is None:
        return seen, now_ns
    dwelt_s = (now_ns - previous.since_ns) / _NANOSECONDS
    if seen == previous.regime or (previous.regime != UNKNOWN and dwelt_s < rules.dwell_s):
        return previous.regime, previous.since_ns
    return seen, now_ns


def _by_table(name: str, regime: str, rules: RotatorRules) -> tuple[frozenset[int], str]:
    if not any(name in row for row in rules.table.values()):
        return BOTH, "active in every regime"
    row = rules.table[regime]
    active = ", ".join(sorted(row, key=STRATEGIES.index)) or "none of the table"
    sides = row.get(name, NEITHER)
    only = "" if sides in (BOTH, NEITHER) else " (short only)" if sides == SHORT else " (long only)"
    return sides, f"{regime} activates {active}{only}"


def _by_value(
    name: str,
    symbol: str,
    regime: str,
    values: Mapping[tuple[str, str], Value],
    equity_usd: float,
    now_ns: int,
    rules: RotatorRules,
) -> tuple[bool, bool, str]:
    """Say whether a strategy may enter, whether that is exploration, and why."""
    least = least_value(equity_usd, rules)
    known = values.get((name, regime)) or Value(0.0, rules.prior_sds * least, 0)
    window_ns = int(rules.window_s * _NANOSECONDS)
    drawn_at_ns = now_ns - now_ns % window_ns
    words = f"{known.trades} trades, {known.mean_usd:+.4f} ± {known.sd_usd:.4f} USD a trade"
    pays = known.mean_usd > least
    if rules.exploration is Exploration.THOMPSON:
        drawn = known.mean_usd + known.sd_usd * normal(rules.seed, drawn_at_ns, name, symbol)
        active = drawn > least
        words += f", drawn {drawn:+.4f}"
        relation = ">" if active else "<="
        return active, active and not pays, f"{words} {relation} {least:.4f}"
    if pays:
        return True, False, f"{words} > {least:.4f}"
    chance = uniform(rules.seed, drawn_at_ns, name, symbol)
    active = chance < rules.exploration_share
    relation = "<" if active else ">="
    return (
        active,
        active,
        f"{words} <= {least:.4f}; chance {chance:.3f} {relation} {rules.exploration_share:g}",
    )
