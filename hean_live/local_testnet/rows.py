"""Rows of orders, executions, positions and wallet as the venue writes them.

Here belongs the wire shape of private records: numbers are strings with the listing's decimals, an empty string means "no value",
``tpslMode`` is in every order row (clients tell contracts from spot by it). What the records mean is the exchange's business;
what the private streams write otherwise than REST is in ``stream/private_topics``.
"""

from __future__ import annotations

from decimal import Decimal

from models.simulation.exchange import stops
from models.simulation.exchange.account import ClosedPnl, to_cents
from models.simulation.exchange.orders import ZERO, Execution, Order
from models.simulation.exchange.state import NS_PER_MS
from models.simulation.exchange.views import PositionView, WalletView
from models.simulation.listing import Listing

Row = dict[str, object]


def fixed(value: Decimal | None, places: int) -> str:
    """Return number with a fixed count of decimals; empty where there is none."""
    return "" if value is None else f"{value:.{places}f}"


def plain(value: Decimal) -> str:
    """Return number without zeros at its end and never in scientific notation."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def cents(value: Decimal) -> str:
    """Return a USD amount with at most eight decimals."""
    return plain(to_cents(value))


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
        "positionIdx": request.position_idx,
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
        "tpslMode": _tpsl_mode(order),
        "tpLimitPrice": fixed(request.take_profit_limit, tick),
        "slLimitPrice": fixed(request.stop_loss_limit, tick),
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


def _tpsl_mode(order: Order) -> str:
    wants = order.request.take_profit is not None or order.request.stop_loss is not None
    return order.request.tpsl_mode if wants or order.stop_order_type in stops.WHOLE + stops.PARTS else ""


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


def position_row(view: PositionView, listing: Listing) -> Row:
    """Row of ``position/list``; a flat position has side ``""`` and size ``"0"``."""
    tick, position = listing.price_decimals, view.position
    held = bool(position.qty)
    margin, maintenance = cents(view.initial_margin_usd), cents(view.maintenance_usd)
    return {
        "positionIdx": position.index,
        "riskId": view.tier.number,
        "riskLimitValue": plain(view.tier.limit_usd),
        "symbol": position.symbol,
        "side": side_text(position.side),
        "size": plain(abs(position.qty)) if held else "0",
        "avgPrice": plain(round(position.average_price, 8)) if held else "0",
        "positionValue": cents(position.cost_usd) if held else "",
        "tradeMode": 0,
        "positionStatus": view.status,
        "autoAddMargin": 0,
        "adlRankIndicator": 0,
        "leverage": plain(position.leverage),
        "breakEvenPrice": "",
        "positionBalance": margin,
        "markPrice": fixed(view.mark, listing.index_decimals),
        "liqPrice": fixed(view.liquidation_price, tick),
        "bustPrice": "",
        "positionIM": margin,
        "positionIMByMp": margin,
        "positionMM": maintenance,
        "positionMMByMp": maintenance,
        "tpslMode": "Full",
        "takeProfit": fixed(view.take_profit, tick),
        "stopLoss": fixed(view.stop_loss, tick),
        "trailingStop": fixed(view.trailing, tick) if view.trailing else "0",
        "unrealisedPnl": cents(position.unrealised_usd(view.mark)) if held else "",
        "curRealisedPnl": plain(position.current_realised_usd),
        "cumRealisedPnl": plain(position.realised_usd),
        "seq": position.sequence,
        "isReduceOnly": False,
        "mmrSysUpdateTime": "",
        "leverageSysUpdatedTime": "",
        "sessionAvgPrice": "",
        "createdTime": str(position.created_ns // NS_PER_MS),
        "updatedTime": str(position.updated_ns // NS_PER_MS),
        "openTime": position.created_ns // NS_PER_MS if held else 0,
    }


def wallet_row(view: WalletView) -> Row:
    """Row of ``wallet-balance``: one unified account with one coin."""
    equity, margin = view.equity_usd, view.position_margin_usd + view.order_margin_usd
    initial_rate, maintenance_rate = (
        plain(round(amount / equity, 8)) if equity > 0 else "0" for amount in (margin, view.maintenance_usd)
    )
    return {
        "accountType": "UNIFIED",
        "totalEquity": cents(equity),
        "totalWalletBalance": plain(view.wallet_usd),
        "totalMarginBalance": cents(equity),
        "totalAvailableBalance": cents(equity - margin),
        "totalPerpUPL": cents(view.unrealised_usd),
        "totalInitialMargin": cents(margin),
        "totalInitialMarginByMp": cents(margin),
        "totalMaintenanceMargin": cents(view.maintenance_usd),
        "totalMaintenanceMarginByMp": cents(view.maintenance_usd),
        "accountIMRate": initial_rate,
        "accountIMRateByMp": initial_rate,
        "accountMMRate": maintenance_rate,
        "accountMMRateByMp": maintenance_rate,
        "accountLTV": "0",
        "coin": [_coin_row(view)],
    }


def _coin_row(view: WalletView) -> Row:
    return {
        "coin": "USDT",
        "equity": cents(view.equity_usd),
        "usdValue": cents(view.equity_usd),
        "walletBalance": plain(view.wallet_usd),
        "unrealisedPnl": cents(view.unrealised_usd),
        "cumRealisedPnl": plain(view.wallet_usd - view.at_start_usd),
        "totalOrderIM": cents(view.order_margin_usd),
        "totalPositionIM": cents(view.position_margin_usd),
        "totalPositionMM": cents(view.maintenance_usd),
        "locked": "0",
        "borrowAmount": "0",
        "spotBorrow": "0",
        "accruedInterest": "0",
        "availableToBorrow": "",
        "availableToWithdraw": "",
        "bonus": "0",
        "collateralSwitch": True,
        "marginCollateral": True,
        "spotHedgingQty": "0",
    }


def closed_pnl_row(record: ClosedPnl, listing: Listing) -> Row:
    """Row of ``position/closed-pnl``: what one order closed."""
    order, step = record.order, listing.qty_decimals
    return {
        "symbol": order.request.symbol,
        "orderType": order.request.order_type,
        "leverage": plain(record.leverage),
        "updatedTime": str(record.updated_ns // NS_PER_MS),
        "side": side_text(record.side),
        "orderId": order.order_id,
        "closedPnl": plain(record.pnl_usd),
        "avgEntryPrice": plain(round(record.entry_usd / record.qty, 8)),
        "qty": fixed(order.qty, step),
        "cumEntryValue": plain(record.entry_usd),
        "createdTime": str(record.created_ns // NS_PER_MS),
        "orderPrice": fixed(order.request.price or ZERO, listing.price_decimals),
        "closedSize": fixed(record.qty, step),
        "avgExitPrice": plain(round(record.exit_usd / record.qty, 8)),
        "execType": record.kind,
        "fillCount": str(record.fills),
        "cumExitValue": plain(record.exit_usd),
        "openFee": plain(record.open_fee_usd),
        "closeFee": plain(record.close_fee_usd),
    }


def transaction_row(execution: Execution) -> Row:
    """Row of ``account/transaction-log``: ``funding`` is negative when paid, ``fee`` positive when paid."""
    settles = execution.kind == "Funding"
    change = -execution.fee_usd + execution.pnl_usd
    return {
        "transSubType": "",
        "id": f"1_{execution.symbol}_{execution.sequence}",
        "symbol": execution.symbol,
        "side": side_text(execution.side),
        "funding": plain(-execution.fee_usd) if settles else "",
        "orderLinkId": execution.link_id,
        "orderId": execution.order_id,
        "fee": "0" if settles else plain(execution.fee_usd),
        "change": plain(change),
        "cashFlow": plain(execution.pnl_usd),
        "transactionTime": str(execution.at_ns // NS_PER_MS),
        "type": {"Funding": "SETTLEMENT", "BustTrade": "LIQUIDATION"}.get(execution.kind, "TRADE"),
        "feeRate": plain(execution.fee_rate),
        "bonusChange": "",
        "size": plain(execution.held_qty),
        "qty": plain(execution.qty),
        "cashBalance": plain(execution.cash_usd),
        "currency": "USDT",
        "category": "linear",
        "tradePrice": plain(execution.price),
        "tradeId": execution.exec_id,
        "extraFees": "",
    }
