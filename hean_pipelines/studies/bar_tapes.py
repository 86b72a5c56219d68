"""Recorded bars as tapes: the first steps that need no book are asked of months of 5-minute closes in the lake.

A bar becomes one message when it is over: a book of a level a side about its close. Beside it go outlooks with what was known:
settlements and forecasts of their rates, closes of the spot market and of a partner with terms fitted on the week before, closes
and settled rates of another venue, the mood. Nothing moves within a bar, nobody trades, and where a bar is missing the book is
not valid until the next. What does not belong here: reading (`bar_series`), and which questions bars can answer (`questions`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hean_pipelines.studies.bar_datasets import PERP, SPOT
from hean_pipelines.studies.bar_series import (
    Forecasts,
    Series,
    Settlements,
    closes_of,
    forecasts_of,
    interest_of,
    mood_of,
    no_forecasts,
    no_other_venue,
    no_series,
    other_venue_of,
    settlements_of,
    symbols_of,
)
from hean_pipelines.studies.outcome import Market
from hean_pipelines.studies.tapes import Tape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.market.tape import Events

    Ints = NDArray[np.int64]

BAR_S: Final = 300
WINDOW: Final = 2016
"""Bars of a pair's fit: a week, as in the executor."""
REFIT: Final = 288
"""Bars between fits: a day."""
HALF_SPREAD: Final = 0.5e-4
"""Assumed of every market, fraction."""
_BAR_NS: Final = BAR_S * 1_000_000_000
_HOUR_NS: Final = 3_600_000_000_000
_STRETCH_NS: Final = 30 * 24 * _HOUR_NS
_LONGEST_H: Final = 8.0
_DEPTH_USD: Final = 1e7
_LOT: Final = 1e-6
_UNITS: Final = 1e8
_NOTES: Final = (
    "5-minute closes: nothing is known of the price within a bar, and prices at a signal are up to 5 minutes old",
    "no book: a spread of 1 bp is assumed of every market, and orders of any size",
)
_SETTLED: Final = "of each venue the rate settled last stands for the one under way, which no history holds"


@dataclass(frozen=True)
class _Beside:
    """What was known beside a symbol's own bars; empty parts where nothing was, or nobody asks."""

    spot: Series
    partner: Series
    terms: Any  # array of TERMS
    interest: Series
    mood: Series
    settlements: Settlements
    forecasts: Forecasts
    other: Series
    other_settlements: Settlements


def bar_tapes(strategy: str, lake_root: Path, kind: str) -> list[Tape]:
    """Return a tape for each symbol whose bars the lake holds, with what a strategy asks for beside them.

    Parameters
    ----------
    strategy : str
    lake_root : Path
    kind : str
        ``recorded``, or ``synthetic`` where the lake was filled from a venue that made its market up.

    """
    from models.strategies.catalogue import CATALOGUE

    needs = frozenset(CATALOGUE[strategy].needs)
    bars = {symbol: closes_of(lake_root, PERP, symbol) for symbol in symbols_of(lake_root)}
    bars = {symbol: closes for symbol, closes in bars.items() if len(closes) > 1}
    return [_tape(symbol, bars, needs, lake_root, kind) for symbol in bars]


def _tape(symbol: str, bars: Mapping[str, Series], needs: frozenset[str], lake_root: Path, kind: str) -> Tape:
    from models.strategies import catalogue as have

    own, nothing = bars[symbol], no_series()
    spot = closes_of(lake_root, SPOT, symbol) if have.SPOT in needs else nothing
    interest = interest_of(lake_root, symbol) if have.OPEN_INTEREST in needs else nothing
    mood = mood_of(lake_root) if have.SENTIMENT in needs else nothing
    settled = settlements_of(lake_root, symbol)
    told = forecasts_of(lake_root, symbol, settled) if have.FORECAST in needs else no_forecasts()
    partner = closest(symbol, bars) if have.PAIR in needs else ""
    elsewhere = other_venue_of(lake_root, symbol) if have.OTHER_VENUE in needs else no_other_venue()
    there, other, other_settled = elsewhere
    found = (
        (have.SPOT, len(spot)),
        (have.OPEN_INTEREST, len(interest)),
        (have.FUNDING, len(settled.at_ns)),
        (have.FORECAST, len(told.at_ns)),
        (have.PAIR, len(partner)),
        (have.OTHER_VENUE, min(len(other), len(other_settled.at_ns))),
        (have.SENTIMENT, len(mood)),
    )
    tick, hours = _tick(own), float(own.at_ns[-1] - own.at_ns[0]) / _HOUR_NS

    def stretches() -> Iterator[tuple[Events, Any]]:
        pair = bars[partner] if partner else nothing
        beside = _Beside(spot, pair, _terms(own, pair), interest, mood, settled, told, other, other_settled)
        return _stretches(own, beside, tick)

    def chunks() -> Iterator[Events]:
        for events, _ in stretches():
            yield events

    beside_words = f", pair with {partner}" if partner else f", beside {there} of Binance" if there else ""
    holes = int(np.count_nonzero(np.diff(own.at_ns) > _BAR_NS))
    notes = (
        *_NOTES,
        *([_SETTLED] if there else []),
        *([f"bars are missing at {holes} places"] if holes else []),
    )
    market = Market(kind, f"{symbol}, 5-minute bars{beside_words}", symbol, None, (), hours, notes)
    holds = (have.TRADES, have.BOOK, *(need for need, count in found if count))
    return Tape(market, tick, _LOT, chunks, told=stretches, holds=holds, bar_s=float(BAR_S))


def closest(own: str, bars: Mapping[str, Series]) -> str:
    """Return the symbol whose price kept closest to that of `own` over its first week of bars; empty without one.

    The distance is that of Gatev, Goetzmann and Rouwenhorst (2006), as in the executor. The pair is kept from then on; a symbol
    listed later is not looked at.
    """
    week, mine = bars[own].at_ns[:WINDOW], bars[own].value[:WINDOW]
    distances = {}
    for symbol, other in bars.items():
        if symbol != own and len(week) == WINDOW and np.isin(week, other.at_ns).all():
            its = other.held(week)
            apart = mine / mine[0] - its / its[0]
            distances[symbol] = float(apart @ apart)
    return min(distances, key=lambda symbol: (distances[symbol], symbol), default="")


def _common(own: Series, other: Series) -> tuple[Any, Any, Ints]:
    at_ns, mine, its = np.intersect1d(own.at_ns, other.at_ns, assume_unique=True, return_indices=True)
    return own.value[mine], other.value[its], at_ns


def _terms(own: Series, other: Series) -> Any:
    from models.strategies.pairs import TERMS, walk_forward

    mine, its, at_ns = _common(own, other)
    if len(at_ns) < WINDOW:
        return np.zeros(0, TERMS)
    return walk_forward(mine, its, at_ns, _BAR_NS, WINDOW, REFIT)


def _tick(own: Series) -> float:
    """Return the largest step all closes are multiples of, quote."""
    return int(np.gcd.reduce(np.unique(np.round(own.value * _UNITS)).astype(np.int64))) / _UNITS


def _stretches(own: Series, beside: _Beside, tick: float) -> Iterator[tuple[Events, Any]]:
    """Cut bars and what was known beside them at the same instants; memory holds the events of a month."""
    first, last = int(own.at_ns[0]), int(own.at_ns[-1])
    instants = (
        own.at_ns, beside.spot.at_ns, beside.partner.at_ns, beside.terms["at_ns"], beside.mood.at_ns,
        beside.settlements.at_ns, beside.forecasts.at_ns, beside.other.at_ns, beside.other_settlements.at_ns,
    )  # fmt: skip
    at_ns = np.unique(np.concatenate(instants))
    at_ns = at_ns[(at_ns >= first) & (at_ns <= last)]
    for start in range(first, last + 1, _STRETCH_NS):
        end = min(start + _STRETCH_NS, last + 1)
        rows = slice(*np.searchsorted(at_ns, [start, end]))
        yield events_of(own, beside.interest, tick, start, end), _outlooks(at_ns[rows], beside)


def events_of(own: Series, interest: Series, tick: float, start_ns: int, end_ns: int) -> Events:
    """Return bars that were over, and open interest that became known, from `start_ns` to before `end_ns`, as events."""
    from models.market.tape import END_OF_MESSAGE, EVENT, GAP, OPEN_INTEREST, SNAPSHOT, SNAPSHOT_START

    begin, end = np.searchsorted(own.at_ns, [start_ns, end_ns])
    at_ns, close = own.at_ns[begin:end], own.value[begin:end]
    books = np.zeros((len(at_ns), 4), EVENT)
    books["local_ts"] = books["exch_ts"] = at_ns[:, None]
    books["kind"] = (SNAPSHOT_START, SNAPSHOT, SNAPSHOT, END_OF_MESSAGE)
    books["side"][:, 1:3] = (1, -1)
    bid = np.maximum(np.floor(close * (1.0 - HALF_SPREAD) / tick), 1.0)
    ask = np.maximum(np.ceil(close * (1.0 + HALF_SPREAD) / tick), bid + 1.0)
    books["price"][:, 1], books["price"][:, 2] = bid * tick, ask * tick
    books["size"][:, 1:3] = (_DEPTH_USD / close)[:, None]
    # Where the next bar does not come when it should, nothing is known until it does.
    following = own.at_ns[begin + 1 : end + 1]
    late = at_ns[: len(following)][np.diff(own.at_ns)[begin : begin + len(following)] > _BAR_NS]
    gaps = np.zeros(len(late), EVENT)
    gaps["local_ts"], gaps["kind"] = np.minimum(late + _BAR_NS, end_ns - 1), GAP
    low, high = np.searchsorted(interest.at_ns, [start_ns, end_ns])
    reports = np.zeros(high - low, EVENT)
    reports["local_ts"] = reports["exch_ts"] = interest.at_ns[low:high]
    reports["kind"], reports["size"] = OPEN_INTEREST, interest.value[low:high]
    together = np.concatenate([books.reshape(-1), gaps, reports])
    return together[np.argsort(together["local_ts"], kind="stable")]


def _outlooks(at_ns: Ints, beside: _Beside) -> Any:
    from models.market.outlook import new_outlooks

    rows = new_outlooks(len(at_ns))
    # A tick at the instant a bar is over comes before its message: without this it would see the other market's new close beside
    # the own old one.
    rows["at_ns"] = at_ns + 1
    _write_market(rows, "spot", beside.spot, at_ns)
    _write_market(rows, "pair", beside.partner, at_ns)
    mood = beside.mood.newest(at_ns)
    rows["fear_greed"] = beside.mood.held(at_ns)
    rows["fear_greed_at_ns"][mood >= 0] = beside.mood.at_ns[mood[mood >= 0]]
    rows["current_rate"] = Series(beside.settlements.at_ns, beside.settlements.rate).held(at_ns)
    _write_due(rows, "", beside.settlements, at_ns)
    if len(beside.other):
        _write_market(rows, "other", beside.other, at_ns)
        _write_due(rows, "other_", beside.other_settlements, at_ns)
        rows["own_rate_per_h"] = beside.settlements.per_hour(at_ns)
        rows["other_rate_per_h"] = beside.other_settlements.per_hour(at_ns)
    _write_forecasts(rows, beside.forecasts, at_ns)
    terms = Series(beside.terms["at_ns"], beside.terms["pair_beta"]).newest(at_ns)
    for name in ("pair_alpha", "pair_beta", "pair_sigma", "pair_half_life_s", "pair_pvalue"):
        rows[name][terms >= 0] = beside.terms[name][terms[terms >= 0]]
    return rows


def _write_market(rows: Any, name: str, closes: Series, at_ns: Ints) -> None:
    place = closes.newest(at_ns)
    close = closes.held(at_ns)
    rows[f"{name}_bid"], rows[f"{name}_ask"] = close * (1.0 - HALF_SPREAD), close * (1.0 + HALF_SPREAD)
    rows[f"{name}_at_ns"][place >= 0] = closes.at_ns[place[place >= 0]]


def _write_due(rows: Any, venue: str, settled: Settlements, at_ns: Ints) -> None:
    """Write the next settlement, which a venue announces; nothing where settlements are missing."""
    following = np.searchsorted(settled.at_ns, at_ns, side="right")
    announced = following < len(settled.at_ns)
    place = following[announced]
    near = settled.at_ns[place] - at_ns[announced] <= _LONGEST_H * _HOUR_NS
    row = np.flatnonzero(announced)[near]
    rows[f"{venue}settlement_ns"][row] = settled.at_ns[place[near]]
    rows[f"{venue}interval_h"][row] = settled.interval_h[place[near]]


def _write_forecasts(rows: Any, told: Forecasts, at_ns: Ints) -> None:
    place = np.searchsorted(told.at_ns, at_ns, side="right") - 1
    row, place = np.flatnonzero(place >= 0), place[place >= 0]
    rows["forecast_at_ns"][row] = told.at_ns[place]
    rows["forecast_settlement_ns"][row] = told.settlement_ns[place]
    for name, values in (
        ("predicted_rate", told.predicted),
        ("probability_above", told.above),
        ("probability_below", told.below),
        ("probability_positive", told.positive),
    ):
        rows[name][row] = values[place]
