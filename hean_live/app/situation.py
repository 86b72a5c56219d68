"""What carrying out a signal depends on: the rules it follows and what is known at a poll. Records alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hean_live.app.snapshot import Quote
from hean_live.execution.records import OrderRow
from models.execution.exit_state import ExitState
from models.execution.exits import TIME_EXIT, ExitParams
from models.execution.quotes import QuoteParams
from models.execution.rate_budget import Room
from models.execution.sight import MarketSight
from models.market.instruments import Instrument

_ROOM = Room(10, 10)


@dataclass(frozen=True)
class QuotingRules:
    """How long and how often to quote before crossing; seconds of market time.

    Attributes
    ----------
    max_requotes : int
        Rounds of maker orders per entry, and maker orders per exit.
    entry_maker_s, exit_maker_s : float
        After this long the taker order follows.
    entry_taker_fallback : bool
        Whether an entry may cross the spread at all; an exit always may.
    taker_slippage : Decimal
        How far beyond the touch a crossing entry may trade, fraction of the price.
    quotes : QuoteParams
        Layers of an entry, and when they are replaced and pulled.
    exits : ExitParams
        How a position is left besides by its time.

    """

    max_requotes: int = 4
    entry_maker_s: float = 180.0
    exit_maker_s: float = 60.0
    entry_taker_fallback: bool = True
    taker_slippage: Decimal = Decimal("0.0005")
    quotes: QuoteParams = field(default_factory=QuoteParams)
    exits: ExitParams = TIME_EXIT


@dataclass(frozen=True)
class Situation:
    """What is known about one campaign at a poll.

    `net` is the part of our signed position the venue holds, `own` what our orders add up to; they differ
    only while the venue's records lag, and then nothing is concluded from either. `room_usd` is what the limits
    leave for one more entry of this symbol; None where it does not matter. `exit_state` is what the entry knew, None
    until it is over or where the exit plan needs nothing.
    """

    now_ns: int
    net: Decimal
    own: Decimal
    orders: Sequence[OrderRow]
    quote: Quote | None
    instrument: Instrument
    no_entries: str
    flatten: str
    room_usd: Decimal | None = None
    sight: MarketSight | None = None
    exit_state: ExitState | None = None
    room: Room = _ROOM
