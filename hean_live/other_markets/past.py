"""What the closes of the last week say: the partner of each symbol with the terms of the pair (S15), and volatility (S19).

The partner is the one a person names, or else the symbol whose price has kept closest to the own one over the week, by the
distance of Gatev, Goetzmann and Rouwenhorst (2006): the sum of squared differences of both, each put at 1 where the week begins.
It is chosen before the test of co-integration, which is therefore asked once and not until somebody passes; and it is kept
while the process lives, for a position holds it. Terms are those of `models.strategies.pairs` on 5-minute closes, volatility is
that of the last day. A window with a missing bar says nothing. What does not belong here: what is traded on it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hean_live.other_markets.records import PairTerms, PastSeen
from hean_live.venues.errors import RequestRefused
from hean_live.venues.public import PublicMarket
from models.errors import DataError
from models.market.bybit_v5 import envelope_time_ns
from models.market.bybit_v5_market import parse_klines
from models.strategies.pairs import fit_pair

log = logging.getLogger(__name__)

BAR_S: Final = 300
WINDOW: Final = 2016
"""Bars of a fit: a week."""
DAY_BARS: Final = 288
_BAR_NS: Final = BAR_S * 1_000_000_000
_PAGE: Final = 1000
_MS: Final = 1_000_000

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Closes:
    """5-minute closes of a symbol, evenly spaced and whole, up to the newest bar that has closed.

    Attributes
    ----------
    close : ndarray of float64, shape (n,)
        Oldest first, at most `WINDOW` and a few.
    end_ns : int
        When the newest bar closed; 0 without one.

    """

    def __init__(self, open_ns: Ints, close: Floats, now_ns: int) -> None:
        closed = open_ns + _BAR_NS <= now_ns
        open_ns, close = open_ns[closed], close[closed]
        gaps = np.flatnonzero(np.diff(open_ns) != _BAR_NS)
        first = int(gaps[-1]) + 1 if len(gaps) else 0
        self.close = close[first:]
        self.end_ns = int(open_ns[-1]) + _BAR_NS if len(open_ns) else 0

    def until(self, end_ns: int, bars: int) -> Floats | None:
        """Return the `bars` closes up to the one known at `end_ns`, None where one is missing."""
        stop = len(self.close) - (self.end_ns - end_ns) // _BAR_NS
        return self.close[stop - bars : stop] if bars <= stop <= len(self.close) else None


def volatility_of(closes: Closes) -> float:
    """Return the volatility of the newest day, a fraction per root year; NaN without a whole day."""
    day = closes.until(closes.end_ns, DAY_BARS + 1)
    if day is None or not np.all(day > 0.0):
        return math.nan
    moves = np.diff(np.log(day))
    return math.sqrt(float(moves @ moves) * 365.0)


def closest(own: str, closes: Mapping[str, Closes]) -> str | None:
    """Return the symbol whose price has kept closest to that of `own` over a week, None without a whole week of two."""
    distances = {}
    for symbol in closes:
        windows = _both(own, symbol, closes) if symbol != own else None
        if windows is not None:
            mine, other, _ = windows
            apart = mine / mine[0] - other / other[0]
            distances[symbol] = float(apart @ apart)
    return min(distances, key=lambda symbol: (distances[symbol], symbol)) if distances else None


def terms_of(own: str, partner: str, closes: Mapping[str, Closes]) -> PairTerms | None:
    """Return the terms of a pair, None where a bar is missing or a price stands still."""
    windows = _both(own, partner, closes)
    if windows is None:
        return None
    mine, other, end_ns = windows
    try:
        fit = fit_pair(mine, other)
    except DataError as error:
        log.warning("%s and %s are no pair: %s", own, partner, error)
        return None
    half_life_s = fit.half_life_bars * BAR_S
    return PairTerms(partner, fit.alpha, fit.beta, fit.sigma, half_life_s, fit.pvalue, end_ns)


def _both(own: str, other: str, closes: Mapping[str, Closes]) -> tuple[Floats, Floats, int] | None:
    if own not in closes or other not in closes:
        return None
    end_ns = min(closes[own].end_ns, closes[other].end_ns)
    mine, its = closes[own].until(end_ns, WINDOW), closes[other].until(end_ns, WINDOW)
    return None if mine is None or its is None else (mine, its, end_ns)


class PastSource:
    """The past of some symbols; used by one thread, read from any.

    Parameters
    ----------
    market : PublicMarket
    symbols : sequence of str
    partners : mapping of str to str
        Those a person names.

    """

    def __init__(self, market: PublicMarket, symbols: Sequence[str], partners: Mapping[str, str]) -> None:
        self._market = market
        self._symbols = tuple(symbols)
        self._partners = dict(partners)
        self._seen: dict[str, PastSeen] = {}

    def newest(self, symbol: str) -> PastSeen | None:
        """Return what was made out last of a symbol, None before the first."""
        return self._seen.get(symbol)

    def partner(self, symbol: str) -> str:
        """Return the partner of a symbol, empty while there is none."""
        return self._partners.get(symbol, "")

    def poll(self) -> None:
        """Read a week of every symbol and make out what it says.

        Raises
        ------
        Retryable
            When the venue could not be asked; what was made out before is kept, with its age.

        """
        closes = {}
        for symbol in self._symbols:
            try:
                closes[symbol] = self._closes(symbol)
            except RequestRefused as error:
                log.warning("%s has no past: %s", symbol, error)
        for symbol, own in closes.items():
            if not self.partner(symbol) and (found := closest(symbol, closes)):
                self._partners[symbol] = found
                log.info("%s is paired with %s, which has kept closest to it over a week", symbol, found)
            partner = self.partner(symbol)
            terms = terms_of(symbol, partner, closes) if partner else None
            self._seen[symbol] = PastSeen(volatility_of(own), terms, own.end_ns)

    def _closes(self, symbol: str) -> Closes:
        opened: list[Ints] = []
        closed: list[Floats] = []
        params: dict[str, object] = {
            "category": "linear",
            "symbol": symbol,
            "interval": BAR_S // 60,
            "limit": _PAGE,
        }
        now_ns, bars = 0, 0
        while bars < WINDOW + 2:  # one still open, one that opens while we read
            envelope = self._market.envelope("/v5/market/kline", params)
            now_ns = now_ns or envelope_time_ns(envelope)
            page = parse_klines(envelope["result"], symbol)
            opened.insert(0, page.ts)
            closed.insert(0, page.close)
            bars += len(page.ts)
            if len(page.ts) < _PAGE:
                break
            params["end"] = int(page.ts[0]) // _MS - 1
        return Closes(np.concatenate(opened), np.concatenate(closed), now_ns)
