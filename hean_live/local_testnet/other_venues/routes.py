"""The other venues' paths on the testnet's own server.

Here belong routes and what every request of a venue passes through. What is answered belongs to the venues' modules.
"""

from __future__ import annotations

import json

from aiohttp import web

from hean_live.local_testnet.envelope import Refused
from hean_live.local_testnet.other_venues import binance, okx
from hean_live.local_testnet.other_venues.posts import Answer, Reddit, XSearch
from hean_live.local_testnet.other_venues.sentiment import Coinglass, fear_greed
from hean_live.local_testnet.query import Query
from hean_live.local_testnet.venue import Venue, monotonic_ms


def add_routes(app: web.Application, venue: Venue) -> None:
    """Serve Binance, OKX, CoinGlass, Reddit, X and the Fear & Greed index from the market of `venue`."""
    funding, coinglass = binance.FundingBudget(), Coinglass()

    async def binance_get(request: web.Request) -> web.Response:
        return _binance(venue, funding, request)

    async def okx_get(request: web.Request) -> web.Response:
        return _okx(venue, request)

    async def coinglass_get(request: web.Request) -> web.Response:
        key = request.headers.get("CG-API-KEY", "")
        now_ms = venue.clock.now_ms()
        return _json(
            coinglass.answer(venue.market, request.path, _query(request), key, now_ms, monotonic_ms())
        )

    async def fear_greed_get(request: web.Request) -> web.Response:
        return _json(fear_greed(venue.market, _query(request), venue.clock.now_ms()))

    reddit, x_search = Reddit(), XSearch()

    async def reddit_token(request: web.Request) -> web.Response:
        return _plain(reddit.token(request.headers.get("Authorization", ""), await request.text()))

    async def reddit_new(request: web.Request) -> web.Response:
        told = {name: request.headers.get(name, "") for name in ("Authorization", "User-Agent")}
        places, now_ms = request.match_info["subreddits"], venue.clock.now_ms()
        return _plain(reddit.newest(venue.market, places, _query(request), told, now_ms, monotonic_ms()))

    async def x_recent(request: web.Request) -> web.Response:
        key, now_ms = request.headers.get("Authorization", ""), venue.clock.now_ms()
        return _plain(x_search.recent(venue.market, _query(request), key, now_ms, monotonic_ms()))

    app.router.add_post("/api/v1/access_token", reddit_token)
    app.router.add_get("/r/{subreddits}/new", reddit_new)
    app.router.add_get("/2/tweets/search/recent", x_recent)
    for path in binance.GETS:
        app.router.add_get(path, binance_get)
    for path in okx.GETS:
        app.router.add_get(path, okx_get)
    app.router.add_get("/api/futures/{path:.*}", coinglass_get)
    app.router.add_get("/fng/", fear_greed_get)


def _binance(venue: Venue, funding: binance.FundingBudget, request: web.Request) -> web.Response:
    try:
        funding.admit(request.path, monotonic_ms())
        body = binance.GETS[request.path](venue.market, _query(request), venue.clock.now_ms())
    except binance.BinanceRefused as refused:
        return _json(refused.body(), refused.status, {"Retry-After": "5"} if refused.status == 429 else None)
    except Refused as refused:
        return _json(binance.BinanceRefused(400, -1102, refused.ret_msg).body(), 400)
    return _json(json.dumps(body).encode())


def _okx(venue: Venue, request: web.Request) -> web.Response:
    try:
        return _json(okx.reply(okx.GETS[request.path](venue.market, _query(request), venue.clock.now_ms())))
    except okx.OkxRefused as refused:
        return _json(okx.refusal(refused))
    except Refused as refused:
        return _json(okx.refusal(okx.OkxRefused("51000", refused.ret_msg)))


def _plain(answer: Answer) -> web.Response:
    status, body, headers = answer
    return _json(body, status, headers)


def _query(request: web.Request) -> Query:
    return Query(request.raw_path.partition("?")[2])


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)
