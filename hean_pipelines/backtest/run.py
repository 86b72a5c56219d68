"""The passes over a tape: the run that was asked for, its gates, the same at other capitals, a look at why nothing happened.

Here belongs their order and their progress. Figures come from `models.simulation.backtest`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from hean_pipelines.backtest.gated import judge_trips
from hean_pipelines.backtest.plan import Plan
from hean_pipelines.backtest.tapes import DAY_S, Stretch, Tape, TapeFacts
from models.market.feature_params import params_record
from models.market.outlook import OUTLOOK
from models.simulation.backtest.activity import Count, held_back
from models.simulation.backtest.capacity import CapacityRow, capacity_row
from models.simulation.backtest.gated import Gated
from models.simulation.backtest.records import BacktestParameters
from models.simulation.backtest.results import Results
from models.simulation.bank.alone import strategy_alone
from models.simulation.bank.records import BankParameters, unknown_outlooks
from models.simulation.bank.run import Record, run_strategies
from models.simulation.bank.steps import Params

CAPACITY_DAYS = 5.0
"""Most days the capitals are compared on: the comparison needs trades, not seasons."""
LOOK_DAYS = 1.0 / 48.0
"""How much of the tape is looked at tick by tick when nothing was traded."""
_MOST_EQUITY_ROWS = 864_000
_SECOND_NS = 1_000_000_000

OnProgress = Callable[[str, float], None]
"""Told what is being done, and how much of everything is done, 0 to 1."""


@dataclass(frozen=True)
class Outcome:
    """What came of a plan.

    Attributes
    ----------
    plan : Plan
    results : Results
    tape : TapeFacts
    capacity : tuple of CapacityRow
        Empty where not one order was wanted, or only one multiple was asked for.
    capacity_days : float
        Of the tape they were compared on.
    held_back : tuple of Count
        What the strategy said at each tick of the tape's first half hour; only where it did not trade.
    gated : Gated or None
        What the gates would have let through; None where they were not asked, or no round trip was ended.
    gates_s : float
        How long asking them took.

    """

    plan: Plan
    results: Results
    tape: TapeFacts
    capacity: tuple[CapacityRow, ...]
    capacity_days: float
    held_back: tuple[Count, ...]
    gated: Gated | None
    gates_s: float


def run_backtest(plan: Plan, on_progress: OnProgress = lambda _what, _share: None) -> Outcome:
    """Run a plan.

    Parameters
    ----------
    plan : Plan
    on_progress : callable, optional

    Raises
    ------
    NoTrades
        When the tape holds no trade of the symbol.
    Overflow
        When more was under way than there is room for.
    DataError
        When a file is broken or holds fewer days than asked for.
    PassesDiffer
        When the pass that asks the gates trades otherwise than the first one.

    """
    tape, others = Tape(plan), plan.capacity[1:]
    # Of a recording whose length nobody said, every pass counts the same.
    compared = min(plan.days or CAPACITY_DAYS, CAPACITY_DAYS)
    whole = plan.days or CAPACITY_DAYS
    weights = [whole, whole * plan.gates, *(compared for _ in others)]

    def told(what: str, number: int) -> Callable[[float], None]:
        before, total = sum(weights[:number]), sum(weights)
        return lambda share: on_progress(what, (before + min(share, 1.0) * weights[number]) / total)

    on_progress("loading code (compiling takes a minute)", 0.0)
    record = _run(plan, tape.first_pass(told("trading the tape", 0)), 1.0)
    results = record.results
    facts = tape.facts
    assert facts is not None  # noqa: S101 - complete after the pass
    looked: tuple[Count, ...] = ()
    if not len(results.trades):
        on_progress("looking at why nothing was traded", 1.0)
        looked = _look(plan, tape)
    started = time.monotonic()
    gated = _gated(plan, tape, facts, record, told("asking the gates", 1)) if plan.gates else None
    gates_s = time.monotonic() - started
    compared = min(compared, facts.days)
    rows = []
    # Where not one order was wanted, more capital wants none either.
    if others and (len(results.trades) or results.dropped):
        until_ns = (facts.report.first_local_ts or 0) + int(compared * DAY_S * 1e9)
        rows.append(capacity_row(results, 1.0, plan.capital_usd, until_ns))
        for number, multiple in enumerate(others, 2):
            stretch = tape.again(compared, told(f"capacity at {multiple:g} times the capital", number))
            other = _run(plan, stretch, multiple).results
            rows.append(capacity_row(other, multiple, multiple * plan.capital_usd))
    return Outcome(plan, results, facts, tuple(rows), compared if rows else 0.0, looked, gated, gates_s)


def _parameters(plan: Plan, multiple: float) -> BacktestParameters:
    # As fine as memory allows whatever the length: trades are drawn on these mids.
    period_s = math.ceil((plan.days or 0.0) * DAY_S / _MOST_EQUITY_ROWS)
    return BacktestParameters(multiple * plan.capital_usd, max(period_s, 1) * _SECOND_NS)


def _params(plan: Plan) -> Params:
    return Params()._replace(**{plan.entry.name: plan.params})


def _run(plan: Plan, stretches: Iterable[Stretch], multiple: float) -> Record:
    bank = BankParameters(_parameters(plan, multiple))
    own = params_record(plan.features)
    records = run_strategies(stretches, [plan.entry.name], plan.venue, bank, _params(plan), own)
    return records[plan.entry.name]


def _gated(
    plan: Plan, tape: Tape, facts: TapeFacts, record: Record, on_share: Callable[[float], None]
) -> Gated | None:
    return judge_trips(
        plan,
        record,
        BankParameters(_parameters(plan, 1.0)),
        _params(plan),
        tape.again(plan.days, on_share),
        hears_open_interest=facts.hears_open_interest,
    )


def _look(plan: Plan, tape: Tape) -> tuple[Count, ...]:
    stretches = list(tape.again(min(LOOK_DAYS, plan.days or LOOK_DAYS), lambda _share: None))
    known = [stretch.outlooks for stretch in stretches if len(stretch.outlooks)]
    outlooks = np.concatenate(known).view(OUTLOOK) if known else unknown_outlooks()
    strategy = strategy_alone(plan.entry, plan.params, outlooks)
    events = (stretch.events for stretch in stretches)
    own = params_record(plan.features)
    return tuple(held_back(events, strategy, plan.venue, _parameters(plan, 1.0), plan.entry.reasons, own))
