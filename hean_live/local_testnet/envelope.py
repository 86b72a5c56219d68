"""Bybit's reply envelope, and the error a handler raises to answer with a return code.

Here belong bytes on the wire common to all replies. What a result contains does not.
"""

from __future__ import annotations

import json
from decimal import Decimal

PARAMETER_ERROR = 10001


class Refused(Exception):
    """Request the venue answers with a return code other than 0 (HTTP 200).

    Parameters
    ----------
    ret_code : int
        Bybit's numeric code.
    ret_msg : str
        Bybit's text.

    """

    def __init__(self, ret_code: int, ret_msg: str) -> None:
        super().__init__(f"{ret_code} {ret_msg}")
        self.ret_code = ret_code
        self.ret_msg = ret_msg


class HttpRefused(Exception):
    """Request the venue's front answers with an HTTP status and a short text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"HTTP {status} {text}")
        self.status = status
        self.text = text


def encode(value: object) -> bytes:
    """Compact JSON of a result built from plain values; Decimals become plain strings."""
    return json.dumps(value, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"a result may hold plain values and Decimals, was {type(value).__name__}")


def success(result: bytes, time_ms: int, message: str = "OK") -> bytes:
    """Envelope of an accepted request; `result` is JSON."""
    return b'{"retCode":0,"retMsg":"%b","result":%b,"retExtInfo":{},"time":%d}' % (
        message.encode(),
        result,
        time_ms,
    )


def failure(ret_code: int, ret_msg: str, time_ms: int) -> bytes:
    """Envelope of a refused request."""
    head = json.dumps(ret_msg).encode()
    return b'{"retCode":%d,"retMsg":%b,"result":{},"retExtInfo":{},"time":%d}' % (ret_code, head, time_ms)
