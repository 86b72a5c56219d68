"""Rows of Binance USD-M about the present: premium index and touch, made from our market's quote and the planted differences.

Here belong the rows; paths, refusals and histories are in `binance.py`.
"""

from __future__ import annotations

import numpy as np

from hean_live.local_testnet.markets.base import Market
from hean_live.local_testnet.public_history import rate_text
from models.simulation.listing import Listing
from models.simulation.other_venues import funding_difference, price_factor

Row = dict[str, object]


def premium_row(market: Market, listing: Listing, now_ms: int) -> Row | None:
    """Return the row of ``premiumIndex``, None before prices and settlements are known."""
    quote = market.quote("linear", listing.symbol, now_ms)
    if quote is None or quote.mark is None or quote.index is None or quote.next_funding_ms is None:
        return None
    interval_h = quote.interval_h or listing.interval_h
    difference = funding_difference("binance", np.array([quote.next_funding_ms]), interval_h)[0]
    return {
        "symbol": listing.symbol,
        "markPrice": f"{float(quote.mark) * price_factor('binance'):.8f}",
        "indexPrice": f"{float(quote.index):.8f}",
        "estimatedSettlePrice": f"{float(quote.index):.8f}",
        "lastFundingRate": rate_text(float(quote.funding_rate or 0) + float(difference)),
        "interestRate": "0.00010000",
        "nextFundingTime": quote.next_funding_ms,
        "time": now_ms,
    }


def touch_row(market: Market, listing: Listing, now_ms: int) -> Row | None:
    """Return the row of ``ticker/bookTicker``, None without a touch."""
    quote = market.quote("linear", listing.symbol, now_ms)
    if quote is None or quote.bid is None or quote.ask is None:
        return None
    (bid, bid_size), (ask, ask_size), factor = quote.bid, quote.ask, price_factor("binance")
    return {
        "symbol": listing.symbol,
        "bidPrice": f"{float(bid) * factor:.8f}",
        "bidQty": str(bid_size),
        "askPrice": f"{float(ask) * factor:.8f}",
        "askQty": str(ask_size),
        "time": now_ms,
        "lastUpdateId": now_ms,
    }
