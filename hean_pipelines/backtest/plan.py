"""What a backtest was asked to do: one immutable object, checked before anything runs, and the same as plain data.

Here belong checks and the folder's name. Where arguments come from is the command's and the asset's business.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from hean_pipelines.backtest.markets import (
    BASE_SYMBOL,
    DEFAULT_SYMBOL,
    contract_of,
    slow_market,
    synthetic_market,
)
from hean_pipelines.sources.tape_files import TapeFormat, tape_reader
from models.errors import ConfigError
from models.market.feature_params import FeatureParams
from models.market.symbol_params import params_of_symbol
from models.simulation.fills import parameters as venue_parameters
from models.simulation.fills.parameters import FillParameters, check_parameters, constant_latency
from models.simulation.order_flow.parameters import OrderFlowParameters
from models.simulation.slow_market.parameters import SlowMarketParameters
from models.simulation.slow_market.scenarios import PLANTED_FOR
from models.simulation.slow_market.symbols import SYMBOLS
from models.strategies.catalogue import Entry, entry_of, parse_params

Market = Literal["synthetic", "slow", "recorded"]
QUEUE_MODELS: Final = {
    name.lower(): getattr(venue_parameters, name)
    for name in ("RISK_ADVERSE", "POWER", "POWER_2", "POWER_3", "LOG", "LOG_2")
}
DEFAULT_CAPITAL_USD: Final = 500.0
DEFAULT_CAPACITY: Final = (1.0, 30.0, 1000.0, 30_000.0)
DEFAULT_DAYS: Final[Mapping[str, float | None]] = {"synthetic": 1.0, "slow": 30.0, "recorded": None}
"""Days of market where nobody said; None takes a recording whole."""
LEVERAGE: Final = 3.0
"""As the executor's default."""
MOST_DAYS: Final = 3660.0


@dataclass(frozen=True)
class Plan:
    """A backtest that can run.

    Attributes
    ----------
    entry : Entry
    params : tuple
        Of the strategy, checked.
    symbol : str
    market : str
        `synthetic` (order by order, hours to days), `slow` (seconds, weeks to months, with forecasts and other markets)
        or `recorded`.
    days : float or None
        None takes a recording whole.
    seed : int
        Of the synthetic market and of the latencies.
    scenario : str
        Of the synthetic market.
    order_flow : OrderFlowParameters or None
        The synthetic market of ticks; None for the others.
    slow_market : SlowMarketParameters or None
        The slow synthetic market; None for the others.
    tapes : tuple of Path
        Files in the order they were recorded.
    tape_format : str
    capital_usd : float
    venue : FillParameters
    capacity : tuple of float
        Multiples of the capital to compare, ascending, the first one 1.
    gates : bool
        Whether the gates are asked about every round trip, in a second pass over the tape.

    """

    entry: Entry
    params: Any
    symbol: str
    market: Market
    days: float | None
    seed: int
    scenario: str
    order_flow: OrderFlowParameters | None
    slow_market: SlowMarketParameters | None
    tapes: tuple[Path, ...]
    tape_format: TapeFormat
    capital_usd: float
    venue: FillParameters
    capacity: tuple[float, ...]
    gates: bool

    def facts(self) -> dict[str, Any]:
        """Return the plan as plain data; files by name only, so that the same recording elsewhere gives the same bytes."""
        is_synthetic = self.market != "recorded"
        return {
            "strategy": self.entry.name,
            "system": self.entry.system,
            "summary": self.entry.summary,
            "leg": self.entry.leg,
            "symbol": self.symbol,
            "market": self.market,
            "scenario": self.scenario if is_synthetic else None,
            "seed": self.seed,
            "days": self.days,
            "tapes": [path.name for path in self.tapes],
            "tape_format": None if is_synthetic else self.tape_format,
            "capital_usd": self.capital_usd,
            "capacity_multiples": list(self.capacity),
            "gates": self.gates,
            "parameters": self.params._asdict(),
            "vpin_bucket_usd": self.features.vpin_bucket_usd,
            "venue": {**self.venue._asdict(), "queue_model": queue_name(self.venue)},
        }

    @property
    def features(self) -> FeatureParams:
        """Parameters of the market record, as the executor has them for the symbol.

        The synthetic market of ticks is BTCUSDT's at another price, worth the same in USD: its features are BTCUSDT's, too.
        """
        return params_of_symbol(BASE_SYMBOL if self.market == "synthetic" else self.symbol)

    def folder(self) -> str:
        """Return the name of the folder its files go to: the same for the same arguments."""
        digest = hashlib.sha256(json.dumps(self.facts(), sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.entry.name}-{self.symbol}-{self.market}-{digest}"


def queue_name(venue: FillParameters) -> str:
    """Return the name of a venue's queue model."""
    return next(name for name, number in QUEUE_MODELS.items() if number == venue.queue_model)


def make_plan(
    strategy: str,
    *,
    market: str | None = None,
    days: float | None = None,
    symbol: str | None = None,
    scenario: str | None = None,
    seed: int = 1,
    tapes: Sequence[Path] = (),
    tape_format: TapeFormat = "bybit",
    capital_usd: float = DEFAULT_CAPITAL_USD,
    changes: Mapping[str, str] | None = None,
    latency_ms: tuple[float, float] | None = None,
    fees: tuple[float, float] | None = None,
    queue: str = "risk_adverse",
    steps: tuple[float | None, float | None] = (None, None),
    capacity: Sequence[float] = DEFAULT_CAPACITY,
    gates: bool = True,
) -> Plan:
    """Check what was asked and fill in what was not.

    Parameters
    ----------
    strategy : str
        Name or id.
    market : str, optional
        By default the synthetic one that can hold the strategy's effect: of ticks where it needs no outlook and lives on
        single orders, slow otherwise.
    days : float, optional
        By default one on a synthetic market, 30 on the slow one, the whole of a recording.
    symbol, scenario, seed, tapes, tape_format, capital_usd
        As in `Plan`.
    changes : mapping of str to str, optional
        Parameters of the strategy as text.
    latency_ms : (float, float), optional
        Fixed latency in and out; without it lognormal between 50 and 150 ms.
    fees : (float, float), optional
        Maker and taker, fractions.
    queue : str
        One of `QUEUE_MODELS`.
    steps : (float or None, float or None)
        Tick and lot of a recording's contract, where it is not known here.
    capacity : sequence of float
    gates : bool

    Raises
    ------
    ConfigError
        Naming what is wrong and what would be right.

    """
    entry = entry_of(strategy)
    params = parse_params(entry, changes or {})
    market = market or ("slow" if entry.asks_outlook else "synthetic")
    if market not in ("synthetic", "slow", "recorded"):
        raise ConfigError(f"market: expected synthetic, slow or recorded, was {market!r}")
    _check_numbers(days, seed, capital_usd, capacity)
    _check_tapes(market, tapes, tape_format, symbol, steps)
    chosen = symbol or DEFAULT_SYMBOL
    planted = scenario or (PLANTED_FOR[entry.name] if market == "slow" else "everything")
    order_flow = synthetic_market(chosen, planted) if market == "synthetic" else None
    slow = slow_market(chosen, planted) if market == "slow" else None
    contract = order_flow or (SYMBOLS[chosen] if slow else None)
    tick, lot = (contract.tick_size, contract.lot_size) if contract else _steps(chosen, steps)
    return Plan(
        entry=entry,
        params=params,
        symbol=chosen,
        market=market,  # type: ignore[arg-type] - checked above
        days=DEFAULT_DAYS[market] if days is None else days,
        seed=seed,
        scenario=planted,
        order_flow=order_flow,
        slow_market=slow,
        tapes=tuple(tapes),
        tape_format=tape_format,
        capital_usd=capital_usd,
        venue=_venue(tick, lot, seed, latency_ms, fees, queue),
        capacity=tuple(sorted({1.0, *(float(multiple) for multiple in capacity)})),
        gates=gates,
    )


def _check_numbers(days: float | None, seed: int, capital_usd: float, capacity: Sequence[float]) -> None:
    if days is not None and not 0.0 < days <= MOST_DAYS:
        raise ConfigError(f"days: expected a number above 0 and at most {MOST_DAYS:g}, was {days:g}")
    if seed < 0:
        raise ConfigError(f"seed: expected a whole number from 0, was {seed}")
    if not 0.0 < capital_usd < 1e12:
        raise ConfigError(f"capital: expected USD above 0, was {capital_usd:g}")
    if any(not 1.0 <= multiple <= 1e6 or not math.isfinite(multiple) for multiple in capacity):
        raise ConfigError(
            f"capacity: expected multiples of the capital from 1 to 1e6, was {', '.join(f'{m:g}' for m in capacity)}"
        )


def _check_tapes(
    market: str,
    tapes: Sequence[Path],
    tape_format: str,
    symbol: str | None,
    steps: tuple[float | None, float | None],
) -> None:
    if market != "recorded":
        if tapes or any(steps):
            raise ConfigError(
                f"market: expected recorded where a tape or its steps are given, was {market}",
                remedy="add --market recorded, or leave --tape, --tick-size and --lot-size out",
            )
        return
    if not tapes:
        raise ConfigError(
            "market: expected at least one file of a recorded market, was none", remedy="pass --tape FILE"
        )
    if symbol is None:
        raise ConfigError(
            "symbol: expected the one to trade in the recording, was none", remedy="pass --symbol"
        )
    tape_reader(tape_format, symbol)  # type: ignore[arg-type] - refuses what is no format
    for path in tapes:
        if not path.is_file():
            raise ConfigError(f"tape: expected a file, was nothing at {path}", remedy="check the path")


def _steps(symbol: str, steps: tuple[float | None, float | None]) -> tuple[float, float]:
    tick, lot = steps
    if tick is not None and lot is not None:
        return tick, lot
    known = contract_of(symbol)
    return tick or known.tick_size, lot or known.lot_size


def _venue(
    tick: float,
    lot: float,
    seed: int,
    latency_ms: tuple[float, float] | None,
    fees: tuple[float, float] | None,
    queue: str,
) -> FillParameters:
    if queue not in QUEUE_MODELS:
        raise ConfigError(f"queue model: expected one of {', '.join(QUEUE_MODELS)}, was {queue!r}")
    venue = FillParameters(tick, lot, queue_model=QUEUE_MODELS[queue], seed=seed, leverage=LEVERAGE)
    if latency_ms is not None:
        venue = constant_latency(venue, *latency_ms)
    if fees is not None:
        venue = venue._replace(maker_fee=fees[0], taker_fee=fees[1])
    check_parameters(venue)
    return venue
