"""Signing in on the venue's private sockets. Source: the venue's v5 documentation. Nothing here is ever logged."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Final

VALID_FOR_MS: Final = 10_000
"""How far in the future a sign-in expires: wide enough for a clock that is some seconds off."""


def sign_in_request(key: str, secret: str, now_ms: int, *, request_id: str) -> bytes:
    """Return the request that signs a connection in.

    Parameters
    ----------
    key, secret : str
    now_ms : int
        Our clock.
    request_id : str
        Comes back with the reply on the private socket (`req_id`) and on the trade socket (`reqId`).

    """
    expires = now_ms + VALID_FOR_MS
    signature = hmac.new(secret.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
    body = {"req_id": request_id, "reqId": request_id, "op": "auth", "args": [key, expires, signature]}
    return json.dumps(body).encode()
