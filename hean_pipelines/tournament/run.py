"""The markets of a tournament, and what comes of every strategy in one of them.

Here belong tasks and trading one. Processes are `processes.py`, figures `models.simulation.bank.scores`, the page `page.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
"""Alpha ticks. The slow market itself steps once a second unless something fast is under way, and a tick is nearly all that a
market costs; so a second, but where what is planted is over within seconds."""
FAST_SCENARIOS: Final = frozenset({"whales", "spikes", "reverting_cascades", "wide_spreads"})
"""Planted alone, these are traded at `FINE_NS`: a second is too late for impacts and spikes (S5, S6, S13), and a quote that
cannot be renewed in between is another strategy (S12)."""
_FIXED_COST: Final = 20.0
"""A tick's features cost as much as the steps of about twenty strategies."""

OnShare = Callable[[float], None]
"""Told how much of a market is done, 0 to 1."""


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
    tick_ns: int = COARSE_NS

    @property
    def cost(self) -> float:
        """How long it takes, beside other tasks."""
        return self.days * (_FIXED_COST + len(self.names)) * COARSE_NS / self.tick_ns


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
                    tick_ns = FINE_NS if scenario in FAST_SCENARIOS else COARSE_NS
                    rest = (seed + place, own_days, capital_usd, tick_ns)
                    tasks.append(Task(OWN, scenario, symbol, own, *rest))
    return sorted(tasks, key=lambda task: -task.cost)


def trade(task: Task, on_share: OnShare = lambda _share: None) -> Done:
    """Trade one market; runs in any process.

    Parameters
    ----------
    task : Task
    on_share : callable, optional
        Told about twice a day of market.

    """
    from models.market.feature_params import FeatureParams, params_record
    from models.market.symbol_params import params_of_symbol
    from models.simulation.backtest.records import BacktestParameters
    from models.simulation.bank.records import TRIP, BankParameters
    from models.simulation.bank.run import BankRun
    from models.simulation.fills.parameters import FillParameters
    from models.simulation.slow_market.generator import DAY_NS, stream_slow_market

    preset, market = SYMBOLS[task.symbol], SCENARIOS[task.scenario]()
    venue = FillParameters(preset.tick_size, preset.lot_size, seed=task.seed)
    hour = BacktestParameters(task.capital_usd, 3_600_000_000_000)
    features = params_of_symbol(task.symbol, base=FeatureParams(tick_ns=task.tick_ns))
    run = BankRun(task.names, venue, BankParameters(hour), feature_params=params_record(features))
    trips: dict[str, list[NDArray[np.void]]] = {name: [np.zeros(0, TRIP)] for name in run.names}
    for stretch in stream_slow_market(market, task.symbol, task.seed, task.days):
        if len(stretch.outlooks):
            run.tell(stretch.outlooks)
        run.take(stretch.events)
        # Only trips are counted; all else would be gigabytes after months of market making.
        for name, ended in run.take_trips().items():
            trips[name].append(ended)
        on_share(min((run.last_ns - market.start_ns) / (task.days * DAY_NS), 1.0))
    return Done(task, {name: np.concatenate(parts) for name, parts in trips.items()}, run.events)
