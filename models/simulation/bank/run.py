"""Run a bank over a tape with outlooks, stretch by stretch; what came of each strategy.

Here belongs the driving. Threads, files and progress belong to those who call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import ConfigError, DataError
from models.market.feature_params import params_record
from models.market.outlook import OUTLOOK, require_outlooks
from models.market.record import new_symbols
from models.market.tape import EVENT, Events
from models.simulation.backtest.results import TRADE, Overflow, Results, results_of
from models.simulation.backtest.session import end
from models.simulation.bank.emptying import forget_what_is_over
from models.simulation.bank.legs import leg_profit
from models.simulation.bank.loop import run_bank
from models.simulation.bank.records import (
    Bank,
    BankParameters,
    new_bank,
    unknown_outlooks,
    with_room,
)
from models.simulation.bank.steps import NAMES, Params, new_states, record_of
from models.simulation.fills.parameters import FillParameters
from models.simulation.fills.step import finish

_SPARE = 2048


class Record(NamedTuple):
    """What a strategy of a bank did.

    Attributes
    ----------
    results : Results
        Orders and fills are those of the first market; equity, profit, fees, funding and turnover are of both. Where there was
        funding or a second leg, trades are the round trips, whose profit has funding in it.
    trips : ndarray of TRIP
        Round trips that are over, both markets together.
    leg : ndarray of LEG_ACCOUNT, shape (1,)
    unfinished : bool
        Whether a trip was under way at the end.

    """

    results: Results
    trips: NDArray[np.void]
    leg: NDArray[np.void]
    unfinished: bool


def trades_of_trips(trips: NDArray[np.void]) -> NDArray[np.void]:
    """Return round trips as trades: profit before fees, with funding in it; quantity such that its value is the trip's.

    Parameters
    ----------
    trips : array of TRIP

    Returns
    -------
    array of TRADE

    """
    trades = np.zeros(len(trips), TRADE)
    trades["opened_ns"], trades["closed_ns"] = trips["entry_ns"], trips["exit_ns"]
    trades["side"], trades["fees"] = trips["side"], trips["fees"]
    trades["entry_price"], trades["exit_price"] = trips["entry_price"], trips["exit_price"]
    trades["quantity"] = trips["notional"] / trips["entry_price"]
    trades["profit"] = trips["profit"] + trips["fees"]
    return trades


def places_of(names: Sequence[str]) -> list[int]:
    """Return the places of strategies in the bank.

    Raises
    ------
    ConfigError
        When a name is unknown.

    """
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise ConfigError(f"bank: expected strategies among {', '.join(NAMES)}, was {', '.join(unknown)}")
    return [NAMES.index(name) for name in names]


class BankRun:
    """A bank that is driven stretch by stretch, by whoever has events: a backtest, a tournament, the executor.

    Parameters
    ----------
    names : sequence of str
        Strategies that run.
    venue : FillParameters
    parameters : BankParameters
    params : steps.Params, optional
        Checked by their own modules.
    feature_params : record of PARAMS, optional
    spare : int
        Rows of each kind there is room for at first.

    """

    def __init__(
        self,
        names: Sequence[str],
        venue: FillParameters,
        parameters: BankParameters | None = None,
        params: Params | None = None,
        feature_params: np.record | None = None,
        spare: int = _SPARE,
    ) -> None:
        self.names = tuple(name for name in NAMES if name in names)
        self.venue = venue
        self.parameters = parameters or BankParameters()
        self.params = params or Params()
        self._params = record_of(self.params)
        self.bank: Bank = new_bank(new_states(), places_of(names), venue, self.parameters, spare)
        own = params_record() if feature_params is None else feature_params
        self.symbols = new_symbols([venue.tick_size], [own])
        self.events = 0
        self.last_ns = 0
        self._spare = spare
        self._is_whole = True
        self._outlooks = unknown_outlooks()

    def tell(self, outlooks: NDArray[np.void]) -> None:
        """Say what is known beyond the tape from now on; what held before goes on until the first row's time.

        Raises
        ------
        DataError
            When it is no table of outlooks.

        """
        told = require_outlooks(outlooks)
        row = self.bank.shared.outlook_row
        held = self._outlooks[row[0] : row[0] + 1]
        # As bytes: NumPy would copy the rows field by field.
        both = np.concatenate([held.view(np.uint8), told.view(np.uint8)])
        self._outlooks = both.view(OUTLOOK)
        row[0] = 0

    def take(self, events: Events) -> None:
        """Take a stretch of tape.

        Raises
        ------
        DataError
            When rows are no events, or more was under way than there is room for.

        """
        if events.dtype != EVENT:
            raise DataError(f"bank: expected a tape of {EVENT.names}, was {events.dtype}")
        rows, row = events.view(EVENT), 0
        while row < len(rows):
            bank = self.bank
            row = run_bank(
                self.symbols,
                bank.sessions,
                bank.shared,
                self.venue,
                self.parameters,
                self._params,
                bank.states,
                self._outlooks,
                rows,
                row,
            )
            if row < len(rows):
                self._refuse_overflow()
                self.bank = with_room(bank, self._spare)
        if len(rows):
            self.last_ns = int(rows["local_ts"][-1])
        self.events += len(rows)

    def _refuse_overflow(self) -> None:
        full = [NAMES[k] for k in np.flatnonzero(self.bank.shared.accounts["overflowed"])]
        if full:
            raise Overflow(
                f"bank: expected requests and reports to fit their rings, was an overflow of {', '.join(full)}",
                remedy="send fewer orders per second or shorten the latencies",
            )

    def take_trips(self) -> Mapping[str, NDArray[np.void]]:
        """Return the round trips that ended since the last time, and forget everything that is over.

        For those who count trips alone over long markets: memory stays that of what happens between two calls. What is traded
        afterwards is the same as without it.

        Returns
        -------
        mapping of str to array of TRIP

        Raises
        ------
        DataError
            When more was under way than there is room for.

        """
        self._refuse_overflow()
        self._is_whole = False
        counts = self.bank.shared.trip_counts
        ended = {name: self.bank.shared.trips[k, : counts[k]].copy() for name, k in self._places()}
        counts[:] = 0
        forget_what_is_over(self.bank)
        return ended

    def _places(self) -> Iterable[tuple[str, int]]:
        return zip(self.names, places_of(self.names), strict=True)

    def finish(self) -> Mapping[str, Record]:
        """Let requests under way arrive, and return what each strategy did.

        Raises
        ------
        ConfigError
            When rows were forgotten on the way (`take_trips`): then there is no whole record.
        DataError
            When more was under way than there is room for.

        """
        if not self._is_whole:
            raise ConfigError("bank: expected a run whose rows were kept, was one emptied by take_trips")
        self._refuse_overflow()
        self.bank = with_room(self.bank, self._spare)
        book: Any = self.symbols["book"][0]
        records = {}
        for name, k in self._places():
            session, leg = self.bank.sessions[k], self.bank.shared.legs[k]
            finish(session.simulator, self.venue, book)
            end(session, self.venue, book, self.last_ns)
            session.equities["equity"][int(session.counts["equities"][0]) - 1] += leg_profit(leg)
            trips = self.bank.shared.trips[k, : int(self.bank.shared.trip_counts[k])].copy()
            results = results_of(session, self.parameters.run.capital, self.events)
            if results.funding != 0.0 or leg["trades"]:
                results = results._replace(
                    trades=trades_of_trips(trips),
                    fees=results.fees + float(leg["fees"]),
                    funding=results.funding + float(leg["funding"]),
                    turnover=results.turnover + float(leg["turnover"]) / self.parameters.run.capital,
                )
            records[name] = Record(
                results,
                trips,
                self.bank.shared.legs[k : k + 1].copy(),
                bool(self.bank.shared.open_trips["entry_ns"][k]),
            )
        return records


def run_strategies(
    stretches: Iterable[tuple[Events, NDArray[np.void]] | Any],
    names: Sequence[str],
    venue: FillParameters,
    parameters: BankParameters | None = None,
    params: Params | None = None,
    feature_params: np.record | None = None,
) -> Mapping[str, Record]:
    """Run strategies over a tape with outlooks.

    Parameters
    ----------
    stretches : iterable of (events, outlooks)
        In order; the outlooks are those that became known in the stretch, none where nothing did.
    names, venue, parameters, params, feature_params
        See `BankRun`.

    Returns
    -------
    mapping of str to Record

    """
    run = BankRun(names, venue, parameters, params, feature_params)
    for stretch in stretches:
        if len(stretch[1]):
            run.tell(stretch[1])
        run.take(stretch[0])
    return run.finish()
