"""The runs of a tournament: one market each, in processes of their own, and what came of every strategy in it.

Here belong tasks and processes. Figures come from `models.simulation.bank.scores`, the page from `page.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.errors import ConfigError
from models.simulation.slow_market.scenarios import PLANTED_FOR, SCENARIOS
from models.simulation.slow_market.symbols import SYMBOLS

NULL = "null"
EVERYTHING = "everything"
OWN = "own effect"
"""Column of a strategy in the scenario that plants its effect alone."""
DEFAULT_CAPITAL_USD = 10_000.0
"""Enough that no lot of a contract is more than a share of it."""

FINE_NS: Final = 250_000_000
COARSE_NS: Final = 1_000_000_000
"""Alpha ticks where one effect is planted, and over the long markets: a second there, which is four times as fast and leaves
strategies that live on the instant (S5, S6) too late for theirs."""

OnDone = Callable[["Task", float], None]
"""Told of each market that is done, and how much of everything is, 0 to 1."""


@dataclass(frozen=True)
class Task:
    """One market: some strategies, one symbol, one scenario, some days.

    Attributes
    ----------
    column : str
        `null`, `everything` or `own effect`.
    scenario, symbol : str
    names : tuple of str
        Strategies.
    seed : int
    days : float
    capital_usd : float
        Of each strategy.
    tick_ns : int
        Alpha tick.

    """

    column: str
    scenario: str
    symbol: str
    names: tuple[str, ...]
    seed: int
    days: float
    capital_usd: float
    tick_ns: int = FINE_NS


@dataclass(frozen=True)
class Done:
    """A market that was traded: round trips by strategy, and events seen."""

    task: Task
    trips: Mapping[str, NDArray[np.void]]
    events: int


def plan_tasks(
    names: Sequence[str],
    symbols: Sequence[str],
    days: float,
    own_days: float,
    seed: int = 1,
    capital_usd: float = DEFAULT_CAPITAL_USD,
) -> list[Task]:
    """Return the markets of a tournament, the longest first.

    Parameters
    ----------
    names, symbols : sequence of str
    days : float
        Of the null and of the market with everything, for every symbol.
    own_days : float
        Of each scenario with one effect alone, for every symbol; 0 leaves them out.
    seed : int
    capital_usd : float

    Raises
    ------
    ConfigError
        When a symbol is unknown or a number out of range.

    """
    unknown = [symbol for symbol in symbols if symbol not in SYMBOLS]
    if unknown or not symbols:
        raise ConfigError(
            f"symbols: expected some of {', '.join(SYMBOLS)}, was {', '.join(unknown) or 'none'}"
        )
    if not 0.0 < days <= 3660.0 or not 0.0 <= own_days <= 3660.0:
        raise ConfigError(f"days: expected above 0 and at most 3660, was {days:g} and {own_days:g}")
    if seed < 0:
        raise ConfigError(f"seed: expected a whole number from 0, was {seed}")
    if not 0.0 < capital_usd < 1e12:
        raise ConfigError(f"capital: expected USD above 0, was {capital_usd:g}")
    tasks = []
    for place, symbol in enumerate(symbols):
        for column in (EVERYTHING, NULL):
            long = (seed + place, days, capital_usd, COARSE_NS)
            tasks.append(Task(column, column, symbol, tuple(names), *long))
        if own_days:
            for scenario in SCENARIOS:
                own = tuple(name for name in names if PLANTED_FOR[name] == scenario)
                if own:
                    tasks.append(Task(OWN, scenario, symbol, own, seed + place, own_days, capital_usd))
    return sorted(tasks, key=lambda task: -task.days * (8 + len(task.names)))


def trade(task: Task) -> Done:
    """Trade one market; runs in any process."""
    from models.market.feature_params import FeatureParams, params_record
    from models.simulation.backtest.records import BacktestParameters
    from models.simulation.bank.records import BankParameters
    from models.simulation.bank.run import BankRun
    from models.simulation.fills.parameters import FillParameters
    from models.simulation.slow_market.generator import stream_slow_market

    preset = SYMBOLS[task.symbol]
    venue = FillParameters(preset.tick_size, preset.lot_size, seed=task.seed)
    hour = BacktestParameters(task.capital_usd, 3_600_000_000_000)
    features = params_record(FeatureParams(tick_ns=task.tick_ns))
    run = BankRun(task.names, venue, BankParameters(hour), feature_params=features)
    for stretch in stream_slow_market(SCENARIOS[task.scenario](), task.symbol, task.seed, task.days):
        if len(stretch.outlooks):
            run.tell(stretch.outlooks)
        run.take(stretch.events)
    records = run.finish()
    return Done(task, {name: record.trips for name, record in records.items()}, run.events)


def run_tournament(
    tasks: Sequence[Task], processes: int, on_done: OnDone = lambda _t, _s: None
) -> list[Done]:
    """Trade every market.

    Parameters
    ----------
    tasks : sequence of Task
    processes : int
    on_done : callable, optional

    Returns
    -------
    list of Done
        In the order of the tasks, whatever came first.

    Raises
    ------
    ConfigError
        When there is no process to run in.
    Overflow
        When more was under way in a market than there is room for.

    """
    if processes < 1:
        raise ConfigError(f"processes: expected at least 1, was {processes}")
    total = sum(task.days for task in tasks)
    found: dict[Task, Done] = {}
    for done in _traded(tasks, processes):
        found[done.task] = done
        on_done(done.task, sum(task.days for task in found) / total)
    return [found[task] for task in tasks]


def _traded(tasks: Sequence[Task], processes: int) -> Iterator[Done]:
    if processes == 1:
        yield from map(trade, tasks)
        return
    # Spawned: a fork would copy the threads of a progress bar in the middle of what they do.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for future in as_completed([pool.submit(trade, task) for task in tasks]):
            yield future.result()
