"""Checks a signed request on the bytes that were sent, in the order and with the words of the venue.

Here belongs authentication only. The signature covers ``timestamp + key + recv_window + (raw query string | raw
body)``: a payload is never parsed and written again before it is checked, because spacing and order matter.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from hean_live.local_testnet.envelope import HttpRefused, Refused
from hean_live.local_testnet.venue import KeyPair

DEFAULT_RECV_WINDOW = "5000"
AHEAD_MS = 1_000  # a request may be stamped this much ahead of the server


def sign(secret: str, timestamp: str, api_key: str, recv_window: str, payload: bytes) -> str:
    """Signature of a request: HMAC-SHA256, lower-case hex.

    Parameters
    ----------
    secret, timestamp, api_key, recv_window : str
        As sent in the headers.
    payload : bytes
        Raw query string of a GET, raw body of a POST.

    """
    message = (timestamp + api_key + recv_window).encode() + payload
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def check(keys: KeyPair, headers: Mapping[str, str], payload: bytes, server_ms: int) -> None:
    """Let a well-signed request pass.

    Parameters
    ----------
    keys : KeyPair
        The pair the server knows.
    headers : mapping
        Request headers, looked up without regard to case by the caller's mapping.
    payload : bytes
        Raw query string or body.
    server_ms : int
        Real time.

    Raises
    ------
    HttpRefused
        401 where the authentication headers are missing.
    Refused
        10003 unknown key, 10002 outside the time window, 10004 wrong signature.

    """
    api_key = headers.get("X-BAPI-API-KEY", "")
    timestamp = headers.get("X-BAPI-TIMESTAMP", "")
    signature = headers.get("X-BAPI-SIGN", "")
    recv_window = headers.get("X-BAPI-RECV-WINDOW", DEFAULT_RECV_WINDOW)
    if not (api_key and timestamp and signature):
        raise HttpRefused(401, "")
    if api_key != keys.api_key:
        raise Refused(10003, "API key is invalid.")
    check_time(timestamp, recv_window, server_ms)
    expected = sign(keys.api_secret, timestamp, api_key, recv_window, payload)
    if not hmac.compare_digest(expected, signature):
        raise Refused(10004, "Error sign, please check your signature generation algorithm.")


def check_time(timestamp: str, recv_window: str, server_ms: int) -> None:
    """Refuse a request stamped outside its window: 10001 where it cannot be read, 10002 where the clocks differ."""
    if not (timestamp.isdigit() and recv_window.isdigit()):
        raise Refused(10001, "params error: X-BAPI-TIMESTAMP or X-BAPI-RECV-WINDOW invalid")
    if not server_ms - int(recv_window) <= int(timestamp) < server_ms + AHEAD_MS:
        raise Refused(
            10002,
            "invalid request, please check your server timestamp or recv_window param. "
            f"req_timestamp[{timestamp}],server_timestamp[{server_ms}],recv_window[{recv_window}]",
        )
