"""OKX public REST about swaps: funding now and before, contracts, open interest, time.

Symbols are ``BTC-USDT-SWAP``; sizes are in contracts of a hundredth of a coin. History comes newest first, a hundred rows a page,
and goes back three months.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hean_live.local_testnet.markets.base import Market
from hean_live.local_testnet.public_history import amount_text, rate_text
from hean_live.local_testnet.query import FAR_FUTURE_MS, Query
from models.simulation.bars import DAY_MS
from models.simulation.listing import Listing
from models.simulation.other_venues import funding_difference

CONTRACT_COINS = 0.01
KNOWN_MS = 90 * DAY_MS
_OI_SHARE = 0.3
Handler = Callable[[Market, Query, int], list[dict[str, object]]]


@dataclass(frozen=True)
class OkxRefused(Exception):
    """A refusal with the venue's code; its HTTP status is 200."""

    code: str
    words: str


def funding_rate_history(market: Market, query: Query, now_ms: int) -> list[dict[str, object]]:
    """``/api/v5/public/funding-rate-history``: `after` is older than, `before` is newer than, both exclusive."""
    listing = _listed(market, query)
    after, before = query.integer("after") or FAR_FUTURE_MS, query.integer("before") or 0
    oldest = max(before + 1, now_ms - KNOWN_MS)
    times, rates = market.funding(
        listing.symbol, oldest, after - 1, min(query.integer("limit") or 100, 100), now_ms
    )
    rates = rates + funding_difference("okx", times, listing.interval_h)
    return [
        {
            "instType": "SWAP",
            "instId": query.text("instId"),
            "fundingRate": rate_text(rate * 0.98),
            "realizedRate": rate_text(rate),
            "fundingTime": str(ts),
            "method": "current_period",
        }
        for ts, rate in zip(times[::-1].tolist(), rates[::-1].tolist(), strict=True)
    ]


def funding_rate(market: Market, query: Query, now_ms: int) -> list[dict[str, object]]:
    """``/api/v5/public/funding-rate``: the rate for `fundingTime`, the settlement to come."""
    listing = _listed(market, query)
    quote = market.quote("linear", listing.symbol, now_ms)
    if quote is None or quote.next_funding_ms is None:
        raise OkxRefused("50026", "System error. Try again later")
    interval_h = quote.interval_h or listing.interval_h
    difference = float(funding_difference("okx", np.array([quote.next_funding_ms]), interval_h)[0])
    return [
        {
            "instType": "SWAP",
            "instId": query.text("instId"),
            "fundingRate": rate_text(float(quote.funding_rate or 0) + difference),
            "fundingTime": str(quote.next_funding_ms),
            "nextFundingRate": "",
            "nextFundingTime": str(quote.next_funding_ms + interval_h * 3_600_000),
            "minFundingRate": str(-listing.funding_cap),
            "maxFundingRate": str(listing.funding_cap),
            "method": "current_period",
            "formulaType": "withRate",
            "settState": "settled",
            "ts": str(now_ms),
        }
    ]


def instruments(market: Market, query: Query, now_ms: int) -> list[dict[str, object]]:
    """``/api/v5/public/instruments`` of type SWAP."""
    if query.text("instType") != "SWAP":
        raise OkxRefused("51000", "Parameter instType error")
    return [
        {
            "instType": "SWAP",
            "instId": f"{row.base_coin}-USDT-SWAP",
            "ctType": "linear",
            "ctVal": str(CONTRACT_COINS),
            "ctMult": "1",
            "ctValCcy": row.base_coin,
            "settleCcy": "USDT",
            "tickSz": str(row.tick_size),
            "lotSz": "1",
            "minSz": "1",
            "listTime": str(row.launch_ms),
            "state": "live",
        }
        for row in market.listings("linear").values()
    ]


def open_interest(market: Market, query: Query, now_ms: int) -> list[dict[str, object]]:
    """``/api/v5/public/open-interest`` of type SWAP."""
    rows: list[dict[str, object]] = []
    for listing in market.listings("linear").values():
        quote = market.quote("linear", listing.symbol, now_ms)
        if quote is None or quote.open_interest is None:
            continue
        coins = _OI_SHARE * quote.open_interest
        rows.append(
            {
                "instType": "SWAP",
                "instId": f"{listing.base_coin}-USDT-SWAP",
                "oi": amount_text(coins / CONTRACT_COINS),
                "oiCcy": amount_text(coins),
                "oiUsd": amount_text(coins * float(quote.last)),
                "ts": str(now_ms),
            }
        )
    return rows


def server_time(market: Market, query: Query, now_ms: int) -> list[dict[str, object]]:
    """``/api/v5/public/time``."""
    return [{"ts": str(now_ms)}]


GETS: dict[str, Handler] = {
    "/api/v5/public/funding-rate-history": funding_rate_history,
    "/api/v5/public/funding-rate": funding_rate,
    "/api/v5/public/instruments": instruments,
    "/api/v5/public/open-interest": open_interest,
    "/api/v5/public/time": server_time,
}


def reply(rows: list[dict[str, object]]) -> bytes:
    """Return a success as the venue sends it."""
    return json.dumps({"code": "0", "msg": "", "data": rows}).encode()


def refusal(refused: OkxRefused) -> bytes:
    """Return a refusal as the venue sends it."""
    return json.dumps({"code": refused.code, "msg": refused.words, "data": []}).encode()


def _listed(market: Market, query: Query) -> Listing:
    symbol = query.text("instId")
    for listing in market.listings("linear").values():
        if symbol == f"{listing.base_coin}-USDT-SWAP":
            return listing
    raise OkxRefused("51001", f"Instrument ID, Instrument ID code, or Spread ID doesn't exist: {symbol}.")
