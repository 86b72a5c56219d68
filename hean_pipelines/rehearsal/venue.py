"""The rehearsal's hands on the local testnet: its clock, and orders of a person on the executor's account.

Here belongs asking and ordering over HTTP; when is `run`'s business.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any

import requests

from models.errors import DataError

_WINDOW = "5000"
_TIMEOUT_S = 20.0


class TestnetHands:
    """Control of one running local testnet.

    Parameters
    ----------
    ready : dict
        The line it printed.

    """

    __test__ = False  # pytest would take it for a test by its name

    def __init__(self, ready: dict[str, Any]) -> None:
        self.base_url = str(ready["base_url"])
        self._key, self._secret = str(ready["api_key"]), str(ready["api_secret"])
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy cannot reach loopback

    def set_speed(self, speed: float) -> None:
        """Let the market run at so many seconds a second."""
        url = f"{self.base_url}/testnet/clock"
        self._session.post(url, json={"speed": speed}, timeout=_TIMEOUT_S).raise_for_status()

    def market_ms(self) -> int:
        """Return the market's time, ms UTC."""
        answer = self._session.get(f"{self.base_url}/testnet/state", timeout=_TIMEOUT_S)
        return int(answer.json()["market_time_ms"])

    def price(self, symbol: str) -> float:
        """Return the last price of a perpetual."""
        params = {"category": "linear", "symbol": symbol}
        answer = self._session.get(
            f"{self.base_url}/v5/market/tickers", params=params, timeout=_TIMEOUT_S
        ).json()
        return float(answer["result"]["list"][0]["lastPrice"])

    def order(self, symbol: str, side: str, qty: str) -> None:
        """Trade at the market by hand, without an id of the executor's.

        Raises
        ------
        DataError
            If the venue refuses.

        """
        fields = {
            "category": "linear",
            "symbol": symbol,
            "side": side,
            "orderType": "Market",
            "qty": qty,
        }
        payload = json.dumps(fields, separators=(",", ":"))
        stamp = str(time.time_ns() // 1_000_000)
        text = stamp + self._key + _WINDOW + payload
        headers = {
            "X-BAPI-API-KEY": self._key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": _WINDOW,
            "X-BAPI-SIGN": hmac.new(self._secret.encode(), text.encode(), hashlib.sha256).hexdigest(),
            "Content-Type": "application/json",
        }
        url = f"{self.base_url}/v5/order/create"
        answer = self._session.post(url, data=payload, headers=headers, timeout=_TIMEOUT_S).json()
        if answer["retCode"] != 0:
            raise DataError(
                f"an order by hand should be accepted, was refused: {answer['retCode']} {answer['retMsg']}"
            )
