"""What the engine is told at a poll, and what it may answer: plain records, so that a session can be replayed.

Here belong the records alone. Filling a `Snapshot` is the runner's business, deciding on it the engine's,
carrying commands out the runner's again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from hean_live.app.policy import PolicyView
from hean_live.app.state import STRATEGY, Campaign
from hean_live.execution.order_manager import OrderDecision
from hean_live.execution.reconcile import Books
from hean_live.execution.records import OrderRow, TradeRow
from hean_live.shadow.records import BankNews
from models.market.bybit_v5_market import Ticker
from models.market.instruments import Instrument


@dataclass(frozen=True)
class Quote:
    """Touch and mark price at the order venue, as seen at `at_ns` market time."""

    bid: Decimal
    ask: Decimal
    mark: Decimal
    at_ns: int

    def touch(self, side: int) -> Decimal:
        """Price at which a maker of `side` joins the book."""
        return self.bid if side > 0 else self.ask

    def across(self, side: int) -> Decimal:
        """Price at which a taker of `side` trades."""
        return self.ask if side > 0 else self.bid


@dataclass(frozen=True)
class Forecasted:
    """A forecast that has been made; probabilities are of a rate above and below `current`, the last settled one."""

    symbol: str
    settlement_ns: int
    horizon_min: int
    made_at_ns: int
    model_version: str
    predicted: float
    q05: float
    q50: float
    q95: float
    current: float
    probability_above: float
    probability_below: float
    regime: str


@dataclass(frozen=True)
class Settled:
    """A settlement that has happened and the rate paid."""

    symbol: str
    settlement_ns: int
    rate: float


@dataclass(frozen=True)
class MatrixCell:
    """What a strategy earned in a regime (M3): number of trades, expected value, probability that it is positive.

    `ev_shrunk_usd` and `ev_sd_usd` are its posterior's mean and standard deviation. Share of wins, mean win and mean loss
    are shrunk too, and None in a matrix that has none of them.
    """

    trades: int
    ev_usd: float
    p_ev_positive: float
    ev_shrunk_usd: float = 0.0
    ev_sd_usd: float = 0.0
    win_rate: float | None = None
    mean_win_usd: float | None = None
    mean_loss_usd: float | None = None


@dataclass(frozen=True)
class ModelView:
    """The model in use: its version, whether its evidence allows live trading, and why entries are refused if so."""

    version: str = ""
    evidence_passed: bool = False
    evidence_words: str = "no bundle is loaded"
    refusals: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Snapshot:
    """One poll.

    Attributes
    ----------
    now_ns : int
        Market time; never goes back.
    tickers : mapping of str to Ticker
        Of the market-data venue, as old as `tickers_at_ns`.
    quotes : mapping of str to Quote
        Of the order venue.
    instruments, taker_fees : mapping by symbol
        Of the order venue; a symbol it does not list is absent.
    books : Books or None
        None until the venue's first complete answer.
    orders : mapping of str to list of OrderRow
        Our orders of each symbol's present campaign; without one, of the settlement to come.
    clock_offset_ms : float or None
    model : ModelView
    matrix : mapping of (strategy, regime) to MatrixCell
    forecasts, settled : tuples
        News since the last poll.
    halts : mapping of str to str
        Why no entry may be made now (``KILL_SWITCH``, ``STOPPING``, ``DRY_RUN``, ``UNRECONCILED``,
        ``JOURNAL_LOST``, ``MARKET_STREAM``, ``PRIVATE_STREAM``), with words.
    flatten : bool
        True if positions are to be closed now, whatever their time.
    bank : BankNews
        Of the shadows, since the last poll.
    policy : PolicyView
        What the learning loops and a person have decided.

    """

    now_ns: int
    tickers: Mapping[str, Ticker]
    tickers_at_ns: int
    quotes: Mapping[str, Quote]
    instruments: Mapping[str, Instrument]
    taker_fees: Mapping[str, Decimal]
    books: Books | None
    orders: Mapping[str, list[OrderRow]]
    clock_offset_ms: float | None
    model: ModelView
    matrix: Mapping[tuple[str, str], MatrixCell] = field(default_factory=dict)
    forecasts: tuple[Forecasted, ...] = ()
    settled: tuple[Settled, ...] = ()
    halts: Mapping[str, str] = field(default_factory=dict)
    flatten: bool = False
    bank: BankNews = field(default_factory=BankNews)
    policy: PolicyView = field(default_factory=PolicyView)


@dataclass(frozen=True)
class Memory:
    """Everything an engine remembers between two polls: one made of it goes on like the one it was taken from.

    Attributes
    ----------
    asked, symbols : tuple of str
        To trade, and looked after in this order.
    states, saved : str
        The states of all symbols, and the text of the last `SaveState`.
    forecasts : tuple of Forecasted
        Still needed; a restart begins without them.

    """

    asked: tuple[str, ...]
    symbols: tuple[str, ...]
    states: str
    saved: str
    forecasts: tuple[Forecasted, ...] = ()


@dataclass(frozen=True)
class Note:
    """Journal an event; `strategy` is the id of the one it is about."""

    kind: str
    symbol: str
    body: Mapping[str, object]
    strategy: str = STRATEGY


@dataclass(frozen=True)
class KeepForecast:
    """Journal a forecast."""

    forecast: Forecasted


@dataclass(frozen=True)
class KeepTrade:
    """Journal a round trip."""

    trade: TradeRow


@dataclass(frozen=True)
class BookCampaign:
    """Add up the fills of a closed campaign, of a pair with those of its second leg, and journal the trade."""

    campaign: Campaign
    realised_rate: float | None
    second: Campaign | None = None


@dataclass(frozen=True)
class SaveState:
    """Journal the engine's state."""

    text: str


@dataclass(frozen=True)
class WantForecast:
    """Make a forecast of a settlement as of `horizon_min` minutes before it."""

    symbol: str
    settlement_ns: int
    horizon_min: int
    interval_h: int


@dataclass(frozen=True)
class WantSettled:
    """Find out the rate paid at a settlement."""

    symbol: str
    settlement_ns: int


@dataclass(frozen=True)
class Place:
    """Send an order."""

    decision: OrderDecision


@dataclass(frozen=True)
class Cancel:
    """Cancel an order."""

    symbol: str
    client_id: str


Command = (
    Note | KeepForecast | KeepTrade | BookCampaign | SaveState | WantForecast | WantSettled | Place | Cancel
)
