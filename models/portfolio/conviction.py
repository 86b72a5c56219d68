"""Conviction: how large one entry is, by one rule with a bound.

    multiplier = product of all factors, clipped to 0 ... 2.5
    capital    = min(base × multiplier, R1's limit, what is left of the strategy's allocation)     margin over equity
    risk       = 1 % × min(multiplier, 1)                                                          loss at the stop over equity
    Kelly      = min(a quarter of Kelly's fraction, its cap) / stop                                notional over equity

Then `sizing.size_position` takes the least of the three. Factors are those of the gates (ULTRA 2.5, Hurst 0.5, VPIN, probation
0.2) and the volatility factor. Conviction moves a trade between nothing and R1's limit; it never lifts a limit. The result
never falls when a factor, the allocation or the track record gets better. What does not belong here: whether there may be
an entry.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from models.errors import ConfigError
from models.portfolio.sizing import Sized, SizeRequest, SizerZero, size_position

_GRAIN: Final = Decimal("0.00000001")


@dataclass(frozen=True)
class CapitalRule:
    """Margin of one trade over equity: `base` at a multiplier of 1, and R1's `limit`."""

    base: float
    limit: float


R1_CAPITAL: Final = CapitalRule(base=0.008, limit=0.02)
"""2 % is reached at 2.5: without conviction a trade binds 0.8 %."""

OWN_CAPITAL: Final[Mapping[str, CapitalRule]] = {
    "funding_pressure": CapitalRule(base=0.02, limit=0.03),  # S1: 2 to 3 %
    "liquidation_hunter": CapitalRule(base=0.02, limit=0.02),  # S4: 2 %
}


@dataclass(frozen=True)
class ConvictionRules:
    """Numbers of the rule.

    Attributes
    ----------
    most : float
        Bound of the product.
    capital, own_capital : CapitalRule, mapping of str to CapitalRule
        For all strategies, and for those with their own.
    risk_fraction : float
        P5: of the equity, lost at the stop.
    kelly_part, kelly_cap : float
        Part of Kelly's fraction that is used, and the most equity it may put at risk.
    kelly_trades : int
        Fewer trades are no track record, and Kelly says nothing.
    exploring_risk : float
        Equity at risk of a trade that is made to explore: Kelly would give it nothing, and it could not earn its way back.
    calm_volatility : float
        Standard deviation of the return over a day, fraction, from which on sizes shrink in proportion.
    unknown_volatility : float
        Factor while the volatility is not known.

    Raises
    ------
    ConfigError
        Where a base is above its limit, or a number is out of range.

    """

    most: float = 2.5
    capital: CapitalRule = R1_CAPITAL
    own_capital: Mapping[str, CapitalRule] = field(default_factory=lambda: OWN_CAPITAL)
    risk_fraction: float = 0.01
    kelly_part: float = 0.25
    kelly_cap: float = 0.01
    kelly_trades: int = 30
    exploring_risk: float = 0.0005
    calm_volatility: float = 0.04
    unknown_volatility: float = 0.5

    def __post_init__(self) -> None:
        """Check."""
        for name, rule in {"capital": self.capital, **self.own_capital}.items():
            if not 0.0 <= rule.base <= rule.limit <= 1.0:
                raise ConfigError(f"{name}: expected 0 <= base <= limit <= 1, was {rule.base}, {rule.limit}")
        for name, value in (
            ("risk_fraction", self.risk_fraction),
            ("kelly_part", self.kelly_part),
            ("kelly_cap", self.kelly_cap),
            ("exploring_risk", self.exploring_risk),
            ("unknown_volatility", self.unknown_volatility),
        ):
            if not 0.0 <= value <= 1.0:
                raise ConfigError(f"conviction: expected {name} from 0 to 1, was {value}")


@dataclass(frozen=True)
class TrackRecord:
    """Closed trades of a strategy: how many, share of wins, mean win and mean loss (positive) in one unit."""

    trades: int
    win_rate: float
    mean_win: float
    mean_loss: float


@dataclass(frozen=True)
class Conviction:
    """What one entry may bind and risk.

    Attributes
    ----------
    multiplier : float
        The clipped product.
    capital_fraction : float
        Margin over equity.
    risk_fraction : float
        Loss at the stop over equity.
    kelly_risk : float or None
        Kelly's own bound on the loss over equity; None without a track record.
    words : str

    """

    multiplier: float
    capital_fraction: float
    risk_fraction: float
    kelly_risk: float | None
    words: str


def volatility_factor(day_volatility: float, rules: ConvictionRules) -> float:
    """Return calm over present volatility, at most 1; `unknown_volatility` for one that is NaN or not positive."""
    if not (math.isfinite(day_volatility) and day_volatility > 0.0):
        return rules.unknown_volatility
    return min(1.0, rules.calm_volatility / day_volatility)


def kelly_fraction(win_rate: float, mean_win: float, mean_loss: float) -> float:
    """Return Kelly's fraction p − (1 − p) / (mean win / mean loss), at least 0 (Kelly 1956); p where nothing was ever lost."""
    if mean_win <= 0.0:
        return 0.0
    return max(win_rate - (1.0 - win_rate) * mean_loss / mean_win, 0.0)


def record_in(regime: str, records: Mapping[str, TrackRecord]) -> TrackRecord | None:
    """Return what a strategy's trades say for one regime.

    Parameters
    ----------
    regime : str
    records : mapping of str to TrackRecord
        Of one strategy by regime, shrunk toward each other (M3); where a number is not known, NaN.

    Returns
    -------
    TrackRecord or None
        The regime's own, or else the mean of the others by trades; with the trades of all regimes, on which each rests. None
        without a trade.

    """
    known = {
        name: own
        for name, own in records.items()
        if own.trades > 0 and all(math.isfinite(x) for x in (own.win_rate, own.mean_win, own.mean_loss))
    }
    if not known:
        return None
    trades = sum(own.trades for own in known.values())
    if regime in known:
        return replace(known[regime], trades=trades)

    def mean(field_name: str) -> float:
        return sum(own.trades * float(getattr(own, field_name)) for own in known.values()) / trades

    return TrackRecord(trades, mean("win_rate"), mean("mean_win"), mean("mean_loss"))


def convict(
    strategy: str,
    factors: Mapping[str, float],
    record: TrackRecord | None,
    allocation_left: float,
    exploring: bool,
    rules: ConvictionRules | None = None,
) -> Conviction:
    """Combine everything that moves the size of one entry.

    Parameters
    ----------
    strategy : str
    factors : mapping of str to float
        By name; of the gates and `volatility_factor`. One that is NaN or negative makes the product 0.
    record : TrackRecord or None
    allocation_left : float
        Share of the equity allocated to the strategy and not bound by its positions.
    exploring : bool
        Whether the rotator let it enter only to explore.
    rules : ConvictionRules, optional

    Returns
    -------
    Conviction

    """
    rules = rules or ConvictionRules()
    capital = rules.own_capital.get(strategy, rules.capital)
    product = math.prod(_factor(value) for value in factors.values())
    multiplier = min(_factor(product), rules.most)
    left = _factor(allocation_left)
    fraction = min(capital.base * multiplier, capital.limit, left)
    risk = rules.risk_fraction * min(multiplier, 1.0)
    kelly, kelly_words = _kelly(record, exploring, rules)
    parts = " × ".join(f"{name} {value:g}" for name, value in factors.items()) or "no factor"
    words = (
        f"{parts} = {product:g}, clipped to {multiplier:g}; margin min({capital.base:g} × {multiplier:g},"
        f" R1 {capital.limit:g}, allocation left {left:g}) = {fraction:g};"
        f" risk {rules.risk_fraction:g} × {min(multiplier, 1.0):g} = {risk:g}; {kelly_words}"
    )
    return Conviction(multiplier, fraction, risk, kelly, words)


def size_entry(request: SizeRequest, conviction: Conviction) -> Sized | SizerZero:
    """Turn a conviction into a quantity, or refuse with the whole arithmetic.

    Parameters
    ----------
    request : SizeRequest
        Equity, price, stop, leverage and the instrument's steps; its fractions are replaced.
    conviction : Conviction

    Returns
    -------
    Sized or SizerZero

    Raises
    ------
    ValueError
        As `sizing.size_position`.

    """
    kelly = conviction.kelly_risk
    sized = size_position(
        replace(
            request,
            risk_fraction=_exact(conviction.risk_fraction),
            capital_fraction=_exact(conviction.capital_fraction),
            kelly_fraction=None if kelly is None else _exact(kelly) / request.stop_fraction,
            volatility_scale=Decimal(1),  # one of the factors already
        )
    )
    return replace(sized, arithmetic=f"{conviction.words}; {sized.arithmetic}")


def _kelly(record: TrackRecord | None, exploring: bool, rules: ConvictionRules) -> tuple[float | None, str]:
    if exploring:
        return rules.exploring_risk, f"exploring: risk at most {rules.exploring_risk:g}"
    if record is None or record.trades < rules.kelly_trades:
        known = 0 if record is None else record.trades
        return None, f"no Kelly bound with {known} trades < {rules.kelly_trades}"
    full = kelly_fraction(record.win_rate, record.mean_win, record.mean_loss)
    bound = min(rules.kelly_part * full, rules.kelly_cap)
    return bound, f"Kelly min({rules.kelly_part:g} × {full:.4f}, {rules.kelly_cap:g}) = {bound:g}"


def _factor(value: float) -> float:
    return value if value >= 0.0 else 0.0  # NaN compares false


def _exact(value: float) -> Decimal:
    # To the nearest grain, not down: 0.8 × 1.5 in floats lies a hair below 1.2, and a hair can cost one lot.
    return Decimal(value).quantize(_GRAIN, rounding=ROUND_HALF_EVEN)
