"""What gates are told and what they answer. Records alone; who fills them and what the gates do with them is elsewhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from models.execution.market_gates import PriceHistory
from models.execution.sight import MarketSight
from models.portfolio.roster import Kind, kind_of
from models.portfolio.rotator import Rotation

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class SecondLeg:
    """The other leg of a pair, entered and left at the market.

    Attributes
    ----------
    symbol : str
    share : float
        Its notional as a part of the own leg's; NaN where it is not known.
    spread_bps : float
        Bid-ask spread, of its price; NaN where it is not known.

    """

    symbol: str
    share: float = math.nan
    spread_bps: float = math.nan


@dataclass(frozen=True)
class Candidate:
    """An entry a strategy wants to make.

    Attributes
    ----------
    strategy, symbol : str
    side : int
        +1 long, -1 short, 0 quotes on both sides.
    at_ns : int
        When it was decided.
    expected_edge_bps : float
        What the strategy expects to earn before costs, of the notional; NaN where it does not say.
    horizon_s : float
        How long it means to hold; NaN where it does not say.
    entry_taker, exit_taker : bool
        Whether entry and exit cross the spread.
    confidence : float
        Of the model it rests on, 0 to 1; NaN without one.
    forecast_at_ns : int or None
        Age of the forecast it rests on; None without one.
    second : SecondLeg or None
        Of a pair; None for a strategy that trades its symbol alone.

    """

    strategy: str
    symbol: str
    side: int
    at_ns: int
    expected_edge_bps: float = math.nan
    horizon_s: float = math.nan
    entry_taker: bool = True
    exit_taker: bool = True
    confidence: float = math.nan
    forecast_at_ns: int | None = None
    second: SecondLeg | None = None

    @property
    def kind(self) -> Kind:
        """What the strategy lives on."""
        return kind_of(self.strategy)


@dataclass(frozen=True)
class MarketFacts:
    """State of the candidate's market; what is not known is NaN or ``""``.

    Attributes
    ----------
    sight : MarketSight
        Ages of book and open interest, spread, VPIN rank.
    vpin : float
        F3, 0 to 1.
    kyle_lambda_z : float
        F4.
    flow_imbalance : float
        F7: signed share of taker flow over the trailing window, -1 to 1.
    whale_cvd_usd, whale_intensity : float
        F13: signed notional, and 0 to 100.
    retail_imbalance : float
        F9: signed share of small orders, -1 to 1.
    hurst, hurst_finer : str
        Labels of F14 by the rules' thresholds on 100 periods, and on the finer returns.
    btc : PriceHistory
        Of BTC; empty where it is not quoted.

    """

    sight: MarketSight
    vpin: float = math.nan
    kyle_lambda_z: float = math.nan
    flow_imbalance: float = math.nan
    whale_cvd_usd: float = math.nan
    whale_intensity: float = math.nan
    retail_imbalance: float = math.nan
    hurst: str = ""
    hurst_finer: str = ""
    btc: PriceHistory = field(default_factory=PriceHistory)


@dataclass(frozen=True)
class Fees:
    """Fees of a symbol, of the notional."""

    maker_bps: float
    taker_bps: float


@dataclass(frozen=True)
class Entries:
    """Entries of one strategy in one symbol: the last one's time, its UTC day since the epoch, and how many that day had."""

    last_ns: int
    day: int
    count: int


@dataclass(frozen=True)
class AccountFacts:
    """State of our own account.

    Attributes
    ----------
    fees : mapping of str to Fees
        By symbol, from the account.
    entries : mapping of (strategy, symbol) to Entries
        Kept by `pace.remember_entry`.
    in_flight : mapping of str to int
        Unanswered requests by strategy.
    free_slots : int
        Order requests that may be sent now.

    """

    fees: Mapping[str, Fees] = field(default_factory=dict)
    entries: Mapping[tuple[str, str], Entries] = field(default_factory=dict)
    in_flight: Mapping[str, int] = field(default_factory=dict)
    free_slots: int = 1


@dataclass(frozen=True)
class Standing:
    """Whether a strategy may trade live, ``"live"``, ``"shadow"`` or ``"vetoed"``, and why, in words."""

    state: str
    words: str


@dataclass(frozen=True)
class PolicyFacts:
    """What the learning loops and a person decided.

    Attributes
    ----------
    slippage_buffer_bps : mapping of str to float
        L1, by symbol; absent is 0: nothing learnt yet.
    probation : mapping of str to float
        L2, factor on sizes by symbol; absent is 1.
    standings : mapping of str to Standing
        By strategy; absent may not trade.

    """

    slippage_buffer_bps: Mapping[str, float] = field(default_factory=dict)
    probation: Mapping[str, float] = field(default_factory=dict)
    standings: Mapping[str, Standing] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """Everything a gate may look at, at `now_ns`; `rotation` is that of the candidate's symbol, None before the first."""

    now_ns: int
    market: MarketFacts
    account: AccountFacts
    policy: PolicyFacts
    rotation: Rotation | None


@dataclass(frozen=True)
class Pass:
    """The gate lets the candidate through, at `multiplier` times its size."""

    words: str
    multiplier: float = 1.0


@dataclass(frozen=True)
class Block:
    """The gate stops the candidate: a `reason` code and the `words` with the arithmetic."""

    reason: str
    words: str
