"""Signed endpoints that change several orders in one request.

Here belongs what is said of each of them: its own ids, its own code. One order is ``private_orders``' business.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from hean_live.local_testnet import private_orders
from hean_live.local_testnet.body import Body
from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused
from hean_live.local_testnet.private_common import TOO_MANY_VISITS, Reply
from hean_live.local_testnet.rows import Row
from hean_live.local_testnet.venue import Venue
from models.simulation.exchange.orders import Rejection
from models.simulation.exchange.state import NS_PER_MS

MAX_BATCH = 20

Act = Callable[[Venue, Body], Row]


class BatchBody(Body):
    """Body of a batch: a category, and a list of orders."""

    def orders(self) -> list[dict[str, object]]:
        """Return the orders; refuses a batch that is empty or too long."""
        items = self._values.get("request")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise Refused(PARAMETER_ERROR, "params error: request is required")
        if not 1 <= len(items) <= MAX_BATCH:
            raise Refused(PARAMETER_ERROR, f"params error: request must hold 1 to {MAX_BATCH} orders")
        return items


def create_batch(venue: Venue, body: BatchBody) -> Reply:
    """``POST /v5/order/create-batch``."""
    reply = _batch(venue, body, "/v5/order/create-batch", private_orders.create)
    for row in reply.rows:
        row["createAt"] = str(venue.exchange.now_ns // NS_PER_MS) if row["orderId"] else ""
    return reply


def amend_batch(venue: Venue, body: BatchBody) -> Reply:
    """``POST /v5/order/amend-batch``."""
    return _batch(venue, body, "/v5/order/amend-batch", private_orders.amend)


def cancel_batch(venue: Venue, body: BatchBody) -> Reply:
    """``POST /v5/order/cancel-batch``."""
    return _batch(venue, body, "/v5/order/cancel-batch", private_orders.cancel)


def _batch(venue: Venue, body: BatchBody, path: str, act: Act) -> Reply:
    """Do one thing to several orders; each has its own code, and each is one unit of the limit."""
    body.linear()
    rows: list[Row] = []
    codes: list[Row] = []
    for number, item in enumerate(body.orders()):
        code, message = 0, "OK"
        ids: Row = {"orderId": "", "orderLinkId": str(item.get("orderLinkId") or "")}
        try:
            # The request itself has taken the first unit.
            if number and not venue.limits.admit_user(path)[0]:
                raise Refused(*TOO_MANY_VISITS)
            ids = act(venue, Body(json.dumps({**item, "category": "linear"}).encode()))
        except Refused as refused:
            code, message = refused.ret_code, refused.ret_msg
        except Rejection as rejection:
            code, message = rejection.code, rejection.message
        rows.append({"category": "linear", "symbol": str(item.get("symbol") or ""), **ids})
        codes.append({"code": code, "msg": message})
    return Reply({"list": rows}, {"list": codes})
