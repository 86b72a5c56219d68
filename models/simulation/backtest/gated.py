"""What the gates would have let through of a backtest's round trips, and what each gate cost or saved.

Here belongs arithmetic over finished trips and the verdicts on their signals. Who asks the gates is `judging.py`. Results are
those of the ungated run, at its sizes: a trip a gate blocks is left out, nothing is traded in its place.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.gates.blame import SEVERAL, sole_block
from models.gates.order import ORDER, Gate, Verdict
from models.learning.gate_cost import GateCost, gate_costs
from models.learning.trades import TradeTable, table_of
from models.simulation.backtest.figures import Estimate, mean_of


@dataclass(frozen=True)
class Trips:
    """Some round trips: how many, mean net of one in bps of its notional (None without trips), and their sum in USD."""

    trips: int
    net_bps: Estimate | None
    net_usd: float


@dataclass(frozen=True)
class GateFigures:
    """What one gate did.

    Attributes
    ----------
    row, name : str
    blocked : int
        Trips it blocked, whatever the other gates said.
    alone : Trips
        Those no other gate blocked, permissions apart (`blame.sole_block`): their outcome is this gate's doing.
    verdict : str
        As in `GateCost`; empty where it blocked none alone.
    reasons : tuple of (str, int)
        Of all its blocks, the most frequent first.
    multiplier : float or None
        Mean over the trips that passed every gate; None without such trips.

    """

    row: str
    name: str
    blocked: int
    alone: Trips
    verdict: str
    reasons: tuple[tuple[str, int], ...]
    multiplier: float | None


@dataclass(frozen=True)
class Gated:
    """What the gates would have made of a run.

    Attributes
    ----------
    signals, signals_passed : int
        Judged, those whose orders were never filled included.
    every, passed, shared : Trips
        All; those that passed every gate; those that several gates blocked, so that none may claim them. With what each gate
        blocked alone, `passed` and `shared` add up to `every`.
    gates : tuple of GateFigures
        In the order they are asked.

    """

    signals: int
    signals_passed: int
    every: Trips
    passed: Trips
    shared: Trips
    gates: tuple[GateFigures, ...]


def gated_figures(
    trips: NDArray[np.void], verdicts: Sequence[Verdict], signals: int, signals_passed: int
) -> Gated:
    """Return what the gates would have let through, and what each cost.

    Parameters
    ----------
    trips : array of TRIP
        In order of time; those that traded nothing left out.
    verdicts : sequence of Verdict
        On the signal of each trip.
    signals, signals_passed : int

    Raises
    ------
    DataError
        When there is not one verdict a trip.

    """
    if len(trips) != len(verdicts):
        raise DataError(f"gates: expected one verdict a trip, was {len(verdicts)} for {len(trips)} trips")
    table = _table(trips, [_blamed(verdict) for verdict in verdicts])
    costs = {cost.gate: cost for cost in gate_costs(table)}
    passed = [verdict for verdict in verdicts if verdict.passed]
    return Gated(
        signals,
        signals_passed,
        _trips(table),
        _trips(table.take(table.blocked_by == "")),
        _trips_of(costs.get(SEVERAL), table.take(table.blocked_by == SEVERAL)),
        tuple(_gate(place, gate, verdicts, passed, table, costs) for place, gate in enumerate(ORDER)),
    )


def _blamed(verdict: Verdict) -> str:
    """Return the name of the gate a block is counted under, `SEVERAL`, or nothing where all passed."""
    if verdict.passed:
        return ""
    sole = sole_block(verdict)
    return SEVERAL if sole is None else sole.name


def _table(trips: NDArray[np.void], blamed: Sequence[str]) -> TradeTable:
    count = len(trips)
    return table_of(
        {
            "strategy": [""] * count,
            "symbol": [""] * count,
            "is_live": np.zeros(count, bool),
            "blocked_by": np.array(blamed, object),
            "entry_ns": trips["entry_ns"],
            "exit_ns": trips["exit_ns"],
            "pnl_bps": 1e4 * trips["profit"] / trips["notional"],
            "pnl_usd": trips["profit"],
        }
    )


def _trips(table: TradeTable) -> Trips:
    longest_ns = max(int((table.exit_ns - table.entry_ns).max()), 1) if len(table) else 1
    return Trips(len(table), mean_of(table.pnl_bps, table.entry_ns, longest_ns), float(table.pnl_usd.sum()))


def _trips_of(cost: GateCost | None, table: TradeTable) -> Trips:
    """Return the trips of a gate with the interval its verdict rests on."""
    if cost is None:
        return Trips(0, None, 0.0)
    known = math.isfinite(cost.low_bps)
    low, high = (cost.low_bps, cost.high_bps) if known else (None, None)
    return Trips(cost.trades, Estimate(float(table.pnl_bps.mean()), low, high, cost.trades), cost.total_usd)


def _gate(
    place: int,
    gate: Gate,
    verdicts: Sequence[Verdict],
    passed: Sequence[Verdict],
    table: TradeTable,
    costs: dict[str, GateCost],
) -> GateFigures:
    said = [verdict.outcomes[place] for verdict in verdicts]
    reasons = Counter(outcome.reason for outcome in said if not outcome.passed)
    cost = costs.get(gate.name)
    factors = [verdict.outcomes[place].multiplier for verdict in passed]
    return GateFigures(
        gate.row,
        gate.name,
        reasons.total(),
        _trips_of(cost, table.take(table.blocked_by == gate.name)),
        "" if cost is None else cost.verdict,
        tuple(reasons.most_common()),
        sum(factors) / len(factors) if factors else None,
    )
