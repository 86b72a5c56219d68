"""Routing of signed requests: limits, signature, state brought up to the clock, then the handler.

Here belongs what every signed request passes through; what is answered belongs to the other ``private_*`` modules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hean_live.local_testnet import (
    auth,
    private_account,
    private_batch,
    private_history,
    private_orders,
    private_positions,
)
from hean_live.local_testnet.envelope import HttpRefused, Refused, encode, failure
from hean_live.local_testnet.private_common import TOO_MANY_VISITS, Reply
from hean_live.local_testnet.query import Query
from hean_live.local_testnet.rows import Row
from hean_live.local_testnet.venue import Venue
from models.simulation.exchange.orders import Rejection

GETS: dict[str, Callable[[Venue, Query], Row]] = {
    "/v5/order/realtime": private_history.realtime,
    "/v5/order/history": private_history.history,
    "/v5/execution/list": private_history.executions,
    "/v5/position/closed-pnl": private_history.closed_pnl,
    "/v5/position/list": private_positions.positions,
    "/v5/account/transaction-log": private_history.transaction_log,
    "/v5/account/wallet-balance": private_account.wallet_balance,
    "/v5/account/fee-rate": private_account.fee_rate,
    "/v5/account/info": private_account.account_info,
    "/v5/user/query-api": private_account.query_api,
}
POSTS: dict[str, Callable[[Venue, private_batch.BatchBody], Row | Reply]] = {
    "/v5/order/create": private_orders.create,
    "/v5/order/amend": private_orders.amend,
    "/v5/order/cancel": private_orders.cancel,
    "/v5/order/cancel-all": private_orders.cancel_all,
    "/v5/position/set-leverage": private_positions.set_leverage,
    "/v5/position/trading-stop": private_positions.trading_stop,
    "/v5/position/switch-mode": private_positions.switch_mode,
    "/v5/account/set-margin-mode": private_account.set_margin_mode,
    "/v5/order/create-batch": private_batch.create_batch,
    "/v5/order/amend-batch": private_batch.amend_batch,
    "/v5/order/cancel-batch": private_batch.cancel_batch,
}
# Paths of the venue that this testnet knows of and does not serve.
NOT_SERVED = ("/v5/order/pre-check", "/v5/order/disconnected-cancel-all")
LIMIT_HEADERS = ("X-Bapi-Limit", "X-Bapi-Limit-Status", "X-Bapi-Limit-Reset-Timestamp")


def limit_headers(limit: int, remaining: int, reset_ms: int) -> dict[str, str]:
    """Rate-limit headers of a reply."""
    return dict(zip(LIMIT_HEADERS, (str(limit), str(remaining), str(reset_ms)), strict=True))


def answer(
    venue: Venue, method: str, path: str, payload: bytes, headers: Mapping[str, str]
) -> tuple[bytes, dict[str, str]]:
    """Answer one signed request.

    Parameters
    ----------
    venue : Venue
    method, path : str
    payload : bytes
        Raw query string of a GET, raw body of a POST.
    headers : mapping
        Request headers.

    Returns
    -------
    (bytes, dict)
        Envelope and rate-limit headers; HTTP status 200.

    Raises
    ------
    HttpRefused
        Wrong verb, or no authentication headers.

    """
    if path not in NOT_SERVED and method != ("GET" if path in GETS else "POST"):
        raise HttpRefused(400, "wrong verb")
    wall_ms = venue.wall.now_ms()
    try:
        auth.check(venue.keys, headers, payload, wall_ms)
    except Refused as refused:
        return failure(refused.ret_code, refused.ret_msg, wall_ms), {}
    admitted, window = venue.limits.admit_user(path)
    limits = limit_headers(window.limit, window.remaining, wall_ms + venue.limits.reset_in_ms(window))
    if not admitted:
        return failure(*TOO_MANY_VISITS, wall_ms), limits
    try:
        reply = handle(venue, path, payload)
    except (Refused, Rejection) as refused:
        code = refused.ret_code if isinstance(refused, Refused) else refused.code
        message = refused.ret_msg if isinstance(refused, Refused) else refused.message
        return failure(code, message, wall_ms), limits
    return _envelope(reply, wall_ms), limits


def handle(venue: Venue, path: str, payload: bytes) -> Reply:
    """Answer a request that has passed the limits and the signature, with the exchange at the present instant.

    Raises
    ------
    Refused, Rejection
        With the venue's code.

    """
    venue.catch_up()
    if path in GETS:
        return Reply(GETS[path](venue, Query(payload.decode())))
    if path in POSTS:
        result = POSTS[path](venue, private_batch.BatchBody(payload))
        return result if isinstance(result, Reply) else Reply(result)
    raise Refused(10017, "Route not found.")


def _envelope(reply: Reply, wall_ms: int) -> bytes:
    return encode(
        {
            "retCode": reply.ret_code,
            "retMsg": reply.ret_msg,
            "result": reply.result,
            "retExtInfo": reply.ext,
            "time": wall_ms,
        }
    )
