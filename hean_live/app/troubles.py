"""What a person should hear about (R4), read off the executor's parts after each poll.

Here belong the conditions, their words and how long each has to last. When it is said is `hean_live.alerts.desk`'s.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hean_live.alerts.desk import Trouble
from models.market.bybit_v5_market import Ticker

if TYPE_CHECKING:
    from hean_live.app.parts import Parts
    from hean_live.shadow.service import ShadowService

HOUR_NS = 3_600_000_000_000
EXTREME_FUNDING = 0.003  # a fraction per settlement
_OFTEN = 3  # connections of one stream opened again within an hour
_UNRECONCILED_S = 60.0
_CLOSING_S = 120.0
_COMPILING_S = 900.0
_RECONCILE = "RECONCILE"  # the alarm beside `Account.problem`, which says more


class Reconnects:
    """Counts how often each stream was opened again, and remembers the last hour of it."""

    def __init__(self) -> None:
        self._opened: dict[str, int] = {}
        self._times: defaultdict[str, deque[int]] = defaultdict(deque)

    def take(self, opened: Mapping[str, int], now_ns: int) -> dict[str, int]:
        """Take how often each stream has been opened in all; returns how often again since the last call."""
        again = {}
        for stream, count in opened.items():
            before = max(1, self._opened.get(stream, 1))  # the first opening is no reconnect
            if count > before:
                again[stream] = count - before
                self._times[stream].extend([now_ns] * (count - before))
            self._opened[stream] = count
        for times in self._times.values():
            while times and now_ns - times[0] > HOUR_NS:
                times.popleft()
        return again

    def troubles(self) -> Iterator[tuple[str, Trouble]]:
        """Yield streams that were opened again too often, with the code of each."""
        for stream, times in self._times.items():
            if len(times) >= _OFTEN:
                words = f"the {stream} stream was opened again {len(times)} times within an hour"
                yield f"RECONNECTS {stream}", Trouble(words, lasting_s=0.0)


def funding_extremes(tickers: Mapping[str, Ticker], symbols: Sequence[str]) -> Iterator[tuple[str, Trouble]]:
    """Yield symbols whose running rate is extreme, with a code for each symbol and side."""
    for symbol in symbols:
        ticker = tickers.get(symbol)
        rate = ticker.funding_rate if ticker is not None else None
        if rate is not None and abs(rate) > EXTREME_FUNDING:
            side = "longs pay" if rate > 0 else "shorts pay"
            words = f"{symbol}'s funding runs at {rate:+.4%}, {side}; extreme above {EXTREME_FUNDING:.1%}"
            yield f"FUNDING {symbol} {side}", Trouble(words, "info")


def account_troubles(parts: Parts) -> Iterator[tuple[str, Trouble]]:
    """Yield what is wrong with trading and the account."""
    killed, account = parts.kill_switch.reason, parts.account
    if killed:
        words = f"trading is off: {killed}; look, then `hean live --re-arm`"
        yield "KILL_SWITCH", Trouble(words, "critical", lasting_s=0.0)
    if account is None:
        return
    if account.problem:
        yield "UNRECONCILED", Trouble(account.problem, "critical", _UNRECONCILED_S)
    own = {symbol: qty for symbol, qty in account.books.own.items() if qty} if account.books else {}
    active = [row.client_id for row in parts.journal.active_orders()] if killed else []
    if killed and (own or active or account.problem):
        still = ", ".join([*sorted(own), *active]) or account.problem
        words = f"closing after the kill switch does not end, still open: {still}; close it on the venue"
        yield "KILL_STUCK", Trouble(words, "critical", _CLOSING_S)


def shadow_troubles(shadows: ShadowService | None) -> Iterator[tuple[str, Trouble]]:
    """Yield why the shadows are not at work, once that lasts longer than compiling them."""
    if shadows is not None and shadows.problem:
        words = f"{shadows.problem}; positions of theirs wait for stop and time, see the log, restart to begin them anew"
        yield "SHADOWS", Trouble(words, lasting_s=_COMPILING_S)


def alarm_troubles(active: Mapping[str, str]) -> Iterator[tuple[str, Trouble]]:
    """Yield the alarms that are on: data, clock, streams, forecasts, recorder."""
    for code, detail in active.items():
        if code != _RECONCILE:
            yield code, Trouble(detail)
