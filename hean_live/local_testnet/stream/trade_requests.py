"""Orders over the trade socket: one request in, one reply out.

Here belongs what such a message says; connections, authentication and the uniqueness of a ``reqId`` on one connection belong to
the socket. A request uses up the same limit as its REST endpoint.
"""

from __future__ import annotations

import json

from hean_live.local_testnet import auth, private
from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused
from hean_live.local_testnet.private_common import TOO_MANY_VISITS, Reply
from hean_live.local_testnet.rows import Row
from hean_live.local_testnet.venue import Venue
from models.simulation.exchange.orders import Rejection

PATHS = {
    f"order.{name}": f"/v5/order/{name}"
    for name in ("create", "amend", "cancel", "create-batch", "amend-batch", "cancel-batch")
}
MAX_REQUEST_ID = 36
UNKNOWN_OP = (10404, "op type is not found")


def answer_trade(venue: Venue, message: dict[str, object]) -> Row:
    """Answer one message of an authenticated trade socket.

    Parameters
    ----------
    venue : Venue
    message : dict
        ``op``, ``args`` with one object, ``header`` with ``X-BAPI-TIMESTAMP`` and perhaps ``X-BAPI-RECV-WINDOW``, perhaps
        ``reqId``.

    Returns
    -------
    dict
        Whole reply but for ``connId``, which is the socket's.

    """
    op, wall_ms = str(message.get("op", "")), venue.wall.now_ms()
    limits: dict[str, str] = {}
    try:
        if op not in PATHS:
            raise Refused(*UNKNOWN_OP)
        if len(str(message.get("reqId", ""))) > MAX_REQUEST_ID:
            raise Refused(20006, "reqId is invalid")
        _check_time(message.get("header"), wall_ms)
        admitted, window = venue.limits.admit_user(PATHS[op])
        reset_ms = wall_ms + venue.limits.reset_in_ms(window)
        limits = private.limit_headers(window.limit, window.remaining, reset_ms)
        if not admitted:
            raise Refused(*TOO_MANY_VISITS)
        reply = private.handle(venue, PATHS[op], json.dumps(_argument(message.get("args"))).encode())
        limits["X-Bapi-Limit-Status"] = str(window.remaining)
    except Refused as refused:
        reply = Reply({}, ret_code=refused.ret_code, ret_msg=refused.ret_msg)
    except Rejection as rejection:
        reply = Reply({}, ret_code=rejection.code, ret_msg=rejection.message)
    answer: Row = {"reqId": message["reqId"]} if "reqId" in message else {}
    return answer | {
        "retCode": reply.ret_code,
        "retMsg": reply.ret_msg,
        "op": op,
        "data": reply.result,
        "retExtInfo": reply.ext,
        "header": {**limits, "Traceid": "", "Timenow": str(wall_ms)},
    }


def _argument(args: object) -> object:
    if not isinstance(args, list) or len(args) != 1:
        raise Refused(PARAMETER_ERROR, "params error: args must hold one object")
    return args[0]


def _check_time(header: object, server_ms: int) -> None:
    fields = header if isinstance(header, dict) else {}
    timestamp = str(fields.get("X-BAPI-TIMESTAMP", ""))
    recv_window = str(fields.get("X-BAPI-RECV-WINDOW") or auth.DEFAULT_RECV_WINDOW)
    auth.check_time(timestamp, recv_window, server_ms)
