"""Capital allocation (P1): a share of the equity for each strategy that may trade, the rest in cash.

A target is a mixture of three ways to divide the deployable capital: starting weights, the same weights by track record, and
the phase of the market. It is filled up to floors and caps, and put in force when a trade has closed, at most hourly, and
only where enough capital would move. Which strategies may trade at all is decided elsewhere; a strategy in shadow gets nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from models.errors import ConfigError
from models.portfolio.phases import normalised, phase_weights
from models.portfolio.regime_matrix import Cell
from models.portfolio.roster import STRATEGIES, place_of
from models.portfolio.tiers import Tier, TierRules, tier_of
from models.portfolio.water_filling import fill

_NANOSECONDS: Final = 1_000_000_000

STARTING_WEIGHTS: Final[Mapping[str, float]] = {
    "impulse_engine": 18.0,
    "funding_harvester": 14.0,
    "basis_arbitrage": 10.0,
    "inventory_neutral_mm": 10.0,
    "liquidity_sweep": 10.0,
    "hf_scalping": 8.0,
    "momentum_trader": 8.0,
    "enhanced_grid": 6.0,
    "correlation_arb": 6.0,
    "rebate_farmer": 5.0,
    "sentiment": 5.0,
}
"""P1's list; they sum to 100."""


@dataclass(frozen=True)
class AllocationRules:
    """How capital is divided; shares are fractions of the equity.

    Attributes
    ----------
    reserve : float
        Never allocated.
    floor, cap : float
        Least and most of one strategy.
    weights : mapping of str to float
        Starting weights, of any sum.
    trial_weight : float
        Of a strategy that `weights` does not name: the least that any of the list has.
    base_part, record_part, phase_part : float
        Of the mixture; they sum to 1.
    least_drift : float
        Capital that would have to move before anything does.
    least_wait_s : float
        Between two rebalancings.
    tiers : TierRules

    Raises
    ------
    ConfigError
        For parts that do not sum to 1, or shares out of range.

    """

    reserve: float = 0.20
    floor: float = 0.05
    cap: float = 0.40
    weights: Mapping[str, float] = field(default_factory=lambda: STARTING_WEIGHTS)
    trial_weight: float = 5.0
    base_part: float = 0.40
    record_part: float = 0.30
    phase_part: float = 0.30
    least_drift: float = 0.05
    least_wait_s: float = 3600.0
    tiers: TierRules = field(default_factory=TierRules)

    def __post_init__(self) -> None:
        """Check."""
        parts = (self.base_part, self.record_part, self.phase_part)
        if min(parts) < 0.0 or abs(sum(parts) - 1.0) > 1e-9:
            raise ConfigError(f"the parts of an allocation should sum to 1, were {parts}")
        if not (0.0 <= self.reserve <= 1.0 and 0.0 < self.floor <= self.cap <= 1.0):
            raise ConfigError(
                "allocation: expected reserve from 0 to 1 and 0 < floor <= cap <= 1,"
                f" was {self.reserve}, {self.floor}, {self.cap}"
            )


@dataclass(frozen=True)
class Allocation:
    """What is in force.

    Attributes
    ----------
    shares : mapping of str to float
        Fraction of the equity of each strategy that was eligible; 0 for one the floors left no room for.
    cash : float
        The rest: with the shares it sums to 1.
    tier : str
    since_ns : int
        When `shares` last changed.
    words : str
        Why they changed, or did not, with the arithmetic.

    """

    shares: Mapping[str, float]
    cash: float
    tier: str
    since_ns: int
    words: str


def track_record(cells: Iterable[Cell]) -> dict[str, float]:
    """Return each strategy's probability of a positive expected value, 0 to 1, averaged over regimes by trades.

    Parameters
    ----------
    cells : iterable of Cell
        Of the regime-performance matrix (M3).

    Returns
    -------
    dict of str to float
        Only strategies with a trade.

    """
    sums: dict[str, tuple[float, int]] = {}
    for cell in cells:
        total, trades = sums.get(cell.strategy, (0.0, 0))
        sums[cell.strategy] = (total + cell.n * cell.p_ev_positive, trades + cell.n)
    return {name: total / trades for name, (total, trades) in sums.items() if trades > 0}


def starting_weights(strategies: Iterable[str], tier: Tier, rules: AllocationRules) -> dict[str, float]:
    """Return the starting weight of those a tier allows, in the order of the roster.

    Raises
    ------
    ConfigError
        For a name that is not in the roster.

    """
    asked = {name for name in strategies if place_of(name) >= 0}
    allowed = [n for n in STRATEGIES if n in asked and (tier.strategies is None or n in tier.strategies)]
    return {n: tier.weights.get(n, rules.weights.get(n, rules.trial_weight)) for n in allowed}


def target_shares(
    base: Mapping[str, float],
    regimes: Mapping[str, float],
    record: Mapping[str, float],
    rules: AllocationRules,
) -> dict[str, float]:
    """Divide the deployable capital.

    Parameters
    ----------
    base : mapping of str to float
        Starting weights of everyone who takes part.
    regimes : mapping of str to float
        How much of the market is in which regime; see `phases.phase_weights`.
    record : mapping of str to float
        `track_record`; 0.5 where absent or NaN, so that a newcomer keeps its starting weight.
    rules : AllocationRules

    Returns
    -------
    dict of str to float
        Fractions of the equity that sum to ``min(1 − reserve, n × cap)``; for no one, empty.

    """
    if not base:
        return {}
    scores = {name: _score(record.get(name, math.nan)) for name in base}
    starting = normalised(base)
    by_record = normalised({name: base[name] * scores[name] for name in base})
    by_phase = phase_weights(base, regimes)
    mixed = {
        name: rules.base_part * starting[name]
        + rules.record_part * by_record[name]
        + rules.phase_part * by_phase[name]
        for name in base
    }
    return fill(mixed, 1.0 - rules.reserve, rules.floor, rules.cap)


def allocate(
    strategies: Collection[str],
    equity_usd: float,
    regimes: Mapping[str, float],
    record: Mapping[str, float],
    previous: Allocation | None,
    now_ns: int,
    trade_closed: bool,
    rules: AllocationRules | None = None,
) -> Allocation:
    """Return the allocation in force from now on: the previous one, or a new one.

    Parameters
    ----------
    strategies : collection of str
        Those that may trade live. Order and repetition do not matter.
    equity_usd : float
    regimes, record : mapping of str to float
        See `target_shares`.
    previous : Allocation or None
        None at the first start; kept in the journal by the caller.
    now_ns : int
    trade_closed : bool
        Whether a trade has closed since the last call.
    rules : AllocationRules, optional

    Returns
    -------
    Allocation
        `since_ns` is `now_ns` where it is new. When the set of those who take part changes, it is new at once: capital must
        leave a strategy that lost its right to trade.

    Raises
    ------
    ConfigError
        For a strategy that is not in the roster.

    Examples
    --------
    >>> found = allocate(["impulse_engine", "funding_harvester"], 500.0, {"RANGE": 1.0}, {}, None, 0, False)
    >>> {name: round(share, 4) for name, share in found.shares.items()}, round(found.cash, 4)
    ({'funding_harvester': 0.4, 'impulse_engine': 0.4}, 0.2)

    """
    rules = rules or AllocationRules()
    tier = tier_of(equity_usd, rules.tiers, previous.tier if previous else "")
    base = starting_weights(strategies, tier, rules)
    target = target_shares(base, regimes, record, rules)
    if previous is None or target.keys() != previous.shares.keys():
        words = "first allocation" if previous is None else _roster_words(previous.shares, target)
        return _in_force(target, tier.name, now_ns, words)
    drift = sum(abs(target[name] - share) for name, share in previous.shares.items()) / 2.0
    waited_s = (now_ns - previous.since_ns) / _NANOSECONDS
    refusal = ""
    if not trade_closed:
        refusal = "no trade has closed"
    elif waited_s < rules.least_wait_s:
        refusal = f"{waited_s:.0f} s since the last < {rules.least_wait_s:.0f} s"
    elif drift <= rules.least_drift:
        refusal = f"{drift:.2%} of the equity would move <= {rules.least_drift:.0%}"
    if refusal:
        return replace(previous, tier=tier.name, words=f"kept: {refusal}")
    words = f"rebalanced: {drift:.2%} of the equity moves > {rules.least_drift:.0%}"
    return _in_force(target, tier.name, now_ns, words)


def _in_force(shares: Mapping[str, float], tier: str, now_ns: int, words: str) -> Allocation:
    return Allocation(shares, 1.0 - sum(shares.values()), tier, now_ns, words)


def _roster_words(before: Mapping[str, float], after: Mapping[str, float]) -> str:
    joined, left = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    parts = [f"{word} {', '.join(names)}" for word, names in (("joined:", joined), ("left:", left)) if names]
    return "the roster changed; " + "; ".join(parts)


def _score(value: float) -> float:
    return min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.5
