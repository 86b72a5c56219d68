"""Read Bybit v5 JSON safely: envelope, pages, single fields. Pure; shared by REST ingestion and executor.

The parsers are in three rooms; all take the `result` object of a reply (not the envelope):

    instruments.py       Instrument, parse_instruments(result), parse_instrument(row)
    bybit_v5_market.py   parse_funding_history, parse_open_interest, parse_account_ratio, parse_klines,
                         parse_index_klines, parse_tickers, parse_recent_trades, parse_order_book
    bybit_v5_trading.py  parse_order_ack, parse_orders, parse_executions, parse_positions, parse_wallet,
                         parse_fee_rates, parse_api_key_info

Rules they share (source: the venue's v5 documentation): numbers arrive as strings, `""` means "no value",
unknown fields are ignored, a missing required field is a `DataError` that names field and symbol. Times
become int64 nanoseconds, money and quantities of orders become `Decimal`, market columns become float64.

What does not belong here: HTTP, retries, what to do about a return code, anything that trades.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from models.errors import DataError

Payload = Mapping[str, object]
"""One JSON object as `json.loads` returns it."""

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
_LARGEST_INTEGER = 2**63 - 1
_LARGEST_EXPONENT = 40  # no price, size or sum on earth has more digits
_REMEDY = "compare the reply with the venue's v5 documentation; the format may have changed"


def as_payload(value: object, where: str) -> Payload:
    """Return `value` if it is a JSON object.

    Parameters
    ----------
    value : object
        Anything `json.loads` may return.
    where : str
        What was being read, for the message.

    Raises
    ------
    DataError
        If it is anything else.

    """
    if isinstance(value, Mapping):
        return value
    raise DataError(f"{where}: expected a JSON object, was {type(value).__name__}", remedy=_REMEDY)


def list_of(result: object, where: str, field: str = "list") -> Sequence[object]:
    """Return the array at `field` of a `result` object; raises DataError when it is absent or no array."""
    rows = as_payload(result, where).get(field)
    if isinstance(rows, list | tuple):
        return rows
    raise DataError(f"{where}: expected an array at '{field}', was {type(rows).__name__}", remedy=_REMEDY)


def rows_of(result: object, where: str, field: str = "list") -> list[Payload]:
    """Return the JSON objects of the array at `field`; raises DataError when one of them is no object."""
    return [as_payload(row, where) for row in list_of(result, where, field)]


def next_page_cursor(result: object) -> str:
    """Return `nextPageCursor`, already percent-encoded (append it to a URL verbatim), or `""`."""
    cursor = as_payload(result, "reply").get("nextPageCursor", "")
    return cursor if isinstance(cursor, str) else ""


def envelope_time_ns(envelope: object) -> int:
    """Return the venue's time of a reply in nanoseconds; raises DataError when the envelope has none."""
    return nanoseconds(as_payload(envelope, "envelope"), "time", "envelope")


def return_code(envelope: object) -> int:
    """Return `retCode` (0 is success; the text of a success varies); raises DataError when it is absent."""
    return integer(as_payload(envelope, "envelope"), "retCode", "envelope")


def text(row: Payload, field: str, where: str) -> str:
    """Return a required, non-empty string field."""
    value = optional_text(row, field)
    if value:
        return value
    raise _missing(row, field, where)


def optional_text(row: Payload, field: str) -> str:
    """Return a string field, `""` when the venue gives no value."""
    value = row.get(field)
    words = "" if value is None else str(value)
    if not words.isascii():
        try:
            words.encode()
        except UnicodeEncodeError as error:
            # half a surrogate pair is valid JSON, and can be written down nowhere
            raise DataError(f"{field}: expected text, was half a surrogate pair") from error
    return words


def flag(row: Payload, field: str) -> bool:
    """Return a boolean field given as JSON boolean, 0/1 or "0"/"1"; absent means False."""
    return str(row.get(field, "")).lower() in ("true", "1")


def decimal(row: Payload, field: str, where: str) -> Decimal:
    """Return a required number exactly as the venue wrote it."""
    value = optional_decimal(row, field, where)
    if value is None:
        raise _missing(row, field, where)
    return value


def optional_decimal(row: Payload, field: str, where: str) -> Decimal | None:
    """Return a number exactly as written, None when there is no value; raises DataError on other text."""
    value = row.get(field)
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise DataError(f"{where}: field '{field}' must be a number, was {value!r}", remedy=_REMEDY) from None
    if not number.is_finite():
        raise DataError(f"{where}: field '{field}' must be finite, was {value!r}", remedy=_REMEDY)
    # Writing such a number out, or making it an integer, would take all memory there is.
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise DataError(
            f"{where}: field '{field}' should have at most {_LARGEST_EXPONENT} digits before or after the point,"
            f" was of the order 1e{number.adjusted()}",
            remedy=_REMEDY,
        )
    return number


def real(row: Payload, field: str, where: str) -> float:
    """Return a required finite number as float64."""
    return float(decimal(row, field, where))


def optional_real(row: Payload, field: str, where: str) -> float | None:
    """Return a finite number as float64, None when the venue gives no value."""
    value = optional_decimal(row, field, where)
    return None if value is None else float(value)


def integer(row: Payload, field: str, where: str) -> int:
    """Return a required whole number (given as JSON number or as text)."""
    value = decimal(row, field, where)
    if value != value.to_integral_value():
        raise DataError(f"{where}: field '{field}' must be a whole number, was {value}", remedy=_REMEDY)
    if abs(value) > _LARGEST_INTEGER:
        raise DataError(f"{where}: field '{field}' must fit 64 bits, was {value}", remedy=_REMEDY)
    return int(value)


def optional_integer(row: Payload, field: str, where: str) -> int | None:
    """Return a whole number, None when the venue gives no value."""
    return None if row.get(field) in (None, "") else integer(row, field, where)


def nanoseconds(row: Payload, field: str, where: str) -> int:
    """Return a required millisecond stamp as nanoseconds UTC."""
    return _to_ns(integer(row, field, where), field, where)


def optional_nanoseconds(row: Payload, field: str, where: str) -> int | None:
    """Return a millisecond stamp as nanoseconds UTC, None when the venue gives no value or 0."""
    value = optional_integer(row, field, where)
    return _to_ns(value, field, where) if value else None


def side_sign(row: Payload, field: str, where: str) -> int:
    """Return +1 for `Buy`, -1 for `Sell`; raises DataError otherwise."""
    sign = {"Buy": 1, "Sell": -1}.get(optional_text(row, field))
    if sign is None:
        found = row.get(field)
        raise DataError(f"{where}: field '{field}' must be Buy or Sell, was {found!r}", remedy=_REMEDY)
    return sign


def _to_ns(ms: int, field: str, where: str) -> int:
    if abs(ms) > _LARGEST_INTEGER // NS_PER_MS:
        raise DataError(f"{where}: field '{field}' must be a time in milliseconds, was {ms}", remedy=_REMEDY)
    return ms * NS_PER_MS


def _missing(row: Payload, field: str, where: str) -> DataError:
    found = "absent" if field not in row else f"{row[field]!r}"
    return DataError(f"{where}: required field '{field}' must have a value, was {found}", remedy=_REMEDY)
