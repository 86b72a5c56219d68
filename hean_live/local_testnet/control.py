"""Control of a running testnet by tests and demos, under ``/testnet/``: no part of the venue's API.

* ``POST /testnet/clock`` with one of ``{"speed": x}``, ``{"advance_ms": n}``, ``{"now_ms": t}``, ``{"wall_offset_ms": n}``
* ``GET /testnet/state``: clocks, symbols, faults still to come
* ``POST /testnet/faults`` with ``{"faults": [{"kind": …, …}]}`` (fields of `faults.Fault`); ``DELETE`` forgets them
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from hean_live.local_testnet.faults import Fault
from hean_live.local_testnet.venue import Venue
from models.errors import ConfigError

Act = Callable[[Venue, dict[str, object]], None]


def add_routes(app: web.Application, venue: Venue) -> None:
    """Add the control paths to an application."""

    async def clock(request: web.Request) -> web.Response:
        return await _answer(request, venue, _move_clock)

    async def state(request: web.Request) -> web.Response:
        return web.json_response(describe(venue))

    async def faults(request: web.Request) -> web.Response:
        return await _answer(request, venue, _add_faults)

    async def forget(request: web.Request) -> web.Response:
        venue.faults.clear()
        return web.json_response(describe(venue))

    app.router.add_post("/testnet/clock", clock)
    app.router.add_get("/testnet/state", state)
    app.router.add_post("/testnet/faults", faults)
    app.router.add_delete("/testnet/faults", forget)


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
    listed = body.get("faults")
    if not isinstance(listed, list):
        raise ConfigError('faults must be given as {"faults": [{"kind": …}]}')
    for fields in [Fault(**item) for item in listed]:
        venue.faults.add(fields)
