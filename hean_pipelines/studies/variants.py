"""The configurations of S5 and S6 that E7 tries, and what each earned on a tape, period by period.

Every one is run through the compiled backtest with queue-aware fills. Here belong the grid and the runs; judging them is
`overfitting`'s.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from hean_pipelines.studies.tapes import OnHours, Tape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.simulation.backtest.results import Results
    from models.simulation.backtest.run import Strategy

PERIODS: Final = 96
"""Rows of the table of returns: 6 for each of its 16 blocks."""
LEAST_PERIOD_NS: Final = 300_000_000_000
HOUR_NS: Final = 3_600_000_000_000
S5_GRID: Final = {"target_share": (0.35, 0.5, 0.75, 1.0), "stop_share": (1.0 / 3.0, 0.6)}
S6_GRID: Final = {"exit_lpi": (0.6, 1.2), "stop_sigmas": (1.5, 2.5), "time_stop_s": (60.0, 120.0)}
"""Around the specified numbers, which are in the grids."""


@dataclass(frozen=True)
class Variant:
    """A configuration.

    Attributes
    ----------
    strategy : str
        ``S5`` or ``S6``.
    changes : dict of str to float
        Parameters of the grid.

    """

    strategy: str
    changes: dict[str, float]

    @property
    def name(self) -> str:
        """Strategy and parameters in one line."""
        return f"{self.strategy} " + ", ".join(f"{key} {value:.3g}" for key, value in self.changes.items())


@dataclass(frozen=True)
class Trials:
    """What the configurations earned.

    Attributes
    ----------
    variants : tuple of Variant
    start_ns, end_ns : ndarray of int64, shape (t,)
        Begin of each period, and when the last position begun in it must have ended.
    returns : ndarray of float64, shape (t, variants)
        Change of equity after costs, as a share of capital.
    trades, fills : tuple of int
    profits : tuple of float
        Share of capital.

    """

    variants: tuple[Variant, ...]
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    returns: NDArray[np.float64]
    trades: tuple[int, ...]
    fills: tuple[int, ...]
    profits: tuple[float, ...]


def all_variants() -> tuple[Variant, ...]:
    """Return every configuration tried: 8 of S5, 8 of S6."""
    return tuple(
        Variant(strategy, dict(zip(grid, values, strict=True)))
        for strategy, grid in (("S5", S5_GRID), ("S6", S6_GRID))
        for values in itertools.product(*grid.values())
    )


def run_variants(tape: Tape, on_hours: OnHours | None = None) -> Trials:
    """Backtest every configuration over a tape.

    Parameters
    ----------
    tape : Tape
        Read once for each configuration: none of it is held in memory.
    on_hours : callable, optional
        Told hours of tape, each configuration counting its share.

    Returns
    -------
    Trials

    """
    import numpy as np

    from models.simulation.backtest.records import BacktestParameters
    from models.simulation.backtest.run import run_compiled
    from models.simulation.fills.parameters import FillParameters

    venue = FillParameters(tape.tick_size, tape.lot_size)
    if not tape.costs:
        venue = venue._replace(maker_fee=0.0, taker_fee=0.0)
    parameters = BacktestParameters()
    variants, found = all_variants(), []
    for variant in variants:
        found.append(
            run_compiled(_told(tape, on_hours, len(variants)), _strategy(variant), venue, parameters)
        )
    start, end, edges = _periods(found[0].equity["at_ns"], _longest_hold_ns())
    columns = [_returns(result, edges, parameters.capital) for result in found]
    return Trials(
        variants,
        start,
        end,
        np.column_stack(columns),
        tuple(len(result.trades) for result in found),
        tuple(len(result.fills) for result in found),
        tuple(result.profit / parameters.capital for result in found),
    )


def _told(tape: Tape, on_hours: OnHours | None, variants: int) -> Iterator[Any]:
    last_ns: int | None = None
    for events in tape.chunks():
        yield events
        if len(events) and on_hours is not None:
            now_ns = int(events["local_ts"][-1])
            first_ns = last_ns if last_ns is not None else int(events["local_ts"][0])
            on_hours((now_ns - first_ns) / HOUR_NS / variants)
            last_ns = now_ns


def _strategy(variant: Variant) -> Strategy:
    from models.simulation.backtest.run import forced_flow_exhaustion_strategy, impact_reversion_strategy
    from models.strategies import forced_flow_exhaustion, impact_reversion

    if variant.strategy == "S5":
        return impact_reversion_strategy(impact_reversion.Params(**variant.changes))  # type: ignore[arg-type]
    return forced_flow_exhaustion_strategy(forced_flow_exhaustion.Params(**variant.changes))  # type: ignore[arg-type]


def _longest_hold_ns() -> int:
    return int(1e9 * max(S6_GRID["time_stop_s"]))


def _periods(equity_ns: Any, hold_ns: int) -> tuple[Any, Any, Any]:
    """Cut a run into equal periods of at least five minutes; the last ends with the run."""
    import numpy as np

    if len(equity_ns) < 2:
        nothing = np.empty(0, np.int64)
        return nothing, nothing, nothing
    span = int(equity_ns[-1] - equity_ns[0])
    length = max(span // PERIODS, LEAST_PERIOD_NS)
    edges = int(equity_ns[0]) + length * np.arange(span // length + 1, dtype=np.int64)
    return edges[:-1], edges[1:] + hold_ns, edges


def _returns(result: Results, edges: Any, capital: float) -> Any:
    import numpy as np

    if len(edges) < 2:
        return np.empty(0)
    row = np.searchsorted(result.equity["at_ns"], edges, side="right") - 1
    return np.diff(result.equity["equity"][row]) / capital
