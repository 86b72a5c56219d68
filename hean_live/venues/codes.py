"""Bybit v5 return codes and HTTP statuses, and the error class each stands for.

Matched by number only: texts change. Source: the venue's error-code page (docs/v5/error). What to do about a
class of errors is decided by the callers.
"""

from __future__ import annotations

from hean_live.venues.errors import (
    ClockSkewed,
    DuplicateClientId,
    KeyRefused,
    OrderRejected,
    OrderUnresolved,
    RateLimited,
    RequestRefused,
    VenueUnreachable,
)
from models.errors import HeanError

TIME_WINDOW = 10002
RATE_LIMIT = 10006
DUPLICATE_CLIENT_ID = 110072
LEVERAGE_UNCHANGED = 110043

KEY_CODES = frozenset({10003, 10004, 10005, 10007, 10010, 10024, 33004})
# The venue itself failed: a command may or may not have been carried out.
SERVER_CODES = frozenset({10000, 10016, 10019})
# A cancel that finds nothing to cancel has reached its aim; the order's record tells what happened.
NOTHING_TO_CANCEL = frozenset({110001, 110008, 110010})

_FORBIDDEN, _TOO_MANY = 403, 429
_UNAUTHORISED = 401
# 408: the server gave up waiting; 409: what pybit calls a reply that is not JSON.
_UNDECIDED = (408, 409)
# After HTTP 403 "access too frequent" the venue wants ten minutes of silence.
_FORBIDDEN_WAIT_S = 600.0
_RATE_LIMIT_WAIT_S = 1.0


def error_of_code(code: int, message: str, *, command: bool) -> HeanError:
    """Return the error a return code stands for.

    Parameters
    ----------
    code : int
        ``retCode`` of the reply, not 0.
    message : str
        The venue's text, kept for the reader only.
    command : bool
        True if the request would change something, so that a failure of the venue leaves its outcome open.

    Returns
    -------
    HeanError
        Not raised here.

    """
    words = f"return code should be 0, was {code} ({message})"
    if code == RATE_LIMIT:
        return RateLimited(words, wait_s=_RATE_LIMIT_WAIT_S)
    if code == TIME_WINDOW:
        return ClockSkewed(
            words, remedy="synchronise this machine's clock (NTP); `hean doctor` shows the offset"
        )
    if code in KEY_CODES:
        return KeyRefused(
            words,
            remedy="check that the key belongs to this environment, has not expired and may trade contracts",
        )
    if code in SERVER_CODES:
        return OrderUnresolved(words) if command else VenueUnreachable(words)
    if code == DUPLICATE_CLIENT_ID:
        return DuplicateClientId(words)
    return OrderRejected(words, code=code) if command else RequestRefused(words, code=code)


def error_of_status(status: int, message: str, *, command: bool) -> HeanError:
    """Return the error an HTTP status other than 200 stands for; parameters as in `error_of_code`."""
    words = f"HTTP status should be 200, was {status} ({message})"
    if status == _FORBIDDEN:
        return RateLimited(
            words,
            wait_s=_FORBIDDEN_WAIT_S,
            remedy="the address asked too often or its country is refused: wait ten minutes",
        )
    if status == _TOO_MANY:
        return RateLimited(words, wait_s=_RATE_LIMIT_WAIT_S)
    if status == _UNAUTHORISED:
        return KeyRefused(words, remedy="check the API key and its secret")
    refused = 400 <= status < 500 and status not in _UNDECIDED
    if not refused:
        return OrderUnresolved(words) if command else VenueUnreachable(words)
    return OrderRejected(words, code=status) if command else RequestRefused(words, code=status)
