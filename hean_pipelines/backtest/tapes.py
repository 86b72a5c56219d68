"""Where a backtest's events come from: a synthetic market or recorded files, streamed, with what was found on the way.

Only the slow synthetic market comes with outlooks: recordings of one symbol say nothing of forecasts and other markets.

A tape can be read several times; each time gives the same events. Here belong choosing, cutting to the days asked for, and
saying what a tape holds. What does not: parsing (`models.market.readers`), opening files (`hean_pipelines.sources.tape_files`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hean_pipelines.backtest.ahead import ahead
from hean_pipelines.backtest.plan import Plan
from hean_pipelines.sources.tape_files import read_tape_files, tape_reader
from models.errors import DataError
from models.market.outlook import new_outlooks
from models.market.tape import Events
from models.market.tape_report import TapeCheck, TapeReport
from models.simulation.backtest.synthetic_tape import stream_synthetic_tape
from models.simulation.slow_market.generator import LabelledStretch, stream_labelled_market

DAY_S = 86_400.0
_DAY_NS = 86_400_000_000_000
_ENOUGH = 0.99
"""A day's recording ends a little before midnight."""

_NOTHING_NEW: Final = new_outlooks(0)

OnShare = Callable[[float], None]
"""Told how much of the tape was read, 0 to 1."""


class Stretch(NamedTuple):
    """Events (array of EVENT), and what was known beyond them (array of OUTLOOK; no rows where nothing new is known)."""

    events: Events
    outlooks: NDArray[np.void]


class NoTrades(DataError):
    """The tape holds no trade of the symbol: nothing can be concluded from it."""


@dataclass(frozen=True)
class TapeFacts:
    """What a tape held.

    Attributes
    ----------
    report : TapeReport
    problems : tuple of str
        Of the tape, and of reading it.
    episodes : array of EPISODE or None
        What was planted; None for a recording.

    """

    report: TapeReport
    problems: tuple[str, ...]
    episodes: NDArray[np.void] | None

    @property
    def days(self) -> float:
        """From the first to the last event."""
        first, last = self.report.first_local_ts or 0, self.report.last_local_ts or 0
        return (last - first) / _DAY_NS

    @property
    def hears_open_interest(self) -> bool:
        """Whether the tape holds any."""
        return bool(self.report.counts.get("open_interest", 0))


class Tape:
    """The tape of a plan.

    Parameters
    ----------
    plan : Plan

    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.facts: TapeFacts | None = None

    def first_pass(self, on_share: OnShare) -> Iterator[Stretch]:
        """Yield the whole tape and write down its facts, which are complete when the last chunk is taken.

        Raises
        ------
        NoTrades
            After the last chunk, when there was no trade.
        DataError
            After the last chunk, when there were fewer days than asked for; or when a file is broken.

        """
        check, episodes = TapeCheck(), []
        problems: tuple[str, ...] = ()
        if self._plan.market == "slow":
            for made in self._slow(self._plan.days or 0.0, on_share):
                check.update(made.events)
                episodes.append(made.episodes)
                yield Stretch(made.events, made.outlooks)
        elif self._plan.market == "synthetic":
            for events, ended in self._synthetic(self._plan.days or 0.0):
                check.update(events)
                episodes.append(ended)
                yield Stretch(events, _NOTHING_NEW)
                self._tell(events, on_share, self._plan.days or 0.0)
        else:
            reader = self._reader()
            seen: set[str] = set()
            for events in self._recorded(reader, self._plan.days, on_share, seen):
                check.update(events)
                yield Stretch(events, _NOTHING_NEW)
            problems = reader.stats.problems()
            self._require(check.report(), seen)
        report = check.report()
        planted = np.concatenate(episodes) if episodes else None
        self.facts = TapeFacts(report, (*report.problems(), *problems), planted)
        self._require_days(self.facts)

    def again(self, days: float | None, on_share: OnShare) -> Iterator[Stretch]:
        """Yield the first `days` of the same tape; None takes a recording whole."""
        if self._plan.market == "slow":
            for made in self._slow(days or 0.0, on_share):
                yield Stretch(made.events, made.outlooks)
        elif self._plan.market == "synthetic":
            for events, _ in self._synthetic(days or 0.0):
                yield Stretch(events, _NOTHING_NEW)
                self._tell(events, on_share, days or 0.0)
        else:
            for events in self._recorded(self._reader(), days, on_share, set()):
                yield Stretch(events, _NOTHING_NEW)

    def _slow(self, days: float, on_share: OnShare) -> Iterator[LabelledStretch]:
        market = self._plan.slow_market
        assert market is not None  # noqa: S101 - as the plan says
        for made in ahead(stream_labelled_market(market, self._plan.symbol, self._plan.seed, days)):
            yield made
            if len(made.events):
                on_share((int(made.events["local_ts"][-1]) - market.start_ns) / (days * _DAY_NS))

    def _synthetic(self, days: float) -> Iterator[tuple[Events, NDArray[np.void]]]:
        assert self._plan.order_flow is not None  # noqa: S101 - as the plan says
        return ahead(stream_synthetic_tape(self._plan.order_flow, self._plan.seed, days * DAY_S))

    def _tell(self, events: Events, on_share: OnShare, days: float) -> None:
        if len(events) and self._plan.order_flow is not None:
            on_share((int(events["local_ts"][-1]) - self._plan.order_flow.start_ns) / (days * _DAY_NS))

    def _reader(self) -> Any:
        return tape_reader(self._plan.tape_format, self._plan.symbol)

    def _recorded(
        self, reader: Any, days: float | None, on_share: OnShare, seen: set[str]
    ) -> Iterator[Events]:
        total = max(sum(path.stat().st_size for path in self._plan.tapes), 1)
        done = 0

        def on_bytes(count: int) -> None:
            nonlocal done
            done += count
            on_share(done / total)

        until: int | None = None
        for symbol, events in read_tape_files(
            self._plan.tapes, self._plan.tape_format, reader, on_bytes=on_bytes
        ):
            seen.add(symbol)
            if symbol != self._plan.symbol or not len(events):
                continue
            if until is None and days is not None:
                until = int(events["local_ts"][0]) + int(days * _DAY_NS)
            if until is not None and int(events["local_ts"][-1]) >= until:
                yield events[: int(np.searchsorted(events["local_ts"], until))]
                return
            yield events

    def _require(self, report: TapeReport, seen: set[str]) -> None:
        if report.counts.get("trade", 0):
            return
        held = f"the files hold {', '.join(sorted(seen)) or 'no symbol'}"
        raise NoTrades(
            f"tape: expected trades of {self._plan.symbol}, was none in {report.events:,} events; {held}",
            remedy="pass --symbol, or a recording with trades and the order book",
        )

    def _require_days(self, facts: TapeFacts) -> None:
        asked = self._plan.days
        if asked is not None and facts.days < _ENOUGH * asked:
            raise DataError(
                f"tape: expected {asked:g} days, was {facts.days:.4g}",
                remedy="pass more files, or leave --days out to take all there is",
            )
