"""A second pass over the tape of a backtest: at every signal it stops, and asks the gates with the market record of that tick.

The run is the same, cut at the signals; that it gives the same round trips is checked. Here belong where it stops and what is
read there. The judging is `models.simulation.backtest.judging`, the figures `models.simulation.backtest.gated`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hean_pipelines.backtest.plan import Plan
from hean_pipelines.backtest.tapes import Stretch
from models.errors import HeanError
from models.gates.order import Verdict
from models.gates.records import Fees
from models.market.feature_params import params_record
from models.market.step import tick_of
from models.portfolio.roster import Kind
from models.simulation.backtest.gated import Gated, gated_figures
from models.simulation.backtest.judging import Judge, Signal
from models.simulation.bank.records import BankParameters
from models.simulation.bank.run import BankRun, Record
from models.simulation.bank.signals import entries_sent, under_way
from models.simulation.bank.steps import NAMES, Params
from models.strategies.intent import MARKET_ORDER

_NOT_A_TRIP: Final = -1
_REPORT_IT: Final = (
    "this is a fault of HEAN, please report it with the command; --no-gates leaves the second pass out"
)


class PassesDiffer(HeanError):
    """The second pass over a tape did not do what the first did: a fault of HEAN, not of the tape."""


class Stop(NamedTuple):
    """A tick that may be a signal.

    Attributes
    ----------
    signal : Signal
    since_ns : int
        Of a tick at which a round trip begins: the end of the one before. It is a signal only where no order to enter was one
        since. -1 for a tick at which an order to enter was sent.

    """

    signal: Signal
    since_ns: int


def stops_of(plan: Plan, record: Record) -> list[Stop]:
    """Return the ticks of a run at which a signal may have been, in order.

    Parameters
    ----------
    plan : Plan
    record : Record
        Of the main run.

    """
    trips, is_maker = record.trips, plan.entry.kind is Kind.MARKET_MAKING
    stops: list[Stop] = []
    before_ns = 0
    for entry_ns, exit_ns, side in zip(
        *(trips[name].tolist() for name in ("entry_ns", "exit_ns", "side")), strict=True
    ):
        stops.append(Stop(Signal(entry_ns, side, not is_maker), before_ns))
        before_ns = exit_ns
    if is_maker:
        return stops
    entries = entries_sent(record.results.intents, record.results.orders)
    _, first = np.unique(entries["at_ns"], return_index=True)
    entries = entries[first]
    # Within a trip something is under way: no signal.
    trip = np.searchsorted(trips["entry_ns"], entries["at_ns"], side="right") - 1
    ends = np.r_[trips["exit_ns"], 0][trip]
    for row in entries[entries["at_ns"] >= ends]:
        signal = Signal(int(row["at_ns"]), int(row["side"]), int(row["kind"]) == MARKET_ORDER)
        stops.append(Stop(signal, _NOT_A_TRIP))
    return sorted(stops)


def judge_trips(
    plan: Plan,
    record: Record,
    parameters: BankParameters,
    params: Params,
    stretches: Iterable[Stretch],
    *,
    hears_open_interest: bool,
) -> Gated | None:
    """Ask the gates about every signal of a run; None where no round trip was ended.

    Parameters
    ----------
    plan : Plan
    record : Record
        Of the main run.
    parameters, params
        Of the main run.
    stretches : iterable of Stretch
        The same tape again.
    hears_open_interest : bool
        Whether the tape holds any.

    Raises
    ------
    PassesDiffer
        When this pass trades otherwise than the main run did.

    """
    if not len(record.trips):
        return None
    name, venue = plan.entry.name, plan.venue
    run = BankRun([name], venue, parameters, params, params_record(plan.features))
    fees = Fees(1e4 * venue.maker_fee, 1e4 * venue.taker_fee)
    leg_bps = 1e4 * parameters.leg_fee
    judge = Judge(
        name,
        plan.symbol,
        plan.params,
        fees,
        plan.capital_usd,
        hears_open_interest=hears_open_interest,
        partner_fees=Fees(leg_bps, leg_bps) if plan.entry.leg == "pair" else None,
    )
    verdicts: list[Verdict] = []
    for signal, market, state in signals_of(run, stops_of(plan, record), record.trips["exit_ns"], stretches):
        verdicts.append(judge.judge(signal, market, state))
    again = run.finish()[name].trips
    if again.tobytes() != record.trips.tobytes():
        raise PassesDiffer(
            f"backtest: expected the {len(record.trips)} round trips of the first pass over the tape from the second one,"
            f" was {len(again)} or others",
            remedy=_REPORT_IT,
        )
    trips = record.trips[record.trips["notional"] > 0.0]
    at_ns = np.array([verdict.candidate.at_ns for verdict in verdicts], np.int64)
    own = [verdicts[place] for place in np.searchsorted(at_ns, trips["entry_ns"], side="right") - 1]
    return gated_figures(trips, own, len(verdicts), sum(verdict.passed for verdict in verdicts))


def signals_of(
    run: BankRun, stops: list[Stop], exits_ns: NDArray[np.int64], stretches: Iterable[Stretch]
) -> Iterator[tuple[Signal, Any, Any]]:
    """Drive a run over a tape, and yield every signal with the market record and the strategy's state of its tick.

    Parameters
    ----------
    run : BankRun
        New, of one strategy.
    stops : list of Stop
        In order.
    exits_ns : ndarray of int64
        Ends of the round trips.
    stretches : iterable of Stretch

    Yields
    ------
    signal : Signal
    market : record of MARKET
        After the tick and before every event received at it or later: what the strategy saw.
    state : record of the strategy's state
        After its step at that tick; to be read before the next signal is asked for.

    """
    ordered_ns, passed = -1, 0
    for stretch in stretches:
        if len(stretch.outlooks):
            run.tell(stretch.outlooks)
        events, taken = stretch.events, 0
        ticks = np.array([stop.signal.at_ns for stop in stops[passed:]], np.int64)
        # A tick comes before the first event received at its time or later, which sets it off.
        rows = np.searchsorted(np.ascontiguousarray(events["local_ts"]), ticks, side="left")
        # After a silence one event sets off several ticks.
        for row in np.unique(rows[rows < len(events)]).tolist():
            together = stops[passed : passed + int(np.count_nonzero(rows == row))]
            passed += len(together)
            run.take(events[taken:row])
            begun = [
                (stop, _market_at(run, stop.signal.at_ns))
                for stop in _begun(run, together, ordered_ns, exits_ns)
            ]
            taken = row
            if begun:
                run.take(events[row : row + 1])
                taken = row + 1
            for stop, market in begun:
                if stop.since_ns == _NOT_A_TRIP:
                    ordered_ns = stop.signal.at_ns
                yield stop.signal, market, run.bank.states[run.names[0]][0]
        run.take(events[taken:])


def _begun(run: BankRun, stops: list[Stop], ordered_ns: int, exits_ns: NDArray[np.int64]) -> Iterator[Stop]:
    """Yield the signals among stops: nothing was under way before, or what was has just ended.

    `ordered_ns` is the newest signal that was an order to enter.
    """
    is_busy = bool(under_way(run.bank.shared)[NAMES.index(run.names[0])])
    busy_ns = int(run.symbols["market"]["tick_at_ns"][0])
    for stop in stops:
        at_ns = stop.signal.at_ns
        if stop.since_ns != _NOT_A_TRIP:
            begins = stop.since_ns > ordered_ns
        else:
            before, now = np.searchsorted(exits_ns, [busy_ns, at_ns], side="right")
            begins = not is_busy or bool(now > before)
            ordered_ns = at_ns if begins else ordered_ns
        if begins:
            is_busy, busy_ns = True, at_ns
            yield stop


def _market_at(run: BankRun, at_ns: int) -> Any:
    """Return the market record of a tick that is due: the tick is taken in a copy, which no later event reaches."""
    # As bytes: NumPy would copy field by field.
    seen = run.symbols.view(np.uint8).copy().view(run.symbols.dtype)
    while int(seen["market"]["tick_at_ns"][0]) < at_ns and tick_of(seen, 0, at_ns):
        pass
    if int(seen["market"]["tick_at_ns"][0]) != at_ns:
        raise PassesDiffer(
            f"backtest: expected a tick at {at_ns}, was one at {int(seen['market']['tick_at_ns'][0])}",
            remedy=_REPORT_IT,
        )
    return seen["market"][0]
