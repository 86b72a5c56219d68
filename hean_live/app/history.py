"""The past a forecast needs, fetched through the public REST and kept as `FundingInputs`, refreshed incrementally.

The first refresh of a symbol reads as many settlements as the features look back on, with the premium of
their intervals; later ones read what is new. A bar is taken only when it has closed. Premium-index bars are
used where the venue has them, perp against spot 5-minute bars otherwise: the same choice the
warehouse makes. Parsing is `models.market`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hean_live.venues.public import PublicMarket
from models.errors import DataError, SkipSymbol
from models.funding.inputs import SOURCE_PERP_SPOT, SOURCE_PREMIUM_INDEX, FundingInputs
from models.funding.proxy import bar_price, perp_spot_premium
from models.market.bybit_v5_market import (
    parse_account_ratio,
    parse_funding_history,
    parse_index_klines,
    parse_klines,
    parse_open_interest,
)

MS = 1_000_000
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 3600 * SECOND_NS
LONGEST_INTERVAL_NS = 8 * HOUR_NS
REGIME_BARS = 101
_KLINE_LIMIT = 1000
_MAX_PAGES = 200

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass
class _Premium:
    ts: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    value: Floats = field(default_factory=lambda: np.empty(0, dtype=np.float64))
    bar_s: int = 60
    source: int = SOURCE_PREMIUM_INDEX


@dataclass
class _Caps:
    seen_ns: list[int] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)


class HistoryKeeper:
    """History of many symbols; used by one thread.

    Parameters
    ----------
    market : PublicMarket
    settlements : int
        How many past settlements to keep.

    """

    def __init__(self, market: PublicMarket, settlements: int) -> None:
        self._market = market
        self._settlements = settlements
        self._premium: dict[str, _Premium] = {}
        self._caps: dict[str, _Caps] = {}

    def inputs(self, symbol: str, now_ns: int) -> FundingInputs:
        """Bring a symbol up to date and return everything known about it.

        Parameters
        ----------
        symbol : str
        now_ns : int
            Market time; bars that close later are left out.

        Returns
        -------
        FundingInputs

        Raises
        ------
        SkipSymbol
            If the venue has no settlements or no premium for the symbol.
        Retryable
            If the venue could not be asked; what was read before is kept.

        """
        settled = self.settlements(symbol)
        ts, rate = settled
        if len(ts) == 0:
            raise SkipSymbol(f"{symbol}: settled funding rates were expected, the venue has none")
        premium = self._refresh_premium(symbol, int(ts[0]) - LONGEST_INTERVAL_NS, now_ns)
        oi_ts, open_interest = self._open_interest(symbol, now_ns)
        ratio_ts, long_ratio = self._account_ratio(symbol, now_ns)
        caps = self._refresh_caps(symbol, now_ns)
        count = len(premium.ts)
        return FundingInputs(
            symbol=symbol,
            settlement_ts=ts,
            rate=rate,
            premium_available_at=premium.ts + premium.bar_s * SECOND_NS,
            premium_ts=premium.ts,
            premium_bar_s=np.full(count, premium.bar_s, dtype=np.int64),
            premium=premium.value,
            premium_source=np.full(count, premium.source, dtype=np.int64),
            oi_available_at=oi_ts,
            open_interest=open_interest,
            ratio_available_at=ratio_ts,
            long_ratio=long_ratio,
            caps_available_at=np.array(caps.seen_ns, dtype=np.int64),
            cap_lower=np.array(caps.lower, dtype=np.float64),
            cap_upper=np.array(caps.upper, dtype=np.float64),
        )

    def settlements(self, symbol: str) -> tuple[Ints, Floats]:
        """Return instants and rates of the last settlements, oldest first."""
        params = {"category": "linear", "symbol": symbol, "limit": 200}
        envelope = self._market.envelope("/v5/market/funding/history", params)
        history = parse_funding_history(envelope["result"], symbol)
        return history.ts[-self._settlements :], history.funding_rate[-self._settlements :]

    def closes_5m(self, symbol: str, at_ns: int) -> Floats:
        """Return closes of the 5-minute bars that had closed at `at_ns`, oldest first, about a hundred."""
        params = {
            "category": "linear",
            "symbol": symbol,
            "interval": 5,
            "start": (at_ns - REGIME_BARS * 5 * MINUTE_NS) // MS,
            "end": at_ns // MS,
            "limit": _KLINE_LIMIT,
        }
        bars = parse_klines(self._market.envelope("/v5/market/kline", params)["result"], symbol)
        return bars.close[bars.ts + 5 * MINUTE_NS <= at_ns]

    def _refresh_premium(self, symbol: str, from_ns: int, now_ns: int) -> _Premium:
        kept = self._premium.get(symbol)
        if kept is None:
            kept = self._first_premium(symbol, from_ns, now_ns)
        else:
            # From the last bar on: nothing is missed however long ago the last refresh was.
            kept = self._read_premium(symbol, kept, int(kept.ts[-1]) + kept.bar_s * SECOND_NS, now_ns)
        fresh = kept.ts >= from_ns
        kept = _Premium(kept.ts[fresh], kept.value[fresh], kept.bar_s, kept.source)
        self._premium[symbol] = kept
        return kept

    def _first_premium(self, symbol: str, from_ns: int, now_ns: int) -> _Premium:
        found = self._read_premium(symbol, _Premium(), from_ns, now_ns)
        if len(found.ts) == 0:
            found = self._read_premium(symbol, _Premium(bar_s=300, source=SOURCE_PERP_SPOT), from_ns, now_ns)
        if len(found.ts) == 0:
            raise SkipSymbol(
                f"{symbol}: premium-index or perp and spot klines were expected, the venue has neither"
            )
        return found

    def _read_premium(self, symbol: str, kept: _Premium, from_ns: int, now_ns: int) -> _Premium:
        if kept.source == SOURCE_PREMIUM_INDEX:
            ts, value = self._bars(symbol, "premium-index-price-kline", "linear", from_ns, now_ns, 1)
        else:
            perp_ts, perp = self._bars(symbol, "kline", "linear", from_ns, now_ns, 5)
            spot_ts, spot = self._bars(symbol, "kline", "spot", from_ns, now_ns, 5)
            ts, at_perp, at_spot = np.intersect1d(perp_ts, spot_ts, assume_unique=True, return_indices=True)
            value = perp_spot_premium(perp[at_perp], spot[at_spot])
        closed = ts + kept.bar_s * SECOND_NS <= now_ns
        return _Premium(
            np.concatenate([kept.ts, ts[closed]]),
            np.concatenate([kept.value, value[closed]]),
            kept.bar_s,
            kept.source,
        )

    def _bars(
        self, symbol: str, path: str, category: str, from_ns: int, now_ns: int, minutes: int
    ) -> tuple[Ints, Floats]:
        """Read bars backwards: the venue keeps the newest of a window that holds more than its limit."""
        stamps: list[Ints] = []
        prices: list[Floats] = []
        end_ns = now_ns
        for _ in range(_MAX_PAGES):
            params = {
                "category": category,
                "symbol": symbol,
                "interval": minutes,
                "start": from_ns // MS,
                "end": end_ns // MS,
                "limit": _KLINE_LIMIT,
            }
            if from_ns > end_ns:
                break
            result = self._market.envelope(f"/v5/market/{path}", params)["result"]
            ts, price = _prices(path)(result, symbol)
            stamps.append(ts)
            prices.append(price)
            if len(ts) < _KLINE_LIMIT:
                break
            end_ns = int(ts[0]) - MS
        if not stamps:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64)
        return np.concatenate(stamps[::-1]), np.concatenate(prices[::-1])

    def _open_interest(self, symbol: str, now_ns: int) -> tuple[Ints, Floats]:
        params = {
            "category": "linear",
            "symbol": symbol,
            "intervalTime": "5min",
            "startTime": (now_ns - 4 * HOUR_NS) // MS,
            "endTime": now_ns // MS,
            "limit": 200,
        }
        rows = parse_open_interest(
            self._market.envelope("/v5/market/open-interest", params)["result"], symbol
        )
        return rows.ts, rows.open_interest

    def _account_ratio(self, symbol: str, now_ns: int) -> tuple[Ints, Floats]:
        params = {
            "category": "linear",
            "symbol": symbol,
            "period": "1h",
            "startTime": (now_ns - 24 * HOUR_NS) // MS,
            "endTime": now_ns // MS,
            "limit": 50,
        }
        rows = parse_account_ratio(
            self._market.envelope("/v5/market/account-ratio", params)["result"], symbol
        )
        return rows.ts + HOUR_NS, rows.buy_ratio

    def _refresh_caps(self, symbol: str, now_ns: int) -> _Caps:
        caps = self._caps.setdefault(symbol, _Caps())
        instrument = self._market.instruments((symbol,)).get(symbol)
        if instrument is None:
            raise SkipSymbol(f"{symbol} should be listed by the market-data venue, was not")
        lower, upper = instrument.lower_funding_rate, instrument.upper_funding_rate
        if lower is None or upper is None:
            return caps
        known = (caps.lower[-1], caps.upper[-1]) if caps.seen_ns else None
        if known != (float(lower), float(upper)):
            caps.seen_ns.append(now_ns)
            caps.lower.append(float(lower))
            caps.upper.append(float(upper))
        return caps


def _prices(path: str) -> Callable[[object, str], tuple[Ints, Floats]]:
    def read(result: object, symbol: str) -> tuple[Ints, Floats]:
        if path == "kline":
            bars = parse_klines(result, symbol)
            return bars.ts, bar_price(bars.open, bars.high, bars.low, bars.close)
        index = parse_index_klines(result, symbol)
        return index.ts, index.close

    if path not in ("kline", "premium-index-price-kline"):
        raise DataError(f"path should be a kline's, was {path!r}")
    return read
