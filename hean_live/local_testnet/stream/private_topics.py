"""Messages of the private topics order, execution, position and wallet, from the exchange's log.

Here belongs what a push looks like and where it differs from a REST row: it names its category, and a position says
``entryPrice``. Sockets, subscriptions and authentication do not belong here. Nothing is told on subscription, and a change of
unrealised profit alone is not told, as on the venue.
"""

from __future__ import annotations

from hean_live.local_testnet.private_common import listed
from hean_live.local_testnet.rows import (
    Row,
    cents,
    execution_row,
    order_row,
    plain,
    position_row,
    wallet_row,
)
from hean_live.local_testnet.venue import Venue
from models.simulation.exchange.event_log import Message
from models.simulation.exchange.orders import Execution, Order
from models.simulation.exchange.state import NS_PER_MS
from models.simulation.exchange.views import PositionView, WalletView

TOPICS = ("order", "execution", "position", "wallet")


def private_messages(venue: Venue, since: int) -> tuple[int, list[tuple[str, Row]]]:
    """Return everything that happened to the account after a number.

    Parameters
    ----------
    venue : Venue
        Brought up to its clock first.
    since : int
        Number returned by the last call; `last_sequence` for what comes from now on. Only the newest
        `models.simulation.exchange.event_log.KEPT` messages are kept.

    Returns
    -------
    (int, list of (str, dict))
        Number to ask with next, and topic and whole push of each message in the venue's order.

    """
    venue.catch_up()
    messages = venue.exchange.log.after(since)
    return venue.exchange.log.sequence, [(message.topic, _push(venue, message)) for message in messages]


def last_sequence(venue: Venue) -> int:
    """Return the number of the newest message: a subscription starts after it."""
    venue.catch_up()
    return venue.exchange.log.sequence


def _push(venue: Venue, message: Message) -> Row:
    creation_ms = message.at_ns // NS_PER_MS
    return {
        "id": f"1_{message.topic}_{message.sequence}",
        "topic": message.topic,
        "creationTime": creation_ms,
        "data": [_row(venue, record) for record in message.records],
    }


def _row(venue: Venue, record: Order | Execution | PositionView | WalletView) -> Row:
    if isinstance(record, Order):
        row = order_row(record, listed(venue, record.request.symbol))
        return row | {"category": "linear", "closedPnl": cents(record.closed_pnl_usd), "feeCurrency": ""}
    if isinstance(record, Execution):
        row = execution_row(record, listed(venue, record.symbol))
        more = {"isLeverage": "0", "marketUnit": "", "execPnl": plain(record.pnl_usd)}
        return row | {"category": "linear"} | more
    if isinstance(record, PositionView):
        row = position_row(record, listed(venue, record.position.symbol))
        row["entryPrice"] = row.pop("avgPrice")
        row["mmrSysUpdatedTime"] = row.pop("mmrSysUpdateTime")
        # What REST leaves empty for a flat position is a zero on the stream.
        empty = {
            name: "0"
            for name in ("positionValue", "unrealisedPnl", "takeProfit", "stopLoss")
            if not row[name]
        }
        return row | empty | {"category": "linear"}
    return wallet_row(record)
