"""What the bank of shadows tells the engine: signals, round trips, and what is held now. Plain records, for the replay."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class BankSignal:
    """A strategy began to enter in its shadow.

    Attributes
    ----------
    strategy, symbol : str
    side : int
    at_ns : int
        The tick it was decided at.
    share : float
        Of capital, as the strategy wants it.
    is_taker : bool
        Whether the entry crosses the spread.
    edge_bps : float
        What the strategy aims at before costs; NaN where it says nothing.
    reason : str
        Name of the intent's reason.
    regime : str
    features : mapping of str to float
        What gates look at, as of that tick; what was undefined is absent.
    confidence : float
        Of the forecast it rests on, 0 to 1; NaN for a strategy that rests on none.
    to_quote : bool
        Whether it asks to quote from now on (market making); a fill of such quotes in the shadow is a signal of its own.
    partner : str
        Of a pair: the symbol that is held against this one, empty without.
    ratio : float
        Of a pair: base of the partner held against each base of this one, on the other side; 0 without.

    """

    strategy: str
    symbol: str
    side: int
    at_ns: int
    share: float
    is_taker: bool
    edge_bps: float
    reason: str
    regime: str
    features: Mapping[str, float] = field(default_factory=dict)
    confidence: float = math.nan
    to_quote: bool = False
    partner: str = ""
    ratio: float = 0.0


@dataclass(frozen=True)
class RestingQuote:
    """An order that rests in a shadow: its side, its price over the mid then, what is left of it (base), and its kind."""

    side: int
    price_ratio: float
    quantity: float
    reduce_only: bool


@dataclass(frozen=True)
class ShadowQuotes:
    """What a strategy that makes markets quotes in its shadow now.

    Attributes
    ----------
    strategy, symbol : str
    at_ns : int
        The tick it was read at.
    position_side : int
        Of what the shadow holds, 0 while it is flat.
    resting : tuple of RestingQuote
        Oldest first.
    signal : BankSignal or None
        What gates are asked before the same is quoted live; None while the shadow holds something or quotes nothing.

    """

    strategy: str
    symbol: str
    at_ns: int
    position_side: int = 0
    resting: tuple[RestingQuote, ...] = ()
    signal: BankSignal | None = None


@dataclass(frozen=True)
class BankTrip:
    """A shadow's round trip that is over, both markets together; USD, base, ns UTC.

    `signal_ns` is the tick of the signal it began with. `profit_usd` is after fees and funding (paid). Quantity and USD are as of
    the capital set for shadows, also where more was traded (`capital.py`): a quantity may be no whole number of lots.
    """

    strategy: str
    symbol: str
    side: int
    signal_ns: int
    entry_ns: int
    exit_ns: int
    quantity: float
    entry_price: float
    exit_price: float
    notional_usd: float
    fees_usd: float
    funding_usd: float
    profit_usd: float
    reason: str
    reason_out: str
    regime: str


@dataclass(frozen=True)
class CascadeForecast:
    """What M2 said of a symbol at a tick: kept once a horizon, so that the outcomes of two do not overlap.

    Attributes
    ----------
    symbol : str
    at_ns : int
        The tick.
    probability : float
        That a cascade begins within the horizon.
    horizon_s : float
    version : str
        Of the bundle.
    features_hash : str
        Of the row it rests on.
    spec_hash : str
        Of the features' specification.

    """

    symbol: str
    at_ns: int
    probability: float
    horizon_s: float
    version: str
    features_hash: str
    spec_hash: str


@dataclass(frozen=True)
class BankNews:
    """What happened in the bank since it was last asked, and what its strategies hold or are about to.

    Attributes
    ----------
    signals : tuple of BankSignal
    trips : tuple of BankTrip
    holding : tuple of (str, str)
        Strategies and symbols with a position or orders under way.
    running : bool
        Whether the bank is at work: while it is not, what it holds says nothing.
    lagging_s : float
        By how much the bank is behind the newest message.
    forecasts : tuple of CascadeForecast
    quotes : tuple of ShadowQuotes
        One a symbol and strategy that makes markets, of those asked for.

    """

    signals: tuple[BankSignal, ...] = ()
    trips: tuple[BankTrip, ...] = ()
    holding: tuple[tuple[str, str], ...] = ()
    running: bool = False
    lagging_s: float = 0.0
    forecasts: tuple[CascadeForecast, ...] = ()
    quotes: tuple[ShadowQuotes, ...] = ()
