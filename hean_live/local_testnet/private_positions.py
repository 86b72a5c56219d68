"""Signed endpoints of positions: what is held, leverage, stops, one-way or hedge mode.

Here belong their parameters; margin is cross, and the account settles in USDT.
"""

from __future__ import annotations

from decimal import Decimal

from hean_live.local_testnet.body import Body
from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused
from hean_live.local_testnet.private_common import is_linear, listed, nothing, scope
from hean_live.local_testnet.query import Query
from hean_live.local_testnet.rows import Row, position_row
from hean_live.local_testnet.venue import Venue
from models.simulation.exchange.orders import OrderRequest

ONE_WAY_MODE, HEDGE_MODE = 0, 3


def positions(venue: Venue, query: Query) -> Row:
    """``GET /v5/position/list``: by symbol also flat rows, by settle coin open positions only."""
    if not is_linear(query):
        return nothing(query)
    exchange, symbol = venue.exchange, query.text("symbol")
    wanted = scope(venue, symbol, query.text("baseCoin"), query.text("settleCoin"))
    rows = [
        position_row(exchange.position_view(name, position.index), listed(venue, name))
        for name in sorted(wanted)
        for position in exchange.positions_of(name)
        if symbol or position.qty
    ]
    limit = query.limit(20, 200)
    start = int(query.text("cursor")) if query.text("cursor").isdigit() else 0
    cursor = str(start + limit) if len(rows) > start + limit else ""
    return {"category": "linear", "list": rows[start : start + limit], "nextPageCursor": cursor}


def set_leverage(venue: Venue, body: Body) -> Row:
    """``POST /v5/position/set-leverage``; both sides must be equal in cross margin."""
    body.linear()
    listing = listed(venue, body.required("symbol"))
    body.required("buyLeverage")
    buy, sell = body.decimal("buyLeverage"), body.decimal("sellLeverage")
    if buy is None or buy != sell:
        raise Refused(PARAMETER_ERROR, "buy leverage invalid")
    venue.exchange.set_leverage(listing.symbol, buy)
    return {}


def trading_stop(venue: Venue, body: Body) -> Row:
    """``POST /v5/position/trading-stop``: stops of a position; ``"0"`` removes one."""
    body.linear()
    listing = listed(venue, body.required("symbol"))
    stop_loss, take_profit = body.decimal("stopLoss"), body.decimal("takeProfit")
    trailing = body.decimal("trailingStop")
    if stop_loss is None and take_profit is None and trailing is None:
        raise Refused(34040, "not modified")
    venue.exchange.set_stops(
        listing.symbol,
        OrderRequest(
            symbol=listing.symbol,
            side=0,
            order_type="Market",
            qty=_size(body),
            stop_loss=stop_loss,
            take_profit=take_profit,
            stop_loss_by=body.text("slTriggerBy") or "LastPrice",
            take_profit_by=body.text("tpTriggerBy") or "LastPrice",
            position_idx=body.integer("positionIdx"),
            tpsl_mode=body.text("tpslMode") or "Full",
            stop_loss_type=body.text("slOrderType") or "Market",
            take_profit_type=body.text("tpOrderType") or "Market",
            stop_loss_limit=body.decimal("slLimitPrice") or None,
            take_profit_limit=body.decimal("tpLimitPrice") or None,
            trailing=trailing,
            active_price=body.decimal("activePrice") or None,
        ),
    )
    return {}


def _size(body: Body) -> Decimal:
    """Size of partial stops; both sizes must be equal where both are given."""
    sizes = {size for size in (body.decimal("tpSize"), body.decimal("slSize")) if size is not None}
    if len(sizes) > 1:
        raise Refused(PARAMETER_ERROR, "tpSize and slSize must be equal")
    return sizes.pop() if sizes else Decimal(0)


def switch_mode(venue: Venue, body: Body) -> Row:
    """``POST /v5/position/switch-mode``: 0 one-way, 3 hedge; for one symbol or all of a coin."""
    body.linear()
    mode = body.integer("mode", -1)
    if mode not in (ONE_WAY_MODE, HEDGE_MODE):
        raise Refused(PARAMETER_ERROR, "params error: mode invalid")
    wanted = scope(venue, body.text("symbol"), "", body.text("coin"))
    venue.exchange.switch_mode(sorted(wanted), hedged=mode == HEDGE_MODE)
    return {}
