"""The HTTP application: routes, rate limits, headers, envelopes.

Here belongs what every request passes through. What is answered belongs to the ``public_*`` and ``private_*`` modules.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from hean_live.local_testnet import control, private, public_bars, public_history, public_now
from hean_live.local_testnet.envelope import HttpRefused, Refused, failure, success
from hean_live.local_testnet.faults import Fault
from hean_live.local_testnet.markets.base import TickMarket
from hean_live.local_testnet.other_venues import routes as other_venues
from hean_live.local_testnet.query import Query
from hean_live.local_testnet.stream.connection import GARBAGE
from hean_live.local_testnet.stream.hub import StreamHub
from hean_live.local_testnet.stream.sockets import Sockets
from hean_live.local_testnet.venue import Venue, monotonic_ms

log = logging.getLogger(__name__)

PublicHandler = Callable[[Venue, Query, int], bytes]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
VENUE = web.AppKey("venue", Venue)
HUB = web.AppKey("hub", StreamHub)
SOCKETS = ("/v5/public/", "/v5/private", "/v5/trade")

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
    app = web.Application(middlewares=[_delayed, _faulty, _limited])
    hub = StreamHub(venue)
    app[VENUE] = venue
    app[HUB] = hub
    for path in PUBLIC:
        app.router.add_route("*", path, _public)
    for path in (*private.GETS, *private.POSTS, *private.NOT_SERVED):
        app.router.add_route("*", path, _private)
    Sockets(venue, hub).add_routes(app)
    control.add_routes(app, venue, hub)
    other_venues.add_routes(app, venue)
    app.cleanup_ctx.append(_streaming)
    return app


async def _streaming(app: web.Application) -> AsyncIterator[None]:
    """Publish for as long as the application serves."""
    task = asyncio.create_task(app[HUB].run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _is_request(request: web.Request) -> bool:
    """Whether it is a request to the venue's REST API: not control, not the opening of a socket."""
    return request.path.startswith("/v5/") and not request.path.startswith(SOCKETS)


@web.middleware
async def _delayed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request and its reply take the time they need, each with its own draw."""
    venue = request.app[VENUE]
    if not _is_request(request):
        return await handler(request)
    if venue.latency_in:
        await asyncio.sleep(venue.latency_in.draw_s())
    response = await handler(request)
    if venue.latency_out:
        await asyncio.sleep(venue.latency_out.draw_s())
    return response


@web.middleware
async def _limited(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the request against its address; refuse what the venue's front refuses."""
    if not _is_request(request):
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
    """Commit the next fault that strikes this path: a listed one, else the seed's."""
    if not _is_request(request):
        return await handler(request)
    venue = request.app[VENUE]
    if venue.in_maintenance:
        return _down(venue)
    fault = venue.faults.take(request.path)
    if fault is None and venue.schedule is not None:
        fault = venue.schedule.request(request.path)
        if fault is not None:
            venue.faults.struck.append((request.path, fault.kind))
    if fault is None:
        return await handler(request)
    log.info("fault %s strikes %s", fault.kind, request.path)
    return await _commit(request, handler, fault)


async def _commit(request: web.Request, handler: Handler, fault: Fault) -> web.StreamResponse:
    venue = request.app[VENUE]
    if fault.kind == "maintenance":
        venue.maintenance_until_ms = monotonic_ms() + int(fault.seconds * 1000)
        venue.maintenance_status = fault.status
        request.app[HUB].close_all()
        return _down(venue)
    if fault.kind == "double":
        await handler(request)
        return await handler(request)
    if fault.kind == "skew":
        return await _skewed(request, handler, fault)
    if fault.when == "before":
        if fault.kind != "delay":
            return _strike(request, fault)
        await asyncio.sleep(fault.seconds)
        return await handler(request)
    response = await handler(request)
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
        return response
    if fault.kind == "garbage":
        return web.Response(body=GARBAGE, content_type="application/json")
    if fault.kind == "truncate" and isinstance(response, web.Response) and isinstance(response.body, bytes):
        return web.Response(body=response.body[: len(response.body) // 2], content_type="application/json")
    return _strike(request, fault)


async def _skewed(request: web.Request, handler: Handler, fault: Fault) -> web.StreamResponse:
    wall = request.app[VENUE].wall
    if request.can_read_body:
        await request.read()  # the handler then does not wait, and no other request meets the skewed clock
    offset_ms = int(fault.seconds * 1000)
    wall.offset_ms += offset_ms
    try:
        return await handler(request)
    finally:
        wall.offset_ms -= offset_ms


def _down(venue: Venue) -> web.Response:
    if venue.maintenance_status == 200:
        return json_reply(failure(10016, "Server error", venue.wall.now_ms()))
    return web.Response(status=venue.maintenance_status, text="service unavailable")


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
    if isinstance(venue.market, TickMarket):
        # A tick market remembers a minute: it must not run ahead of the account that trades it.
        venue.catch_up()
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
    request.app[HUB].account.publish()
    return json_reply(body, headers)


def _refuse_body(request: web.Request) -> None:
    # Seen on the venue: a GET that carries a body, if only an empty JSON object, is forbidden.
    if request.can_read_body:
        raise HttpRefused(403, "a GET request must not carry a body")
