"""Public endpoints about the present: time, instruments, tickers, recent trades, order book.

Here belongs the shape of those replies. Histories are in `public_bars` and `public_history`.
"""

from __future__ import annotations

import zlib
from decimal import Decimal

from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused, encode
from hean_live.local_testnet.public_history import amount_text, rate_text
from hean_live.local_testnet.query import Query
from hean_live.local_testnet.trade_ids import trade_id
from hean_live.local_testnet.venue import Venue
from models.simulation.listing import Listing
from models.simulation.quotes import Quote


def server_time(venue: Venue, query: Query, now_ms: int) -> bytes:
    """``/v5/market/time``: the wall clock, which signatures are held against."""
    now_ns = venue.wall.now_ns()
    return encode({"timeSecond": str(now_ns // 1_000_000_000), "timeNano": str(now_ns)})


def instruments(venue: Venue, query: Query, now_ms: int) -> bytes:
    """``/v5/market/instruments-info``, paged by cursor; only what is trading unless a status is asked for."""
    category = query.category()
    known = venue.market.listings(category)
    listed = {name: listing for name, listing in known.items() if listing.status(now_ms) != "Unlisted"}
    symbol = query.text("symbol")
    if symbol and symbol not in listed:
        raise Refused(PARAMETER_ERROR, "params error: symbol invalid")
    names = sorted(listed) if not symbol else [symbol]
    if query.text("baseCoin"):
        names = [name for name in names if listed[name].base_coin == query.text("baseCoin")]
    status = query.text("status", "Trading")
    names = [name for name in names if listed[name].status(now_ms) == status]
    cursor = query.cursor()
    if cursor is not None:
        names = [name for name in names if name > cursor.get("last", "")]
    limit = query.limit(500, 1000)
    page = names[:limit]
    rows = [
        _spot_instrument(listed[name])
        if category == "spot"
        else _linear_instrument(listed[name], venue.market.interval_h(name, now_ms), now_ms)
        for name in page
    ]
    more = f"first%3D{page[0]}%26last%3D{page[-1]}" if len(names) > len(page) else ""
    return encode({"category": category, "list": rows, "nextPageCursor": more})


def _linear_instrument(listing: Listing, interval_h: int, now_ms: int) -> dict[str, object]:
    cap = listing.funding_cap
    tick = listing.tick_size
    status = listing.status(now_ms)
    return {
        "symbol": listing.symbol,
        "symbolId": zlib.crc32(listing.symbol.encode()) % 10_000,
        "contractType": "LinearPerpetual",
        "status": status,
        "baseCoin": listing.base_coin,
        "quoteCoin": "USDT",
        "settleCoin": "USDT",
        "symbolType": "",
        "launchTime": str(listing.launch_ms),
        "deliveryTime": str(listing.delisted_ms or 0),
        "deliveryFeeRate": "",
        "priceScale": str(listing.price_decimals),
        "leverageFilter": {"minLeverage": "1", "maxLeverage": listing.max_leverage, "leverageStep": "0.01"},
        "priceFilter": {"minPrice": tick, "maxPrice": tick * 19_999_998, "tickSize": tick},
        "lotSizeFilter": {
            "maxOrderQty": listing.max_order_qty,
            "minOrderQty": listing.min_order_qty,
            "qtyStep": listing.qty_step,
            "postOnlyMaxOrderQty": listing.max_order_qty,
            "maxMktOrderQty": listing.max_market_qty,
            "minNotionalValue": listing.min_notional_usd,
        },
        "unifiedMarginTrade": True,
        "fundingInterval": interval_h * 60,
        "copyTrading": "none",
        "upperFundingRate": cap,
        "lowerFundingRate": -cap,
        "displayName": "",
        "forbidUplWithdrawal": False,
        "isPreListing": status == "PreLaunch",
        "preListingInfo": _pre_listing(listing, now_ms) if status == "PreLaunch" else None,
        "riskParameters": {"priceLimitRatioX": "0.01", "priceLimitRatioY": "0.02"},
    }


def _pre_listing(listing: Listing, now_ms: int) -> dict[str, object]:
    return {
        "curAuctionPhase": listing.phase(now_ms),
        "phases": [
            {
                "phase": phase.name,
                "startTime": str(phase.start_ms),
                "endTime": "" if phase.end_ms is None else str(phase.end_ms),
            }
            for phase in listing.phases
        ],
        "auctionFeeInfo": {"auctionFeeRate": "0", "takerFeeRate": "0.001", "makerFeeRate": "0.0004"},
        "skipCallAuction": False,
    }


def _spot_instrument(listing: Listing) -> dict[str, object]:
    return {
        "symbolId": zlib.crc32(listing.symbol.encode()) % 10_000,
        "symbol": listing.symbol,
        "baseCoin": listing.base_coin,
        "quoteCoin": "USDT",
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "none",
        "stTag": "0",
        "lotSizeFilter": {
            "basePrecision": listing.qty_step,
            "quotePrecision": "0.0000001",
            "minOrderQty": listing.min_order_qty,
            "maxOrderQty": listing.max_order_qty,
            "minOrderAmt": listing.min_notional_usd,
            "maxOrderAmt": "8000000",
            "maxLimitOrderQty": listing.max_order_qty,
            "maxMarketOrderQty": listing.max_market_qty,
            "postOnlyMaxLimitOrderSize": listing.max_order_qty,
        },
        "priceFilter": {"tickSize": listing.tick_size},
        "riskParameters": {"priceLimitRatioX": "0.005", "priceLimitRatioY": "0.01"},
        "symbolType": "",
    }


def tickers(venue: Venue, query: Query, now_ms: int) -> bytes:
    """``/v5/market/tickers``: one symbol or all of a category."""
    category = query.category()
    known = venue.market.listings(category)
    listed = {name: listing for name, listing in known.items() if listing.trades_at(now_ms)}
    symbol = query.text("symbol")
    if symbol and symbol not in listed:
        raise Refused(PARAMETER_ERROR, "params error: symbol invalid")
    rows = []
    for name in [symbol] if symbol else sorted(listed):
        quote = venue.market.quote(category, name, now_ms)
        if quote is not None:
            rows.append(
                spot_ticker(listed[name], quote)
                if category == "spot"
                else linear_ticker(listed[name], quote, now_ms)
            )
    return encode({"category": category, "list": rows})


def _common_ticker(listing: Listing, quote: Quote) -> dict[str, object]:
    change = quote.last / quote.previous_24h - 1 if quote.previous_24h else Decimal(0)
    bid, ask = quote.bid or ("", ""), quote.ask or ("", "")
    return {
        "symbol": listing.symbol,
        "lastPrice": quote.last,
        "prevPrice24h": quote.previous_24h,
        "price24hPcnt": f"{change:.6f}",
        "highPrice24h": quote.high_24h,
        "lowPrice24h": quote.low_24h,
        "turnover24h": f"{quote.turnover_24h:.4f}",
        "volume24h": f"{quote.volume_24h:.{listing.qty_decimals}f}",
        "bid1Price": bid[0],
        "bid1Size": bid[1],
        "ask1Price": ask[0],
        "ask1Size": ask[1],
    }


def linear_ticker(listing: Listing, quote: Quote, now_ms: int) -> dict[str, object]:
    """Row of a perpetual."""
    interest = quote.open_interest
    value = float(quote.mark or quote.last)
    return _common_ticker(listing, quote) | {
        "indexPrice": quote.index if quote.index is not None else "",
        "markPrice": quote.mark if quote.mark is not None else "",
        "prevPrice1h": quote.previous_1h,
        "openInterest": amount_text(interest) if interest is not None else "",
        "openInterestValue": f"{interest * value:.2f}" if interest is not None else "",
        "singleOpenInterest": amount_text(interest / 2.0) if interest is not None else "",
        "singleOpenInterestValue": f"{interest * value / 2:.2f}" if interest is not None else "",
        "fundingRate": rate_text(float(quote.funding_rate)) if quote.funding_rate is not None else "",
        "nextFundingTime": str(quote.next_funding_ms) if quote.next_funding_ms is not None else "",
        "fundingIntervalHour": str(quote.interval_h) if quote.interval_h is not None else "",
        "fundingCap": listing.funding_cap,
        "basis": "",
        "basisRate": "",
        "basisRateYear": "",
        "deliveryFeeRate": "",
        "deliveryTime": str(listing.delisted_ms or 0),
        "predictedDeliveryPrice": "",
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": listing.phase(now_ms) if listing.status(now_ms) == "PreLaunch" else "",
    }


def spot_ticker(listing: Listing, quote: Quote) -> dict[str, object]:
    """Row of a spot pair."""
    return _common_ticker(listing, quote) | {"usdIndexPrice": quote.index if quote.index is not None else ""}


def recent_trades(venue: Venue, query: Query, now_ms: int) -> bytes:
    """``/v5/market/recent-trade``, newest first."""
    category = query.category()
    symbol = query.required("symbol")
    if symbol not in venue.market.listings(category):
        raise Refused(PARAMETER_ERROR, "params error: symbol invalid")
    limit = query.limit(60, 60) if category == "spot" else query.limit(500, 1000)
    rows = [
        {
            "execId": trade_id(category, symbol, trade.number),
            "symbol": symbol,
            "price": trade.price,
            "size": trade.qty,
            "side": "Buy" if trade.side > 0 else "Sell",
            "time": str(trade.ts_ms),
            "isBlockTrade": False,
            "isRPITrade": False,
            "seq": str(trade.number),
        }
        for trade in venue.market.trades(category, symbol, limit, now_ms)
    ]
    return encode({"category": category, "list": rows})


def order_book(venue: Venue, query: Query, now_ms: int) -> bytes:
    """``/v5/market/orderbook``: linear 25 levels by default, spot 1; at most 1000."""
    category = query.category()
    symbol = query.required("symbol")
    if symbol not in venue.market.listings(category):
        raise Refused(PARAMETER_ERROR, "params error: symbol invalid")
    limit = query.limit(1 if category == "spot" else 25, 1000)
    book = venue.market.depth(category, symbol, now_ms, limit)
    number = now_ms // 100
    return encode(
        {
            "s": symbol,
            "b": book.bids if book else [],
            "a": book.asks if book else [],
            "ts": now_ms,
            "u": number,
            "seq": number,
            "cts": now_ms,
        }
    )
