"""Orders and executions of the venue as text and back, for the journal's table of what is to be tried again. Pure."""

from __future__ import annotations

import json
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from typing import Any

from models.errors import DataError
from models.market.trading_records import Execution, Order, OrderStatus

ORDER = "order"
EXECUTION = "execution"


def key_of(record: Order | Execution) -> str:
    """Return what makes a word of the venue the same word when it comes again."""
    if isinstance(record, Execution):
        return f"{EXECUTION} {record.exec_id}"
    return f"{ORDER} {record.order_id} {record.status.value} {record.filled_qty} {record.updated_ns}"


def to_text(record: Order | Execution) -> str:
    """Write a record as JSON; amounts keep every digit."""
    return json.dumps({field.name: _plain(getattr(record, field.name)) for field in fields(record)})


def read_order(text: str) -> Order:
    """Read an order back; raises `DataError` if it is no such text."""
    return _order(_body(text))


def read_execution(text: str) -> Execution:
    """Read an execution back; raises `DataError` if it is no such text."""
    return _execution(_body(text))


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, OrderStatus):
        return {"status": value.value}
    if isinstance(value, dict):
        return {"amounts": {name: str(amount) for name, amount in value.items()}}
    return value


def _body(text: str) -> dict[str, Any]:
    try:
        return {name: _value(value) for name, value in json.loads(text).items()}
    except (AttributeError, InvalidOperation, TypeError, ValueError) as error:
        raise _unreadable(error) from error


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "decimal" in value:
        return Decimal(value["decimal"])
    if "status" in value:
        return OrderStatus(value["status"])
    return {name: Decimal(amount) for name, amount in value["amounts"].items()}


def _order(body: dict[str, Any]) -> Order:
    try:
        return Order(**body)
    except TypeError as error:
        raise _unreadable(error) from error


def _execution(body: dict[str, Any]) -> Execution:
    try:
        return Execution(**body)
    except TypeError as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> DataError:
    return DataError(
        f"a word of the venue kept in the journal should be readable, was not: {error}",
        remedy="look at the table `retries` of the journal",
    )
