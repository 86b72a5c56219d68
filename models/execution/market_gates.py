"""Gates on the state of the market before an entry: the BTC crash filter (G8) and data too old to act on (G12). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from models.execution.sight import MarketSight
from models.portfolio.limits import Breach

BTC: Final = "BTCUSDT"
_NANOSECONDS: Final = 1_000_000_000


class PricePoint(NamedTuple):
    """A price and its time, ns UTC."""

    at_ns: int
    price: float


@dataclass(frozen=True)
class PriceHistory:
    """Sampled prices, oldest first, and the newest one, which is None before the first and after a restart."""

    samples: tuple[PricePoint, ...] = ()
    latest: PricePoint | None = None


@dataclass(frozen=True)
class CrashWindow:
    """A fall over `window_s` seconds that is a crash; `limit` is a return, for example -0.01."""

    window_s: int
    limit: float


@dataclass(frozen=True)
class CrashRules:
    """What counts as a crash of BTC.

    Attributes
    ----------
    windows : tuple of CrashWindow
        Shortest first.
    sample_s : int
        Least distance of the prices sampled.
    price_age_s : float
        Oldest price that still says where BTC is.

    """

    windows: tuple[CrashWindow, ...] = (CrashWindow(300, -0.01), CrashWindow(900, -0.02))
    sample_s: int = 60
    price_age_s: float = 60.0


@dataclass(frozen=True)
class FreshnessRules:
    """Oldest order book and open interest an entry may rest on, seconds of market time."""

    book_age_s: float = 10.0
    open_interest_age_s: float = 300.0


def remember_price(history: PriceHistory, at_ns: int, price: float, rules: CrashRules) -> PriceHistory:
    """Return the history with a newer price; one that is not newer changes nothing.

    It becomes a sample when the last one is far enough back. One sample older than the longest window is kept to
    measure from.
    """
    latest = PricePoint(at_ns, price)
    if history.latest is not None and at_ns <= history.latest.at_ns:
        return history
    samples = history.samples
    if samples and at_ns - samples[-1].at_ns < rules.sample_s * _NANOSECONDS:
        return PriceHistory(samples, latest)
    since_ns = at_ns - rules.windows[-1].window_s * _NANOSECONDS
    older = sum(point.at_ns <= since_ns for point in samples)
    return PriceHistory((*samples[max(0, older - 1) :], latest), latest)


def crash_breach(
    symbol: str, side: int, history: PriceHistory, now_ns: int, rules: CrashRules
) -> Breach | None:
    """Forbid long entries of anything but BTC while BTC falls (G8).

    Parameters
    ----------
    symbol : str
    side : int
        +1 long, -1 short.
    history : PriceHistory
        Of BTC, from `remember_price`; empty where BTC is not quoted, and nothing is filtered then.
    now_ns : int
    rules : CrashRules

    Returns
    -------
    Breach or None
        ``BTC_CRASH``; ``BTC_STALE`` when the last price is too old; ``BTC_HISTORY`` when the prices known do not fill
        the shortest window yet. A longer window is measured from the oldest price known until it is filled.

    """
    samples = history.samples
    last = history.latest or (samples[-1] if samples else None)
    if side <= 0 or symbol == BTC or last is None:
        return None
    age_s = (now_ns - last.at_ns) / _NANOSECONDS
    if age_s > rules.price_age_s:
        return Breach(
            "BTC_STALE", f"price of BTC should be at most {rules.price_age_s:g} s old, was {age_s:.0f} s"
        )
    known_s = (now_ns - samples[0].at_ns) / _NANOSECONDS
    needed_s = rules.windows[0].window_s
    if known_s < needed_s:
        return Breach("BTC_HISTORY", f"{needed_s} s of BTC prices should be known, were {known_s:.0f} s")
    for window in rules.windows:
        since_ns = now_ns - window.window_s * _NANOSECONDS
        start = next((point for point in reversed(samples) if point.at_ns <= since_ns), samples[0])
        change = last.price / start.price - 1.0
        if last.price < start.price * (1.0 + window.limit):
            over_s = (last.at_ns - start.at_ns) / _NANOSECONDS
            return Breach(
                "BTC_CRASH",
                f"return of BTC over {window.window_s} s should be at least {window.limit:+.2%}, was"
                f" {last.price:g} / {start.price:g} - 1 = {change:+.2%} over {over_s:.0f} s",
            )
    return None


def freshness_breach(sight: MarketSight, now_ns: int, rules: FreshnessRules) -> Breach | None:
    """Forbid an entry on a book or an open interest that is too old or broken (G12).

    Parameters
    ----------
    sight : MarketSight
    now_ns : int
    rules : FreshnessRules

    Returns
    -------
    Breach or None
        ``BOOK_INVALID``, ``STALE_BOOK`` or ``STALE_OPEN_INTEREST``. Tickers and forecasts are judged by
        `models.portfolio.limits`.

    """
    if not sight.book_valid:
        return Breach("BOOK_INVALID", "the book should be without gaps, was not")
    for reason, what, at_ns, limit_s in (
        ("STALE_BOOK", "book", sight.book_at_ns, rules.book_age_s),
        ("STALE_OPEN_INTEREST", "open interest", sight.open_interest_at_ns, rules.open_interest_age_s),
    ):
        age_s = (now_ns - at_ns) / _NANOSECONDS
        if age_s > limit_s:
            return Breach(reason, f"{what} should be at most {limit_s:g} s old, was {age_s:.1f} s")
    return None
