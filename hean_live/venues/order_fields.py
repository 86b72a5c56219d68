"""An order as the fields of the venue's `order.create` and `order.cancel`, the same by REST and by socket. Pure."""

from __future__ import annotations

from hean_live.venues.protocol import NewOrder

CATEGORY = "linear"


def create_fields(order: NewOrder) -> dict[str, object]:
    """Return the fields of a new order; numbers are text, as the venue wants them."""
    fields: dict[str, object] = {
        "category": CATEGORY,
        "symbol": order.symbol,
        "side": "Buy" if order.side > 0 else "Sell",
        "orderType": "Market" if order.price is None else "Limit",
        "qty": format(order.qty, "f"),
        "timeInForce": order.time_in_force,
        "orderLinkId": order.client_id,
        "reduceOnly": order.reduce_only,
        "positionIdx": 0,
    }
    if order.price is not None:
        fields["price"] = format(order.price, "f")
    if order.stop_price is not None:
        fields |= {
            "stopLoss": format(order.stop_price, "f"),
            "slTriggerBy": "MarkPrice",
            "tpslMode": "Full",
        }
    return fields


def cancel_fields(symbol: str, client_id: str) -> dict[str, object]:
    """Return the fields that cancel an order of ours."""
    return {"category": CATEGORY, "symbol": symbol, "orderLinkId": client_id}
