"""The venue's rate limits: per address for everything, per endpoint for signed requests.

Here belongs counting in rolling windows of real time. Breaching the address limit bans the address for ten minutes with HTTP 403;
breaching an endpoint's limit answers retCode 10006.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

IP_LIMIT = 600
IP_WINDOW_MS = 5_000
IP_BAN_MS = 600_000
USER_WINDOW_MS = 1_000

# Default rows for linear contracts, requests per second and user.
USER_LIMITS = {
    "/v5/order/create": 10,
    "/v5/order/cancel": 10,
    "/v5/order/cancel-all": 10,
    "/v5/order/realtime": 50,
    "/v5/order/history": 50,
    "/v5/execution/list": 50,
    "/v5/position/list": 50,
    "/v5/position/closed-pnl": 50,
    "/v5/position/set-leverage": 10,
    "/v5/position/trading-stop": 10,
    "/v5/position/switch-mode": 10,
    "/v5/account/wallet-balance": 50,
    "/v5/account/info": 50,
    "/v5/account/transaction-log": 25,
    "/v5/account/fee-rate": 5,
    "/v5/user/query-api": 10,
}


@dataclass
class RollingWindow:
    """Counts events in the last `window_ms`; memory is bounded by `limit`."""

    limit: int
    window_ms: int
    _events: deque[int] = field(default_factory=deque)

    def take(self, now_ms: int) -> bool:
        """Count one event; False where it exceeds the limit (it is then not counted)."""
        while self._events and self._events[0] <= now_ms - self.window_ms:
            self._events.popleft()
        if len(self._events) >= self.limit:
            return False
        self._events.append(now_ms)
        return True

    @property
    def remaining(self) -> int:
        """Events still allowed at the last look."""
        return self.limit - len(self._events)

    def reset_ms(self, now_ms: int) -> int:
        """When the next event is allowed; the present where one is allowed now."""
        if self.remaining > 0 or not self._events:
            return now_ms
        return self._events[0] + self.window_ms


class RateLimits:
    """All windows of one server.

    Parameters
    ----------
    clock_ms : callable
        Real time in ms; must not go back.
    ip_limit : int, optional
        Requests per 5 s and address.
    ban_ms : int, optional
        How long an address stays banned after a breach.

    """

    def __init__(
        self, clock_ms: Callable[[], int], ip_limit: int = IP_LIMIT, ban_ms: int = IP_BAN_MS
    ) -> None:
        self._clock_ms = clock_ms
        self._ip_limit = ip_limit
        self._ban_ms = ban_ms
        self._addresses: dict[str, RollingWindow] = {}
        self._banned_until: dict[str, int] = {}
        self._endpoints: dict[str, RollingWindow] = {
            path: RollingWindow(limit, USER_WINDOW_MS) for path, limit in USER_LIMITS.items()
        }

    def admit_address(self, address: str) -> RollingWindow | None:
        """Window of an address that may go on, None where it is banned."""
        now = self._clock_ms()
        if now < self._banned_until.get(address, 0):
            return None
        window = self._addresses.setdefault(address, RollingWindow(self._ip_limit, IP_WINDOW_MS))
        if not window.take(now):
            self._banned_until[address] = now + self._ban_ms
            return None
        return window

    def admit_user(self, path: str) -> tuple[bool, RollingWindow]:
        """Whether a signed request to `path` is within its limit, and that limit's window."""
        window = self._endpoints.setdefault(path, RollingWindow(10, USER_WINDOW_MS))
        return window.take(self._clock_ms()), window

    def reset_in_ms(self, window: RollingWindow) -> int:
        """Real ms until `window` admits the next request; 0 where it does now."""
        now = self._clock_ms()
        return window.reset_ms(now) - now
