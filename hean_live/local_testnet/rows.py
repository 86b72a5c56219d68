"""Rows of orders, executions and positions as the venue writes them.

Here belongs the wire shape of private records: numbers are strings with the listing's decimals, an empty string means "no value",
``tpslMode`` is in every order row (clients tell contracts from spot by it). What the records mean is the exchange's business.
"""

from __future__ import annotations

from decimal import Decimal

from models.simulation.exchange import stops
from models.simulation.exchange.account import Position
from models.simulation.exchange.engine import Exchange
from models.simulation.exchange.orders import ZERO, Execution, Order
from models.simulation.exchange.state import NS_PER_MS
from models.simulation.listing import Listing

Row = dict[str, object]


def fixed(value: Decimal | None, places: int) -> str:
    """Return number with a fixed count of decimals; empty where there is none."""
    return "" if value is None else f"{value:.{places}f}"


def plain(value: Decimal) -> str:
    """Return number without zeros at its end and never in scientific notation."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def side_text(side: int) -> str:
    """Buy, Sell, or empty when flat."""
    return {1: "Buy", -1: "Sell"}.get(side, "")


def order_row(order: Order, listing: Listing) -> Row:
    """Row of ``order/realtime`` and ``order/history``."""
    request, tick, step = order.request, listing.price_decimals, listing.qty_decimals
    price = request.price if request.price is not None else ZERO
    return {
        "orderId": order.order_id,
        "orderLinkId": request.link_id,
        "blockTradeId": "",
        "symbol": request.symbol,
        "price": fixed(price, tick),
        "qty": fixed(order.qty, step),
        "side": side_text(request.side),
        "isLeverage": "",
        "positionIdx": 0,
        "orderStatus": order.status.value,
        "createType": order.create_type,
        "cancelType": order.cancel_type,
        "rejectReason": order.reject_reason,
        "avgPrice": "" if order.average_price is None else plain(round(order.average_price, 8)),
        "leavesQty": fixed(order.remaining, step),
        "leavesValue": plain(order.remaining * price),
        "cumExecQty": fixed(order.filled_qty, step),
        "cumExecValue": plain(order.filled_value),
        "cumExecFee": plain(order.fee_usd),
        "timeInForce": "IOC" if request.order_type == "Market" else request.time_in_force,
        "orderType": request.order_type,
        "stopOrderType": order.stop_order_type,
        "orderIv": "",
        "triggerPrice": fixed(request.trigger_price, tick),
        "takeProfit": fixed(request.take_profit, tick),
        "stopLoss": fixed(request.stop_loss, tick),
        "tpTriggerBy": request.take_profit_by if request.take_profit is not None else "",
        "slTriggerBy": request.stop_loss_by if request.stop_loss is not None else "",
        "triggerDirection": request.trigger_direction,
        "triggerBy": request.trigger_by if request.trigger_price is not None else "",
        "lastPriceOnCreated": fixed(order.last_price_on_created, tick),
        "reduceOnly": request.reduce_only,
        "closeOnTrigger": request.close_on_trigger,
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "tpslMode": "Full" if order.stop_order_type in (stops.STOP_LOSS, stops.TAKE_PROFIT) else "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "placeType": "",
        "slippageToleranceType": "UNKNOWN",
        "slippageTolerance": "",
        "createdTime": str(order.created_ns // NS_PER_MS),
        "updatedTime": str(order.updated_ns // NS_PER_MS),
        "cumFeeDetail": {"USDT": plain(order.fee_usd)} if order.fee_usd else {},
        "extraFees": "",
        "rpiTakerAccess": False,
        "rpiMatchedQty": "0",
    }


def execution_row(execution: Execution, listing: Listing) -> Row:
    """Row of ``execution/list``; ``execFee`` of a funding row is positive when paid."""
    tick, step = listing.price_decimals, listing.qty_decimals
    return {
        "symbol": execution.symbol,
        "orderId": execution.order_id,
        "orderLinkId": execution.link_id,
        "side": side_text(execution.side),
        "orderPrice": fixed(execution.order_price, tick),
        "orderQty": fixed(execution.order_qty, step),
        "leavesQty": fixed(execution.leaves_qty, step),
        "createType": execution.create_type,
        "orderType": execution.order_type,
        "stopOrderType": execution.stop_order_type or "UNKNOWN",
        "execFee": plain(execution.fee_usd),
        "execId": execution.exec_id,
        "execPrice": plain(execution.price),
        "execQty": fixed(execution.qty, step),
        "execType": execution.kind,
        "execValue": plain(execution.value_usd),
        "execTime": str(execution.at_ns // NS_PER_MS),
        "feeCurrency": "USDT",
        "isMaker": execution.is_maker,
        "feeRate": plain(execution.fee_rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": plain(execution.mark_price),
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": fixed(execution.closed_qty, step),
        "extraFees": "",
        "seq": execution.sequence,
    }


def position_row(exchange: Exchange, position: Position, listing: Listing) -> Row:
    """Row of ``position/list``; a flat position has side ``""`` and size ``"0"``."""
    tick = listing.price_decimals
    mark = exchange.mark(position.symbol)
    held = bool(position.qty)
    targets: list[str] = []
    for kind in (stops.TAKE_PROFIT, stops.STOP_LOSS):
        waiting = stops.stop_of(exchange, position.symbol, kind)
        targets.append(fixed(waiting.request.trigger_price, tick) if waiting is not None else "")
    margin = plain(round(position.initial_margin_usd(mark), 8))
    maintenance = plain(round(position.initial_margin_usd(mark) / 2, 8))
    return {
        "positionIdx": 0,
        "riskId": 1,
        "riskLimitValue": "",
        "symbol": position.symbol,
        "side": side_text(position.side),
        "size": plain(abs(position.qty)) if held else "0",
        "avgPrice": plain(round(position.average_price, 8)) if held else "0",
        "positionValue": plain(round(position.cost_usd, 8)) if held else "",
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": 0,
        "leverage": plain(position.leverage),
        "breakEvenPrice": "",
        "positionBalance": margin,
        "markPrice": fixed(mark, listing.index_decimals),
        "liqPrice": "",
        "bustPrice": "",
        "positionIM": margin,
        "positionIMByMp": margin,
        "positionMM": maintenance,
        "positionMMByMp": maintenance,
        "tpslMode": "Full",
        "takeProfit": targets[0],
        "stopLoss": targets[1],
        "trailingStop": "0",
        "unrealisedPnl": plain(round(position.unrealised_usd(mark), 8)) if held else "",
        "curRealisedPnl": plain(position.current_realised_usd),
        "cumRealisedPnl": plain(position.realised_usd),
        "seq": len(exchange.executions),
        "isReduceOnly": False,
        "mmrSysUpdateTime": "",
        "leverageSysUpdatedTime": "",
        "sessionAvgPrice": "",
        "createdTime": str(position.created_ns // NS_PER_MS),
        "updatedTime": str(position.updated_ns // NS_PER_MS),
        "openTime": position.created_ns // NS_PER_MS if held else 0,
    }
