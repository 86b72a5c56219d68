"""The HTTP application: routes, rate limits, headers, envelopes.

Here belongs what every request passes through. What is answered belongs to the ``public_*`` and ``private_*`` modules.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from hean_live.local_testnet import control, private, public_bars, public_history, public_now
from hean_live.local_testnet.envelope import HttpRefused, Refused, failure, success
from hean_live.local_testnet.faults import Fault
from hean_live.local_testnet.other_venues import routes as other_venues
from hean_live.local_testnet.query import Query
from hean_live.local_testnet.venue import Venue

log = logging.getLogger(__name__)

PublicHandler = Callable[[Venue, Query, int], bytes]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
VENUE = web.AppKey("venue", Venue)

PUBLIC: dict[str, PublicHandler] = {
    "/v5/market/time": public_now.server_time,
    "/v5/market/instruments-info": public_now.instruments,
    "/v5/market/tickers": public_now.tickers,
    "/v5/market/recent-trade": public_now.recent_trades,
    "/v5/market/orderbook": public_now.order_book,
    "/v5/market/funding/history": public_history.funding,
    "/v5/market/open-interest": public_history.open_interest,
    "/v5/market/account-ratio": public_history.account_ratio,
    "/v5/market/kline": public_bars.kline,
    "/v5/market/mark-price-kline": public_bars.mark_kline,
    "/v5/market/index-price-kline": public_bars.index_kline,
    "/v5/market/premium-index-price-kline": public_bars.premium_kline,
}


def create_app(venue: Venue) -> web.Application:
    """Application that serves one venue; run it on loopback only."""
    app = web.Application(middlewares=[_faulty, _limited])
    app[VENUE] = venue
    for path in PUBLIC:
        app.router.add_route("*", path, _public)
    for path in (*private.GETS, *private.POSTS, *private.NOT_SERVED):
        app.router.add_route("*", path, _private)
    control.add_routes(app, venue)
    other_venues.add_routes(app, venue)
    return app


@web.middleware
async def _limited(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the request against its address; refuse what the venue's front refuses."""
    if not request.path.startswith("/v5/"):
        return await handler(request)
    venue = request.app[VENUE]
    window = venue.limits.admit_address(request.remote or "")
    if window is None:
        return web.Response(status=403, text="access too frequent")
    try:
        response = await handler(request)
    except HttpRefused as error:
        response = web.Response(status=error.status, text=error.text)
    if private.LIMIT_HEADERS[0] not in response.headers:
        response.headers.update(private.limit_headers(window.limit, window.remaining, venue.wall.now_ms()))
    return response


@web.middleware
async def _faulty(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Commit the next fault that strikes this path."""
    fault = request.app[VENUE].faults.take(request.path) if request.path.startswith("/v5/") else None
    if fault is None:
        return await handler(request)
    log.info("fault %s strikes %s", fault.kind, request.path)
    if fault.when == "before":
        if fault.kind != "delay":
            return _strike(request, fault)
        await asyncio.sleep(fault.seconds)
        return await handler(request)
    response = await handler(request)
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
        return response
    if fault.kind == "truncate" and isinstance(response, web.Response) and isinstance(response.body, bytes):
        return web.Response(body=response.body[: len(response.body) // 2], content_type="application/json")
    return _strike(request, fault)


def _strike(request: web.Request, fault: Fault) -> web.Response:
    wall_ms = request.app[VENUE].wall.now_ms()
    if fault.kind == "http_status":
        return web.Response(
            status=fault.status, text="access too frequent" if fault.status == 403 else "fault"
        )
    if fault.kind == "drop":
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)
    headers = private.limit_headers(10, 0, wall_ms + fault.reset_in_ms)
    return json_reply(failure(fault.ret_code, fault.ret_msg, wall_ms), headers)


def json_reply(body: bytes, headers: dict[str, str] | None = None) -> web.Response:
    """JSON body with HTTP status 200."""
    return web.Response(body=body, content_type="application/json", headers=headers)


async def _public(request: web.Request) -> web.Response:
    venue = request.app[VENUE]
    if request.method != "GET":
        raise HttpRefused(400, "wrong verb")
    _refuse_body(request)
    now_ms = venue.clock.now_ms()
    time_ms = venue.wall.now_ms() if request.path == "/v5/market/time" else now_ms
    _, _, raw_query = request.raw_path.partition("?")
    try:
        result = PUBLIC[request.path](venue, Query(raw_query), now_ms)
    except Refused as refused:
        return json_reply(failure(refused.ret_code, refused.ret_msg, time_ms))
    return json_reply(success(result, time_ms))


async def _private(request: web.Request) -> web.Response:
    venue = request.app[VENUE]
    if request.method == "GET":
        _refuse_body(request)
        payload = request.raw_path.partition("?")[2].encode()
    else:
        payload = await request.read()
    body, headers = private.answer(venue, request.method, request.path, payload, request.headers)
    return json_reply(body, headers)


def _refuse_body(request: web.Request) -> None:
    # Seen on the venue: a GET that carries a body, if only an empty JSON object, is forbidden.
    if request.can_read_body:
        raise HttpRefused(403, "a GET request must not carry a body")
