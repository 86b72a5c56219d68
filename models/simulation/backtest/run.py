"""Run a strategy over a tape: compiled for those that have a loop, event by event for any Python function.

The event-by-event path keeps a market of its own beside the venue, as a live process does, and calls the functions a live
process calls. It gives the same results to the bit, slower. Here belongs the driving; what a tick does is in `session.py` and
`orders.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import DataError
from models.market.book import new_books
from models.market.feature_params import params_record
from models.market.record import feature_view, new_symbols
from models.market.step import event_of, tick_of
from models.market.tape import EVENT, Events
from models.simulation.backtest import loops
from models.simulation.backtest.orders import carry_out
from models.simulation.backtest.records import BacktestParameters, Session, new_session, with_room
from models.simulation.backtest.results import Results, results_of
from models.simulation.backtest.session import before_step, end
from models.simulation.fills.parameters import FillParameters
from models.simulation.fills.step import finish
from models.simulation.fills.step import step as venue_step
from models.strategies import forced_flow_exhaustion, impact_reversion, two_sided_quotes
from models.strategies.intent import Intent

_SPARE = 4096


class Strategy(NamedTuple):
    """A strategy as the drivers need it.

    Attributes
    ----------
    params : tuple
        Checked.
    state : record
        New; changed by the run.
    step : callable
        ``step(market, params, state) -> Intent``, compiled or plain Python.
    loop : callable or None
        The compiled loop that names this step.

    """

    params: Any
    state: np.record
    step: Callable[[Any, Any, Any], Intent]
    loop: Callable[..., int] | None = None


def impact_reversion_strategy(params: impact_reversion.Params | None = None) -> Strategy:
    """Return S5, flat."""
    checked = impact_reversion.check_params(params or impact_reversion.Params())
    step, loop = impact_reversion.step, loops.run_impact_reversion
    return Strategy(checked, impact_reversion.new_state(), step, loop)


def forced_flow_exhaustion_strategy(params: forced_flow_exhaustion.Params | None = None) -> Strategy:
    """Return S6, flat."""
    checked = forced_flow_exhaustion.check_params(params or forced_flow_exhaustion.Params())
    step, loop = forced_flow_exhaustion.step, loops.run_forced_flow_exhaustion
    return Strategy(checked, forced_flow_exhaustion.new_state(), step, loop)


def two_sided_quotes_strategy(params: two_sided_quotes.Params | None = None) -> Strategy:
    """Return the two-sided quotes, with nothing sent."""
    checked = two_sided_quotes.check_params(params or two_sided_quotes.Params())
    return Strategy(checked, two_sided_quotes.new_state(), two_sided_quotes.step, loops.run_two_sided_quotes)


def _state_array(state: np.record) -> NDArray[np.void]:
    return np.array([state], dtype=state.dtype)


def _as_tape(events: Events) -> Events:
    # Rows from a file have lost the mark of being aligned; compiled code would be made for them all over again.
    if events.dtype != EVENT:
        raise DataError(
            f"backtest: expected a tape of {EVENT.names}, was {events.dtype}",
            remedy="make tapes by the readers or by models.market.tape.from_columns",
        )
    return events.view(EVENT)


def _refuse_overflow(session: Session) -> None:
    if session.simulator.account["overflowed"][0]:
        raise DataError(
            "backtest: expected requests and reports to fit their rings, was an overflow before "
            f"tick {int(session.counts['ticks'][0]) + 1}",
            remedy="send fewer orders per second or shorten the latencies",
        )


def run_compiled(
    chunks: Iterable[Events],
    strategy: Strategy,
    venue: FillParameters,
    parameters: BacktestParameters | None = None,
    feature_params: np.record | None = None,
) -> Results:
    """Run a strategy that has a compiled loop.

    Parameters
    ----------
    chunks : iterable of array of EVENT
        A tape in order; where it is cut changes nothing.
    strategy : Strategy
    venue : FillParameters
    parameters : BacktestParameters, optional
    feature_params : record of PARAMS, optional
        From `feature_params.params_record`.

    Returns
    -------
    Results

    Raises
    ------
    ConfigError
        When a parameter is out of range.
    DataError
        When the requests or reports under way did not fit: at the next tick after it happened.

    """
    if strategy.loop is None:
        return run_events(chunks, strategy, venue, parameters, feature_params)
    chosen = parameters or BacktestParameters()
    session = new_session(venue, chosen, _SPARE)
    own = new_symbols([venue.tick_size], [params_record() if feature_params is None else feature_params])
    states = _state_array(strategy.state)
    taken, last_ns = 0, 0
    for chunk in chunks:
        events, row = _as_tape(chunk), 0
        while row < len(events):
            session = with_room(session, _SPARE)
            row = strategy.loop(own, session, venue, chosen, strategy.params, states, events, row)
            _refuse_overflow(session)
        if len(events):
            last_ns = int(events["local_ts"][-1])
        taken += len(events)
    return _finished(session, venue, own["book"][0], chosen, taken, last_ns)


def run_events(
    chunks: Iterable[Events],
    strategy: Strategy,
    venue: FillParameters,
    parameters: BacktestParameters | None = None,
    feature_params: np.record | None = None,
    on_features: Callable[[int, NDArray[np.float64]], None] | None = None,
) -> Results:
    """Run any strategy, one call per event and tick, as a live process would; see `run_compiled`.

    Parameters
    ----------
    chunks, strategy, venue, parameters, feature_params
        As for `run_compiled`; `strategy.loop` is not used.
    on_features : callable, optional
        Called at each tick with its time and the feature vector, which it must copy to keep.

    """
    chosen = parameters or BacktestParameters()
    session = new_session(venue, chosen, _SPARE)
    own = new_symbols([venue.tick_size], [params_record() if feature_params is None else feature_params])
    market: Any = own["market"][0]
    vector = feature_view(own["market"])[0]
    book = new_books([venue.tick_size])[0]
    state = _state_array(strategy.state)[0]
    taken, last_ns = 0, 0
    for chunk in chunks:
        events = _as_tape(chunk)
        for row in range(len(events)):
            last_ns = int(events["local_ts"][row])
            while tick_of(own, 0, last_ns):
                _refuse_overflow(session)
                session = with_room(session, _SPARE)
                at_ns, mid = int(market["tick_at_ns"]), float(market["mid"])
                if on_features is not None:
                    on_features(at_ns, vector)
                before_step(session, venue, chosen, at_ns, mid, state)
                intent = strategy.step(market, strategy.params, state)
                carry_out(session, venue, chosen, at_ns, mid, intent)
            venue_step(session.simulator, venue, book, events[row])
            event_of(own, 0, events, row)
        taken += len(events)
    return _finished(session, venue, book, chosen, taken, last_ns)


def _finished(
    session: Session,
    venue: FillParameters,
    book: Any,
    parameters: BacktestParameters,
    taken: int,
    last_ns: int,
) -> Results:
    finish(session.simulator, venue, book)
    room = with_room(session, _SPARE)
    end(room, venue, book, last_ns)
    return results_of(room, parameters.capital, taken)
