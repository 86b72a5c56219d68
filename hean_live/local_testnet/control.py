"""Control of a running testnet by tests and demos, under ``/testnet/``: no part of the venue's API.

* ``POST /testnet/clock`` with one of ``{"speed": x}``, ``{"advance_ms": n}``, ``{"now_ms": t}``, ``{"wall_offset_ms": n}``;
  answered once everything on the way has happened and has been sent to the sockets
* ``GET /testnet/state``: clocks, symbols, faults still to come, sockets
* ``POST /testnet/faults`` with ``{"faults": [{"kind": …, …}]}`` (fields of `faults.Fault`) or ``{"seed": n, "rate": x}``;
  ``DELETE`` forgets them; ``GET`` lists what struck
* ``POST /testnet/latency`` with ``{"in_ms": [low, high], "out_ms": [low, high]}``
* ``POST /testnet/books/restart``: every order book on a socket begins anew with ``u`` 1
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from hean_live.local_testnet.fault_schedule import DEFAULT_RATE, FaultSchedule
from hean_live.local_testnet.faults import Fault
from hean_live.local_testnet.latency import Latency
from hean_live.local_testnet.stream.hub import StreamHub
from hean_live.local_testnet.venue import Venue
from models.errors import ConfigError

Act = Callable[[Venue, dict[str, object]], None]


def add_routes(app: web.Application, venue: Venue, hub: StreamHub) -> None:
    """Add the control paths to an application."""

    async def clock(request: web.Request) -> web.Response:
        response = await _answer(request, venue, _move_clock)
        await hub.settle()
        return web.json_response(describe(venue)) if response.status == 200 else response

    async def state(request: web.Request) -> web.Response:
        sockets = {"sockets": len(list(hub.connections)), "stream_messages": hub.sent}
        return web.json_response(describe(venue) | sockets)

    async def faults(request: web.Request) -> web.Response:
        return await _answer(request, venue, _add_faults)

    async def struck(request: web.Request) -> web.Response:
        return web.json_response({"struck": list(venue.faults.struck)})

    async def forget(request: web.Request) -> web.Response:
        venue.faults.clear()
        venue.schedule = None
        return web.json_response(describe(venue))

    async def latency(request: web.Request) -> web.Response:
        return await _answer(request, venue, _set_latency)

    async def restart(request: web.Request) -> web.Response:
        hub.restart_books()
        return web.json_response(describe(venue))

    app.router.add_post("/testnet/clock", clock)
    app.router.add_get("/testnet/state", state)
    app.router.add_post("/testnet/faults", faults)
    app.router.add_get("/testnet/faults", struck)
    app.router.add_delete("/testnet/faults", forget)
    app.router.add_post("/testnet/latency", latency)
    app.router.add_post("/testnet/books/restart", restart)


def describe(venue: Venue) -> dict[str, object]:
    """State of a testnet as plain values."""
    return {
        "market": venue.market.name,
        "market_time_ms": venue.clock.now_ms(),
        "first_ms": venue.market.first_ms,
        "last_ms": venue.market.last_ms,
        "speed": venue.clock.speed,
        "wall_time_ms": venue.wall.now_ms(),
        "symbols": sorted(venue.market.listings("linear")),
        "faults": len(venue.faults),
    }


async def _answer(request: web.Request, venue: Venue, act: Act) -> web.Response:
    try:
        body = json.loads(await request.read())
        if not isinstance(body, dict):
            raise ConfigError("body must be a JSON object")
        act(venue, body)
    except (ConfigError, TypeError, ValueError) as error:
        return web.json_response({"error": str(error)}, status=400)
    return web.json_response(describe(venue))


def _move_clock(venue: Venue, body: dict[str, object]) -> None:
    moves: dict[str, Callable[[Any], None]] = {
        "speed": lambda value: venue.clock.set_speed(float(value)),
        "advance_ms": lambda value: venue.clock.advance(int(value)),
        "now_ms": lambda value: venue.clock.set_now(int(value)),
        "wall_offset_ms": lambda value: setattr(venue.wall, "offset_ms", int(value)),
    }
    unknown = set(body) - set(moves)
    if unknown or not body:
        raise ConfigError(f"clock takes {', '.join(moves)}, was {sorted(body)}")
    for name, value in body.items():
        moves[name](value)


def _add_faults(venue: Venue, body: dict[str, object]) -> None:
    if "seed" in body:
        venue.schedule = FaultSchedule(int(str(body["seed"])), float(str(body.get("rate", DEFAULT_RATE))))
        return
    listed = body.get("faults")
    if not isinstance(listed, list):
        raise ConfigError('faults must be given as {"faults": [{"kind": …}]} or {"seed": n}')
    for fields in [Fault(**item) for item in listed]:
        venue.faults.add(fields)


def _set_latency(venue: Venue, body: dict[str, object]) -> None:
    ranges: dict[str, Latency] = {}
    for name in ("in_ms", "out_ms"):
        given = body.get(name, [0, 0])
        if not isinstance(given, list) or len(given) != 2:
            raise ConfigError(f"{name} must be [low, high] in ms, was {given!r}")
        ranges[name] = Latency(float(given[0]), float(given[1]), len(ranges))
    venue.latency_in, venue.latency_out = ranges["in_ms"], ranges["out_ms"]
