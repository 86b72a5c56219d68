"""The venue's WebSocket endpoints: connecting, authorising, subscribing, pings and order entry.

Here belongs what a client may ask and how it is answered; words are the venue's where they were seen, and marked in
``docs/local_testnet.md`` where they were not.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from hean_live.local_testnet.stream.account_stream import is_private_topic
from hean_live.local_testnet.stream.connection import Connection
from hean_live.local_testnet.stream.gate import ConnectionGate, silent_seconds
from hean_live.local_testnet.stream.hub import StreamHub
from hean_live.local_testnet.stream.topics import ARGS_LENGTH, SPOT_ARGS, TopicRefused, parse_topic
from hean_live.local_testnet.stream.trade_requests import answer_trade
from hean_live.local_testnet.venue import KeyPair, Venue

Fields = dict[str, Any]
Answer = Callable[[Connection, Fields], None]
REQUEST_IDS = 10_000
"""A trade socket remembers so many of the ids it has seen."""


class AuthRefused(Exception):
    """Authentication of a socket the venue refuses: code and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def check_auth(keys: KeyPair, args: object, now_ms: int) -> None:
    """Let a well-signed ``auth`` pass: key, ``expires`` (number or text) ahead of the venue's clock, signature.

    Raises
    ------
    AuthRefused
        With the venue's code and text.

    """
    if not isinstance(args, list) or len(args) != 3:
        raise AuthRefused(10001, "Params Error")
    key, expires, signature = (str(arg) for arg in args)
    if not expires.isdigit() or int(expires) <= now_ms:
        raise AuthRefused(10004, "Params Error")
    if key != keys.api_key:
        raise AuthRefused(10003, "API key is invalid.")
    text = f"GET/realtime{expires}".encode()
    expected = hmac.new(keys.api_secret.encode(), text, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        raise AuthRefused(10004, "Error sign, please check your signature generation algorithm.")


class Sockets:
    """Handlers of the WebSocket paths.

    Parameters
    ----------
    venue : Venue
    hub : StreamHub

    """

    def __init__(self, venue: Venue, hub: StreamHub) -> None:
        self._venue = venue
        self._hub = hub
        self._gate = ConnectionGate()

    def add_routes(self, app: web.Application) -> None:
        """Add the sockets' paths to an application."""
        for category in ("linear", "spot"):
            app.router.add_get(f"/v5/public/{category}", self._public)
        app.router.add_get("/v5/private", self._private)
        app.router.add_get("/v5/trade", self._trade)

    async def _public(self, request: web.Request) -> web.StreamResponse:
        category = request.path.rpartition("/")[2]
        return await self._serve(request, lambda connection, fields: self._ask(connection, fields, category))

    async def _private(self, request: web.Request) -> web.StreamResponse:
        return await self._serve(request, self._ask_private)

    async def _trade(self, request: web.Request) -> web.StreamResponse:
        seen: deque[str] = deque(maxlen=REQUEST_IDS)
        return await self._serve(request, lambda connection, fields: self._order(connection, fields, seen))

    async def _serve(self, request: web.Request, answer: Answer) -> web.StreamResponse:
        transport = request.transport
        if self._venue.in_maintenance or transport is None:
            return web.Response(status=503, text="service unavailable")
        if not self._gate.admit(request.path, request.remote or ""):
            return web.Response(status=403, text="access too frequent")
        await self._hub.prepare()
        socket = web.WebSocketResponse(compress=False, autoping=False, heartbeat=None)
        await socket.prepare(request)
        connection = Connection(self._venue, request.path, transport)
        self._hub.connect(connection, silent_seconds(request.query.get("max_active_time", "")))
        inbox = Inbox(self._venue, connection, answer)
        try:
            async for message in socket:
                connection.last_active = asyncio.get_running_loop().time()
                if message.type == WSMsgType.PING:
                    connection.pong(message.data)
                elif message.type == WSMsgType.TEXT:
                    inbox.take(message.data)
        finally:
            self._gate.leave(request.path, request.remote or "")
            self._hub.disconnect(connection)
        return socket

    def _ask(self, connection: Connection, fields: Fields, category: str) -> None:
        op, args = fields.get("op"), fields.get("args")
        if op == "ping":
            connection.reply(_public_reply(connection, fields, category, "pong"))
        elif op == "subscribe":
            self._subscribe(connection, fields, category)
        elif op == "unsubscribe" and isinstance(args, list):
            for name in args:
                self._hub.unsubscribe(connection, category, str(name))
            connection.reply(
                _public_reply(connection, fields, category, "subscribe" if category == "spot" else "")
            )
        else:
            connection.reply(_public_reply(connection, fields, category, "Params Error", success=False))

    def _subscribe(self, connection: Connection, fields: Fields, category: str) -> None:
        args = fields.get("args")
        try:
            if not isinstance(args, list) or not args:
                raise TopicRefused("Params Error")
            if category == "spot" and len(args) > SPOT_ARGS:
                raise TopicRefused(f"args size >{SPOT_ARGS}")
            if sum(map(len, connection.topics)) + sum(len(str(arg)) for arg in args) > ARGS_LENGTH:
                raise TopicRefused(f"args length >{ARGS_LENGTH}")
            listed = self._venue.market.listings(category)
            topics = [parse_topic(str(arg), category, listed) for arg in dict.fromkeys(args)]
            for topic in topics:
                if topic.name in connection.topics:
                    raise TopicRefused(f"error:already subscribed,topic:{topic.name}")
        except TopicRefused as refused:
            connection.reply(_public_reply(connection, fields, category, str(refused), success=False))
            return
        connection.reply(
            _public_reply(connection, fields, category, "subscribe" if category == "spot" else "")
        )
        first = self._hub.subscribe(connection, category, topics)
        if first:
            connection.send(first)

    def _ask_private(self, connection: Connection, fields: Fields) -> None:
        op, args = fields.get("op"), fields.get("args")
        if op == "ping":
            pong = {"req_id": fields["req_id"]} if "req_id" in fields else {}
            now = str(self._venue.wall.now_ms())
            connection.reply(pong | {"op": "pong", "args": [now], "conn_id": connection.conn_id})
        elif op == "auth":
            try:
                check_auth(self._venue.keys, args, self._venue.wall.now_ms())
            except AuthRefused as refused:
                connection.reply(_private_reply(connection, fields, refused.text, success=False))
                return
            connection.authorised = True
            connection.reply(_private_reply(connection, fields, ""))
        elif op in ("subscribe", "unsubscribe") and isinstance(args, list) and args:
            self._subscribe_private(connection, fields, [str(arg) for arg in args])
        else:
            connection.reply(_private_reply(connection, fields, "Params Error", success=False))

    def _subscribe_private(self, connection: Connection, fields: Fields, names: list[str]) -> None:
        refusal = ""
        unknown = [name for name in names if not is_private_topic(name)]
        if not connection.authorised:
            refusal = "Request not authorized"
        elif unknown:
            refusal = f"error:handler not found,topic:{unknown[0]}"
        elif fields["op"] == "unsubscribe":
            connection.topics.difference_update(names)
        else:
            again = [name for name in names if name in connection.topics]
            if again:
                refusal = f"error:already subscribed,topic:{again[0]}"
            else:
                self._hub.account.join(connection, names)
        connection.reply(_private_reply(connection, fields, refusal, success=not refusal))

    def _order(self, connection: Connection, fields: Fields, seen: deque[str]) -> None:
        op = fields.get("op")
        if op == "ping":
            now = [str(self._venue.wall.now_ms())]
            connection.reply(_trade_reply(connection, fields, 0, "OK", "pong") | {"data": now})
        elif op == "auth":
            self._authorise_trade(connection, fields)
        elif not connection.authorised:
            connection.reply(_trade_reply(connection, fields, 10003, "Request not authorized", str(op)))
        elif str(fields.get("reqId", "")) and str(fields["reqId"]) in seen:
            connection.reply(_trade_reply(connection, fields, 20006, "reqId is duplicated", str(op)))
        else:
            seen.append(str(fields.get("reqId", "")))
            reply = answer_trade(self._venue, fields) | {"connId": connection.conn_id}
            connection.reply(reply)
            self._hub.account.publish()

    def _authorise_trade(self, connection: Connection, fields: Fields) -> None:
        if connection.authorised:
            connection.reply(_trade_reply(connection, fields, 20001, "Repeat auth", "auth"))
            return
        try:
            check_auth(self._venue.keys, fields.get("args"), self._venue.wall.now_ms())
        except AuthRefused as refused:
            connection.reply(_trade_reply(connection, fields, refused.code, refused.text, "auth"))
            return
        connection.authorised = True
        connection.reply(_trade_reply(connection, fields, 0, "OK", "auth"))


class Inbox:
    """What a client sent, after its latency and in its order."""

    def __init__(self, venue: Venue, connection: Connection, answer: Answer) -> None:
        self._venue = venue
        self._connection = connection
        self._answer = answer
        self._last_due = 0.0

    def take(self, text: str) -> None:
        """Answer a request, now or when it has arrived."""
        if not self._venue.latency_in:
            self._handle(text)
            return
        loop = asyncio.get_running_loop()
        # Strictly later than the one before: timers of one instant come in no order.
        self._last_due = max(self._last_due + 1e-6, loop.time() + self._venue.latency_in.draw_s())
        loop.call_at(self._last_due, self._handle, text)

    def _handle(self, text: str) -> None:
        if self._connection.closing:
            return
        try:
            fields = json.loads(text)
        except ValueError:
            fields = None
        self._answer(self._connection, fields if isinstance(fields, dict) else {})


def _public_reply(
    connection: Connection, fields: Fields, category: str, text: str, *, success: bool = True
) -> Fields:
    """Reply of a public socket; linear ones always name a request id, spot ones only where one was given."""
    reply: Fields = {"success": success, "ret_msg": text, "conn_id": connection.conn_id}
    if category != "spot" or "req_id" in fields:
        reply["req_id"] = fields.get("req_id", "")
    return reply | {"op": fields.get("op", "")}


def _private_reply(connection: Connection, fields: Fields, text: str, *, success: bool = True) -> Fields:
    reply: Fields = {"success": success, "ret_msg": text, "op": fields.get("op", "")}
    if "req_id" in fields:
        reply["req_id"] = fields["req_id"]
    return reply | {"conn_id": connection.conn_id}


def _trade_reply(connection: Connection, fields: Fields, code: int, text: str, op: str) -> Fields:
    reply: Fields = {"reqId": fields["reqId"]} if "reqId" in fields else {}
    return reply | {"retCode": code, "retMsg": text, "op": op, "connId": connection.conn_id}
