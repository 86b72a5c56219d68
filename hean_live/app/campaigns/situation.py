"""What carrying out a signal depends on: the rules it follows and what is known at a poll. Records alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from hean_live.app.snapshot import Quote
from hean_live.execution.records import OrderRow
from hean_live.shadow.records import ShadowQuotes
from models.execution.exit_state import ExitState
from models.execution.exits import TIME_EXIT, ExitParams
from models.execution.quotes import QuoteParams
from models.execution.rate_budget import Room
from models.execution.sight import MarketSight
from models.market.instruments import Instrument

_ROOM = Room(10, 10)


@dataclass(frozen=True)
class MirrorRules:
    """How quotes that follow a shadow's are kept; seconds of market time.

    Attributes
    ----------
    requote_bps, requote_share : float
        A quote is replaced when it is off by more than this, basis points of its price, and by more than this share of the
        nearest one's distance from the mid: what rests far off is not moved for a little.
    stale_s : float
        Quotes of a shadow that are older are not followed: what rests is withdrawn.
    silent_s : float
        For so long the shadow may show nothing to quote: then a position is left, or the quoting is over.
    most_held_s : float
        So long a position is quoted out that the shadow does not hold.

    """

    requote_bps: float = 1.0
    requote_share: float = 0.1
    stale_s: float = 5.0
    silent_s: float = 10.0
    most_held_s: float = 600.0


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
    mirror : MirrorRules
        How quotes on both sides follow a shadow's.
    leg_s : float
        For so long the second leg of a pair may hold less than its first one asks for.

    """

    max_requotes: int = 4
    entry_maker_s: float = 180.0
    exit_maker_s: float = 60.0
    entry_taker_fallback: bool = True
    taker_slippage: Decimal = Decimal("0.0005")
    quotes: QuoteParams = field(default_factory=QuoteParams)
    exits: ExitParams = TIME_EXIT
    mirror: MirrorRules = field(default_factory=MirrorRules)
    leg_s: float = 10.0


@dataclass(frozen=True)
class Situation:
    """What is known about one campaign at a poll.

    `net` is the part of our signed position the venue holds, `own` what our orders add up to; they differ
    only while the venue's records lag, and then nothing is concluded from either. `room_usd` is what the limits
    leave for one more entry of this symbol; None where it does not matter. `exit_state` is what the entry knew, None
    until it is over or where the exit plan needs nothing. `shadow` is what the strategy's shadow quotes on the symbol, None where
    it is not told; `stop_fraction` is how far from its price the stop of an entry lies. `first_leg`, of a second leg, is what the
    first has bought, base; None once that is on its way out or gone.
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
    shadow: ShadowQuotes | None = None
    stop_fraction: Decimal = Decimal(0)
    first_leg: Decimal | None = None
