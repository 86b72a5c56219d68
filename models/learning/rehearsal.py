"""The loops against an adversary: months of turns in which somebody else chooses the fills.

Here belongs a small world of strategies and symbols whose results an adversary may shift, run through the very functions the
pipelines use. It shows what the fence of ``bounds`` promises: nothing leaves its range, nothing moves more than one step, and
once the adversary stops everything finds its way back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Final, NamedTuple

import numpy as np

from models.learning.loop import Findings, next_policy
from models.learning.probation import ProbationRules, standings
from models.learning.promotion import Backtest, Evidence, Facts, promote
from models.learning.roster import REQUIREMENTS
from models.learning.slippage import SlippageRules, buffer_changes, shadow_against_live
from models.learning.track_record import LIVE_CONFIDENCE, record_of
from models.learning.trades import DAY_NS, HOUR_NS, TradeTable, table_of
from models.portfolio.policy import FREE, LIVE, Policy

LOOP_NS: Final = 4 * HOUR_NS
LOOPS_A_DAY: Final = 6
_HOLD_NS: Final = HOUR_NS // 6
_START_NS: Final = 20_000 * DAY_NS


class Action(NamedTuple):
    """What the adversary does to the trades of one turn: basis points added to live and to shadow results.

    `only` names the symbol or the strategy it is done to; empty for all.
    """

    live_bps: float
    shadow_bps: float
    only: str = ""


HONEST: Final = Action(0.0, 0.0)
LEAK: Final = Action(-3.0, 0.0)
WORSE: Final = Action(-25.0, 0.0)
FLATTERED: Final = Action(0.0, 10.0)
RUIN: Final = Action(-40.0, -40.0)
RICHES: Final = Action(40.0, 40.0)

Judge = Callable[[Policy], float]


@dataclass(frozen=True)
class Adversary:
    """Who chooses the fills.

    Attributes
    ----------
    name : str
    actions : tuple of Action
        Taken in turn, or, with `wants`, the one after which the policy is worth most to the adversary.
    wants : callable, optional
        Worth of a policy.

    """

    name: str
    actions: tuple[Action, ...]
    wants: Judge | None = None


def _buffers(policy: Policy) -> float:
    return sum(each.slippage_buffer_bps for each in policy.symbols.values())


def _probations(policy: Policy) -> float:
    return sum(each.probation != FREE for each in policy.symbols.values())


def _share_of_impulse(policy: Policy) -> float:
    return policy.strategy("impulse_engine").share


ADVERSARIES: Final = (
    Adversary("nobody", (HONEST,)),
    Adversary("live fills 3 bps worse", (LEAK,)),
    Adversary("live fills 25 bps worse", (WORSE,)),
    Adversary("paper fills 10 bps better", (FLATTERED,)),
    Adversary("ruin", (RUIN,)),
    Adversary("ruin of one symbol's live fills", (Action(-40.0, 0.0, "BTCUSDT"),)),
    Adversary("ruin and riches in turn", (RUIN, RICHES)),
    # Ties go to the first: the most aggressive.
    Adversary("greedy for buffers", (FLATTERED, LEAK, WORSE, HONEST), _buffers),
    Adversary("greedy for probation", (Action(-40.0, 0.0, "BTCUSDT"), RICHES, RUIN, HONEST), _probations),
    Adversary(
        "greedy for one share",
        (Action(40.0, 40.0, "impulse_engine"), Action(-40.0, -40.0, "funding_pressure"), HONEST),
        _share_of_impulse,
    ),
)


@dataclass(frozen=True)
class World:
    """What is traded, and how it goes without an adversary.

    Attributes
    ----------
    strategies, symbols : tuple of str
    signals : int
        Of each strategy on each symbol in a turn.
    edge_bps, noise_bps, fill_bps : float
        Mean and standard deviation of a result, and standard deviation of a live fill about its paper twin.
    loops, attack_from, attack_to : int
        Turns in all, and those in which the adversary acts.
    keep_ns : int
        How long trades are remembered.
    slippage : SlippageRules
    probation : ProbationRules
    seed : int

    """

    strategies: tuple[str, ...] = ("funding_pressure", "impact_reversion", "impulse_engine")
    symbols: tuple[str, ...] = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    signals: int = 4
    edge_bps: float = 3.0
    noise_bps: float = 15.0
    fill_bps: float = 1.0
    loops: int = 90 * LOOPS_A_DAY
    attack_from: int = 20 * LOOPS_A_DAY
    attack_to: int = 55 * LOOPS_A_DAY
    keep_ns: int = 30 * DAY_NS
    slippage: SlippageRules = field(default_factory=lambda: SlippageRules(resamples=200))
    probation: ProbationRules = field(default_factory=lambda: ProbationRules(resamples=200))
    seed: int = 1


@dataclass(frozen=True)
class Course:
    """What happened, turn by turn.

    Attributes
    ----------
    policies : list of Policy

    """

    policies: list[Policy]

    def of(self, judge: Judge) -> list[float]:
        """Return a figure of every policy."""
        return [judge(policy) for policy in self.policies]

    def largest_buffer_bps(self) -> list[float]:
        """Return the largest buffer of any symbol after each turn."""
        return self.of(
            lambda policy: max((e.slippage_buffer_bps for e in policy.symbols.values()), default=0.0)
        )

    def on_probation(self) -> list[float]:
        """Return how many symbols are on probation after each turn."""
        return self.of(_probations)

    def largest_share(self) -> list[float]:
        """Return the largest share of any strategy after each turn."""
        return self.of(lambda policy: max(each.share for each in policy.strategies.values()))

    def live(self) -> list[float]:
        """Return how many strategies are live after each turn."""
        return self.of(lambda policy: float(sum(e.state == LIVE for e in policy.strategies.values())))


def rehearse(adversary: Adversary, world: World | None = None) -> Course:
    """Run the loops against an adversary.

    Parameters
    ----------
    adversary : Adversary
    world : World, optional

    Returns
    -------
    Course
        The same for the same arguments.

    """
    world = world or World()
    rng = np.random.default_rng(world.seed)
    policy: Policy | None = None
    trades = table_of({each.name: () for each in fields(TradeTable)})
    course: list[Policy] = []
    for turn in range(world.loops):
        now_ns = _START_NS + (turn + 1) * LOOP_NS
        own = _turn(world, policy, now_ns, rng)
        is_attack = world.attack_from <= turn < world.attack_to
        actions = adversary.actions if is_attack else (HONEST,)
        if adversary.wants is None or len(actions) == 1:
            actions = (actions[turn % len(actions)],)
        # What the adversary can do to this turn, and what would come of each.
        ways = [_joined(trades.since(now_ns - world.keep_ns), _shifted(own, action)) for action in actions]
        outcomes = [_next(world, policy, way, now_ns) for way in ways]
        worth = [adversary.wants(each) if adversary.wants else 0.0 for each in outcomes]
        best = int(np.argmax(worth))
        trades, policy = ways[best], outcomes[best]
        course.append(policy)
    return Course(course)


def _turn(world: World, policy: Policy | None, now_ns: int, rng: np.random.Generator) -> TradeTable:
    """Trades that close in one turn: shadow trades always, live ones where the policy lets them."""
    pairs = [(a, b) for a in world.strategies for b in world.symbols for _ in range(world.signals)]
    strategy, symbol = (np.array([pair[k] for pair in pairs], dtype=object) for k in (0, 1))
    results = rng.normal(world.edge_bps, world.noise_bps, len(pairs))
    slips = rng.normal(0.0, world.fill_bps, len(pairs))
    exit_ns = now_ns - rng.integers(1, LOOP_NS, len(pairs))
    chance = rng.random(len(pairs))
    passes = np.zeros(len(pairs), dtype=bool)
    if policy is not None:
        is_live = np.array([policy.strategy(name).state == LIVE for name in strategy])
        # Fewer signals promise enough to beat a larger buffer.
        buffers = np.array([policy.symbol(name).slippage_buffer_bps for name in symbol])
        passes = is_live & (chance < np.exp(-buffers / 10.0))
    both = np.r_[np.arange(len(pairs)), np.flatnonzero(passes)]
    live = np.r_[np.zeros(len(pairs), dtype=bool), np.ones(int(passes.sum()), dtype=bool)]
    pnl_bps = results[both] - np.where(live, slips[both], 0.0)
    blocked = np.where(live | passes[both], "", "SHADOW_ONLY").astype(object)
    columns = {"strategy": strategy[both], "symbol": symbol[both], "is_live": live, "blocked_by": blocked}
    times = {"entry_ns": exit_ns[both] - _HOLD_NS, "exit_ns": exit_ns[both]}
    return table_of({**columns, **times, "pnl_bps": pnl_bps, "pnl_usd": pnl_bps * 1e-2})


def _shifted(trades: TradeTable, action: Action) -> TradeTable:
    is_meant = (trades.symbol == action.only) | (trades.strategy == action.only) | (not action.only)
    shift = np.where(is_meant, np.where(trades.is_live, action.live_bps, action.shadow_bps), 0.0)
    return replace(trades, pnl_bps=trades.pnl_bps + shift)


def _joined(first: TradeTable, second: TradeTable) -> TradeTable:
    pairs = {
        each.name: (getattr(first, each.name), getattr(second, each.name)) for each in fields(TradeTable)
    }
    return TradeTable(**{name: np.concatenate(both) for name, both in pairs.items()})


def _next(world: World, policy: Policy | None, trades: TradeTable, now_ns: int) -> Policy:
    gaps = shadow_against_live(trades, policy, now_ns, world.slippage)
    found = Findings(
        now_ns,
        len(trades),
        changes=buffer_changes(gaps, policy, now_ns, world.slippage),
        standings=standings(trades, policy, now_ns, world.probation),
        decisions={name: promote(_facts(name, policy, trades)) for name in world.strategies},
    )
    return next_policy(policy, found)


def _facts(name: str, policy: Policy | None, trades: TradeTable) -> Facts:
    """Everything but the trades speaks for the strategy: the adversary has that too."""
    own = trades.take(trades.strategy == name)
    requirement = REQUIREMENTS[name]
    return Facts(
        name,
        requirement,
        tuple(Evidence(study, "passed", "recorded") for study in requirement.studies),
        Backtest("recorded", "rehearsal", 90.0, 1000, 3.0, 1.0, 0.99, 1),
        record_of(own.take(~own.is_live)),
        record_of(own.take(own.is_live), confidence=LIVE_CONFIDENCE),
        was_live=policy is not None and policy.strategy(name).state == LIVE,
    )
