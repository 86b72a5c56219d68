"""CoinGlass v4: what it says now, with a key, at its pace.

Without a key there is no client, and nothing stands in for it. Source: CoinGlass' API documentation, v4. What does not belong
here: storage, and any history: what is asked today is today's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from hean_pipelines.sources.http import PoliteHttp, Retry
from models.errors import ConfigError, DataError
from models.market.coinglass_v4 import (
    HeatmapCell,
    LongShort,
    TakerVolume,
    parse_heatmap,
    parse_long_short,
    parse_taker_volume,
)

REQUESTS_PER_5S = 2
"""One request in 2.5 s, whatever the plan."""
NO_KEY = "no CoinGlass key is configured: the venue's own free account ratio is used instead"


class CoinglassClient:
    """Reads CoinGlass v4.

    Parameters
    ----------
    base_url : str
    key : SecretStr
        Sent as ``CG-API-KEY``, never shown.
    http : PoliteHttp
        With a budget of at most `REQUESTS_PER_5S`.

    Raises
    ------
    ConfigError
        If the key is empty.

    """

    def __init__(self, base_url: str, key: SecretStr, http: PoliteHttp) -> None:
        if not key.get_secret_value():
            raise ConfigError(NO_KEY, remedy="set HEAN_PIPELINES_COINGLASS_KEY to use CoinGlass")
        self.base_url = base_url.rstrip("/")
        self.http = http
        self._key = key

    def long_short(self, exchange: str, symbol: str, interval: str) -> list[LongShort]:
        """Return the newest account ratios of a venue's symbol; intervals below 4 h need a larger plan."""
        params = {"exchange": exchange, "symbol": symbol, "interval": interval, "limit": 10}
        return parse_long_short(self._get("/api/futures/global-long-short-account-ratio/history", params))

    def taker_volume(self, coin: str, span: str) -> list[TakerVolume]:
        """Return what takers bought and sold over the span until now, by exchange."""
        params = {"symbol": coin, "range": span}
        return parse_taker_volume(self._get("/api/futures/taker-buy-sell-volume/exchange-list", params))

    def heatmap(self, exchange: str, symbol: str, span: str) -> list[HeatmapCell]:
        """Return the liquidation levels of CoinGlass' model; plans Professional and Enterprise only."""
        params = {"exchange": exchange, "symbol": symbol, "range": span}
        return parse_heatmap(self._get("/api/futures/liquidation/heatmap/model1", params))

    def _get(self, path: str, params: Mapping[str, Any]) -> Any:
        headers = {"CG-API-KEY": self._key.get_secret_value()}
        return self.http.get_any(f"{self.base_url}{path}?{urlencode(params)}", _judge, headers)


def _judge(body: Any, headers: Mapping[str, str]) -> Retry | None:
    if not isinstance(body, Mapping):
        return Retry(f"JSON of type {type(body).__name__} where an object was expected")
    code = str(body.get("code", ""))
    if code in ("429", "50001"):
        return Retry("the requests of this minute are used up", 10.0)
    if code == "401":
        raise DataError(
            "CoinGlass should take the key, refused it", remedy="check HEAN_PIPELINES_COINGLASS_KEY"
        )
    return None
