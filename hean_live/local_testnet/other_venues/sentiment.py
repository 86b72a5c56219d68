"""CoinGlass v4 and the Fear & Greed index, as far as the pipelines ask them.

CoinGlass wants a key, counts requests per minute, and gives short intervals to large plans only. The index is a number a day made
from the market's own week.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from hean_live.local_testnet.limits import RollingWindow
from hean_live.local_testnet.markets.base import BarKind, Market
from hean_live.local_testnet.query import Query
from models.simulation.bars import DAY_MS, MINUTE_MS

COINGLASS_KEY = "local-coinglass-key"
REQUESTS_PER_MINUTE = 30
_PLAN_INTERVALS = ("4h", "6h", "8h", "12h", "1d")


def _coinglass(code: str, words: str, data: object = None) -> bytes:
    return json.dumps({"code": code, "msg": words, "data": data}).encode()


@dataclass
class Coinglass:
    """CoinGlass with the key of the smallest plan."""

    window: RollingWindow = field(default_factory=lambda: RollingWindow(REQUESTS_PER_MINUTE, MINUTE_MS))

    def answer(self, market: Market, path: str, query: Query, key: str, now_ms: int, real_ms: int) -> bytes:
        """Return the body for a request."""
        if key != COINGLASS_KEY:
            return _coinglass("401", "API key missing or invalid.")
        if not self.window.take(real_ms):
            return _coinglass("429", "Too Many Requests")
        if path.endswith("/taker-buy-sell-volume/exchange-list"):
            return self._taker_volume(market, query, now_ms)
        if path.endswith("/global-long-short-account-ratio/history"):
            return self._long_short(market, query, now_ms)
        return _coinglass("40001", "Upgrade plan")

    def _taker_volume(self, market: Market, query: Query, now_ms: int) -> bytes:
        symbol = f"{query.text('symbol')}USDT"
        quote = market.quote("linear", symbol, now_ms) if symbol in market.listings("linear") else None
        if quote is None:
            return _coinglass("400", "symbol not supported")
        total = quote.turnover_24h / 24.0
        rows = [
            {
                "exchange": name,
                "buy_ratio": 51.0,
                "sell_ratio": 49.0,
                "buy_vol_usd": 0.51 * part,
                "sell_vol_usd": 0.49 * part,
            }
            for name, part in (("Binance", 0.6 * total), ("Bybit", 0.4 * total))
        ]
        data = {
            "symbol": query.text("symbol"),
            "buy_ratio": 51.0,
            "sell_ratio": 49.0,
            "buy_vol_usd": 0.51 * total,
            "sell_vol_usd": 0.49 * total,
            "exchange_list": rows,
        }
        return _coinglass("0", "success", data)

    def _long_short(self, market: Market, query: Query, now_ms: int) -> bytes:
        if query.text("interval") not in _PLAN_INTERVALS:
            return _coinglass("403", "The interval is not available for your current API plan.")
        symbol = query.text("symbol")
        if symbol not in market.listings("linear"):
            return _coinglass("400", "symbol not supported")
        times, shares = market.long_ratio(
            symbol, 240 * MINUTE_MS, 0, now_ms, min(query.integer("limit") or 10, 1000), now_ms
        )
        rows = [
            {
                "time": ts,
                "global_account_long_percent": round(100 * share, 2),
                "global_account_short_percent": round(100 - 100 * share, 2),
                "global_account_long_short_ratio": round(share / (1 - share), 2),
            }
            for ts, share in zip(times.tolist(), shares.tolist(), strict=True)
        ]
        return _coinglass("0", "success", rows)


def fear_greed(market: Market, query: Query, now_ms: int) -> bytes:
    """``/fng/``: newest first; `limit` 0 gives all days."""
    symbol = next(iter(market.listings("linear")))
    bars = market.bars(BarKind.PERP, symbol, "D", 0, now_ms, 10**6, now_ms)
    limit = query.integer("limit")
    rows = []
    for i in range(len(bars) - 1, 6, -1):
        week = float(bars.close[i - 1] / bars.open[i - 7] - 1.0)
        value = max(0, min(100, round(50 + 250 * week)))
        word = "Greed" if value > 54 else "Fear" if value < 46 else "Neutral"
        rows.append(
            {"value": str(value), "value_classification": word, "timestamp": str(int(bars.ts_ms[i]) // 1000)}
        )
    shown = rows if limit == 0 else rows[: limit or 1]
    day_s = DAY_MS // 1000
    if shown:
        shown[0]["time_until_update"] = str(day_s - (now_ms // 1000) % day_s)
    return json.dumps({"name": "Fear and Greed Index", "data": shown, "metadata": {"error": None}}).encode()
