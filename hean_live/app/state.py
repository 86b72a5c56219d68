"""What the engine remembers of each symbol: signal, live campaign, shadow trade; as data that survive a restart.

Here belong the records and their JSON. Rules that change them are in `engine.py`, `campaigns/phases.py` and
`shadow.py`.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np

from models.errors import DataError
from models.strategies import funding_pressure as s1

STRATEGY = "S1"

FORECAST = "forecast"
BANK = "bank"

ENTERING = "entering"
QUOTING = "quoting"
FOLLOWING = "following"
HOLDING = "holding"
EXITING = "exiting"
CLOSED = "closed"


@dataclass(frozen=True)
class Signal:
    """One decision to hold `side`.

    Of S1 (`origin` is `FORECAST`): across the settlement at `settlement_ns`; rates are fractions. Of the bank of shadows
    (`BANK`): `settlement_ns` is the second it was decided in, rates are 0, and the position is left when its shadow is; `side`
    is 0 where both are quoted. Entry is allowed until `deadline_ns`, the exit is due at `exit_ns`. `is_urgent`: the entry crosses
    the spread at once.
    """

    strategy: str
    symbol: str
    side: int
    settlement_ns: int
    forecast_at_ns: int
    deadline_ns: int
    exit_ns: int
    predicted: float
    current: float
    confidence: float
    regime: str
    model_version: str
    origin: str = FORECAST
    is_urgent: bool = False


@dataclass
class Campaign:
    """The live attempt to carry out a signal.

    `qty` is the target, `phase` how far it got. What was journalled last of its quotes: why they are `pulled`, and how
    many layers are `merged`. While it quotes (`QUOTING`, `campaigns/quoting.py`): since when its shadow shows it nothing to quote
    (`silent_ns`), since when something is held (`held_ns`), both 0 for not, and whether its shadow has held the same
    (`followed`). Of a pair there are two, each with the other's symbol (`partner`). The one with a `ratio` is the second leg
    (`FOLLOWING`, `campaigns/following.py`): it holds so much of its base against each base of the first, and `behind_ns` is since
    when it holds less, 0 for not.
    """

    signal: Signal
    qty: Decimal
    stop_price: Decimal
    opened_ns: int
    phase: str = ENTERING
    exit_reason: str = ""
    exit_started_ns: int = 0
    pulled: str = ""
    merged: int = 0
    silent_ns: int = 0
    held_ns: int = 0
    followed: bool = False
    partner: str = ""
    ratio: Decimal = Decimal(0)
    behind_ns: int = 0

    def is_twin(self, other: Campaign | None) -> bool:
        """Whether another campaign is the other leg of this one's pair."""
        return (
            other is not None
            and (self.partner, other.partner) == (other.signal.symbol, self.signal.symbol)
            and (self.signal.strategy, self.signal.settlement_ns)
            == (other.signal.strategy, other.signal.settlement_ns)
        )


@dataclass
class Shadow:
    """The paper twin of a signal at touch prices; `mark` is the mark price at the settlement."""

    signal: Signal
    qty: Decimal
    entry_ns: int
    entry_price: Decimal
    fee_rate: Decimal
    mark: Decimal | None = None
    exit_ns: int = 0
    exit_price: Decimal | None = None


@dataclass
class SymbolState:
    """Everything remembered of one symbol.

    Attributes
    ----------
    strategy : record of `funding_pressure.STATE`
    signal : Signal or None
        The one whose live entry is still possible or under way.
    campaign : Campaign or None
    shadow : Shadow or None
    unbooked : list of Campaign
        Closed, waiting for the settled rate to be written as trades.
    unbooked_shadows : list of Shadow
    blocked : list of str
        Reasons journalled for the present signal, each once.

    """

    strategy: np.record = field(default_factory=s1.new_state)
    signal: Signal | None = None
    campaign: Campaign | None = None
    shadow: Shadow | None = None
    unbooked: list[Campaign] = field(default_factory=list)
    unbooked_shadows: list[Shadow] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)


def dump_states(states: Mapping[str, SymbolState]) -> str:
    """Write the states of all symbols as JSON."""
    return json.dumps({symbol: _plain(state) for symbol, state in states.items()}, sort_keys=True)


def load_states(text: str) -> dict[str, SymbolState]:
    """Read what `dump_states` wrote.

    Raises
    ------
    DataError
        If the text is not of this form.

    """
    try:
        return {symbol: _state(body) for symbol, body in json.loads(text).items()}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"the engine's saved state is unreadable: {error}",
            remedy="delete the key engine_state from the journal's meta table; positions are read from the venue",
        ) from error


def _plain(state: SymbolState) -> dict[str, Any]:
    def convert(value: object) -> object:
        if isinstance(value, Decimal):
            return str(value)
        if isinstance(value, list):
            return [convert(item) for item in value]
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {f.name: convert(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return value

    plain = {
        f.name: convert(getattr(state, f.name)) for f in dataclasses.fields(state) if f.name != "strategy"
    }
    names = state.strategy.dtype.names or ()
    return {**plain, "strategy": {name: int(state.strategy[name]) for name in names}}


def _state(body: dict[str, Any]) -> SymbolState:
    record = s1.new_state()
    for name, value in body["strategy"].items():
        record[name] = value
    return SymbolState(
        strategy=record,
        signal=_maybe(body["signal"], lambda part: Signal(**part)),
        campaign=_maybe(body["campaign"], _campaign),
        shadow=_maybe(body["shadow"], _shadow),
        unbooked=[_campaign(part) for part in body["unbooked"]],
        unbooked_shadows=[_shadow(part) for part in body["unbooked_shadows"]],
        blocked=list(body["blocked"]),
    )


def _maybe(part: Any, read: Any) -> Any:
    return None if part is None else read(part)


def _campaign(part: dict[str, Any]) -> Campaign:
    fields: dict[str, Any] = {**part, "signal": Signal(**part["signal"])}
    fields |= {name: Decimal(part[name]) for name in ("qty", "stop_price", "ratio") if name in part}
    return Campaign(**fields)


def _shadow(part: dict[str, Any]) -> Shadow:
    amounts = {
        name: None if part[name] is None else Decimal(part[name])
        for name in ("qty", "entry_price", "fee_rate", "mark", "exit_price")
    }
    return Shadow(**{**part, **amounts, "signal": Signal(**part["signal"])})
