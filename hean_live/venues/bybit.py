"""Bybit v5 through pybit's REST client; the only module that imports pybit.

What pybit 5.17.0 would do by itself is switched off, because it would do it wrongly for orders: it never
resends (``force_retry`` off, one attempt), and it never handles 10002 or 10006 (on 10006 with a reset time
already past it sleeps a negative time and dies of ValueError). Every failure becomes one of
`hean_live.venues.errors`.

There is no way to the main network in here: `LiveSettings` accepts loopback and the Bybit testnet as order
venues, nothing else, and this class is given its URL by it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import islice
from urllib.parse import urlsplit

import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit.unified_trading import HTTP

from hean_live.venues.codes import LEVERAGE_UNCHANGED, NOTHING_TO_CANCEL, error_of_code, error_of_status
from hean_live.venues.errors import OrderRejected, OrderUnresolved, VenueUnreachable
from hean_live.venues.order_fields import CATEGORY, cancel_fields, create_fields
from hean_live.venues.protocol import NewOrder
from hean_live.venues.unreadable import RowReader
from models.errors import DataError
from models.market.bybit_v5 import Payload, as_payload, next_page_cursor, rows_of
from models.market.bybit_v5_trading import (
    parse_api_key_info,
    parse_execution,
    parse_executions,
    parse_fee_rates,
    parse_order,
    parse_order_ack,
    parse_orders,
    parse_position,
    parse_positions,
    parse_wallet,
)
from models.market.trading_records import ApiKeyInfo, Execution, FeeRate, Order, OrderAck, Position, Wallet
from models.market.wallet_changes import WalletChange, parse_wallet_changes

SETTLE_COIN = "USDT"
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
_MAX_PAGES = 200
_WEEK_MS = 7 * 86_400_000  # the longest span the venue lists at once
# A journal begun on an old account need not read its whole past: ours are the newest.
_MAX_EXECUTION_PAGES = 20
# A code that no reply carries: an empty set would make pybit fall back to its own retries.
_NO_CODE = -1

logging.getLogger("pybit").setLevel(logging.WARNING)


class BybitVenue:
    """Signed requests to one Bybit v5 endpoint.

    Parameters
    ----------
    url : str
        Base address without path.
    api_key, api_secret : str
        Never logged; pybit keeps them in memory.
    timeout_s : float
        For each request.
    recv_window_ms : int
        How old a signature may be when it arrives.

    """

    def __init__(
        self, url: str, api_key: str, api_secret: str, *, timeout_s: float = 5.0, recv_window_ms: int = 5000
    ) -> None:
        self._http = HTTP(
            api_key=api_key,
            api_secret=api_secret,
            timeout=timeout_s,
            recv_window=recv_window_ms,
            force_retry=False,
            max_retries=1,
            retry_codes={_NO_CODE},
            log_requests=False,
        )
        self._http.endpoint = url.rstrip("/")
        if urlsplit(url).hostname in LOOPBACK_HOSTS:
            self._http.client.trust_env = False  # a proxy from the environment cannot reach loopback

    def key_info(self) -> ApiKeyInfo:
        """Return what the key may do."""
        return parse_api_key_info(self._ask(self._http.get_api_key_information))

    def is_hedge_mode(self, symbol: str) -> bool:
        """Return whether the account holds both sides of this symbol apart."""
        rows = parse_positions(self._ask(self._http.get_positions, category=CATEGORY, symbol=symbol))
        return any(row.position_idx != 0 for row in rows)

    def wallet(self) -> Wallet:
        """Return the account's totals."""
        return parse_wallet(self._ask(self._http.get_wallet_balance, accountType="UNIFIED"))

    def positions(self) -> list[Position]:
        """Return every position that is not flat."""
        reader = RowReader(parse_position)
        pages = self._pages(self._http.get_positions, settleCoin=SETTLE_COIN, limit=200)
        rows = [row for page in pages for row in reader.read(rows_of(page, "positions"))]
        return reader.whole([row for row in rows if row.size])

    def open_orders(self) -> list[Order]:
        """Return every open order of the account, foreign ones included."""
        reader = RowReader(parse_order)
        pages = self._pages(self._http.get_open_orders, settleCoin=SETTLE_COIN, openOnly=0, limit=50)
        return reader.whole([row for page in pages for row in reader.read(rows_of(page, "orders"))])

    def find_order(self, symbol: str, client_id: str) -> Order | None:
        """Look an order up among recent orders, then in the history; None if it is in neither."""
        for method in (self._http.get_open_orders, self._http.get_order_history):
            page = self._ask(method, category=CATEGORY, symbol=symbol, orderLinkId=client_id)
            for order in parse_orders(page):
                if order.client_id == client_id:
                    return order
        return None

    def new_executions(self, is_known: Callable[[str], bool]) -> list[Execution]:
        """Return executions, oldest first, back to the first page that `is_known` throughout."""
        reader = RowReader(parse_execution)
        found: list[Execution] = []
        for page in islice(self._pages(self._http.get_executions, limit=100), _MAX_EXECUTION_PAGES):
            rows = reader.read(rows_of(page, "executions"))
            fresh = [row for row in rows if not is_known(row.exec_id)]
            found += fresh
            if not fresh:
                break
        return reader.whole(sorted(found, key=lambda row: (row.at_ns, row.exec_id)))

    def executions_between(self, start_ms: int, end_ms: int) -> list[Execution]:
        """Return every execution of a span, oldest first."""
        found = [
            row
            for span in _weeks(start_ms, end_ms)
            for page in self._pages(self._http.get_executions, limit=100, **span)
            for row in parse_executions(page)
        ]
        return sorted(found, key=lambda row: (row.at_ns, row.exec_id))

    def wallet_changes(self, start_ms: int, end_ms: int) -> list[WalletChange]:
        """Return everything that moved the wallet in a span, oldest first."""
        found = [
            row
            for span in _weeks(start_ms, end_ms)
            for page in self._pages(
                self._http.get_transaction_log, category=None, accountType="UNIFIED", limit=50, **span
            )
            for row in parse_wallet_changes(page)
        ]
        return found[::-1]

    def fee_rates(self) -> dict[str, FeeRate]:
        """Return the account's fees by symbol."""
        return parse_fee_rates(self._ask(self._http.get_fee_rates, category=CATEGORY))

    def set_leverage(self, symbol: str, leverage: Decimal) -> None:
        """Set the leverage of a symbol; setting it to what it is succeeds."""
        text = format(leverage.normalize(), "f")
        params = {"category": CATEGORY, "symbol": symbol, "buyLeverage": text, "sellLeverage": text}
        try:
            self._command(self._http.set_leverage, **params)
        except OrderRejected as error:
            if error.code != LEVERAGE_UNCHANGED:
                raise

    def place(self, order: NewOrder) -> OrderAck:
        """Send an order once; raises `OrderUnresolved` when its fate is not known."""
        result = self._command(self._http.place_order, **create_fields(order))
        try:
            return parse_order_ack(result)
        except DataError as error:
            raise OrderUnresolved(f"an order acknowledgement was unreadable: {error}") from error

    def cancel(self, symbol: str, client_id: str) -> None:
        """Ask to cancel an order; succeeds if there is nothing left to cancel."""
        try:
            self._command(self._http.cancel_order, **cancel_fields(symbol, client_id))
        except OrderRejected as error:
            if error.code not in NOTHING_TO_CANCEL:
                raise

    def _pages(self, method: Callable[..., object], **params: object) -> Iterator[Payload]:
        cursor = ""
        seen = set()
        for _ in range(_MAX_PAGES):
            page = self._ask(method, **{"category": CATEGORY, **params}, cursor=cursor or None)
            yield page
            cursor = next_page_cursor(page)
            if not cursor or cursor in seen:
                return
            seen.add(cursor)
        raise VenueUnreachable(f"a listing should end within {_MAX_PAGES} pages, did not")

    def _ask(self, method: Callable[..., object], **params: object) -> Payload:
        return self._call(method, params, command=False)

    def _command(self, method: Callable[..., object], **params: object) -> Payload:
        return self._call(method, params, command=True)

    def _call(self, method: Callable[..., object], params: dict[str, object], *, command: bool) -> Payload:
        try:
            reply = method(**params)
            return as_payload(as_payload(reply, "reply").get("result"), "reply, result")
        except InvalidRequestError as error:
            code = error.status_code
            # pybit takes every code that is not the number 0 for a refusal: what is no number at all refuses nothing.
            if type(code) is not int or code == 0:
                words = f"an answer of {self._http.endpoint} had no readable return code"
                raise _lost(words, command=command) from error
            raise error_of_code(code, str(error.message), command=command) from error
        except FailedRequestError as error:
            raise error_of_status(int(error.status_code), str(error.message), command=command) from error
        except (requests.RequestException, OSError) as error:
            words = f"no answer from {self._http.endpoint}: {type(error).__name__}"
            raise _lost(words, command=command) from error
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError, DataError) as error:
            # pybit reads fields of a reply without looking: a reply of another shape ends here.
            words = f"an answer of {self._http.endpoint} was unreadable: {type(error).__name__}"
            raise _lost(words, command=command) from error


def _weeks(start_ms: int, end_ms: int) -> Iterator[dict[str, int]]:
    """Yield the parts of a span that may be asked for at once."""
    while start_ms <= end_ms:
        last_ms = min(start_ms + _WEEK_MS - 1, end_ms)
        yield {"startTime": start_ms, "endTime": last_ms}
        start_ms = last_ms + 1


def _lost(words: str, *, command: bool) -> VenueUnreachable | OrderUnresolved:
    remedy = "check the network and the order URL; it is tried again"
    return OrderUnresolved(words, remedy=remedy) if command else VenueUnreachable(words, remedy=remedy)
