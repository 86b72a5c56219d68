"""Settings of how signals become orders: limits, gates, quotes, exits. A part of `LiveSettings`, which adds the rest.

Every default is the one of the record it ends in (`hean_live.app.configured_rules`). Durations are in market time.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from models.execution.exits import EXIT_PLANS

Fraction = Annotated[Decimal, Field(gt=0, le=1)]
Seconds = Annotated[float, Field(gt=0)]
_STRATEGY = re.compile(r"S[1-9]\d?")


class ExecutionSettings(BaseSettings):
    """How signals are limited, gated, quoted and left."""

    capital_per_trade: Fraction = Decimal("0.03")
    risk_per_trade: Fraction = Decimal("0.01")
    stop_fraction: Annotated[Decimal, Field(gt=0, lt=1)] = Decimal("0.02")
    leverage: Annotated[Decimal, Field(ge=1, le=10)] = Decimal(3)
    max_symbol_exposure: Annotated[Decimal, Field(gt=0)] = Decimal("0.15")
    max_total_exposure: Annotated[Decimal, Field(gt=0)] = Decimal("0.60")
    max_ticker_age_s: Seconds = 60.0
    max_forecast_age_s: Seconds = 900.0
    max_clock_offset_ms: Annotated[float, Field(gt=0, le=900)] = 500.0
    kill_drawdown: Fraction = Decimal("0.20")

    max_book_age_s: Seconds = 10.0
    max_open_interest_age_s: Seconds = 300.0
    max_signal_age_s: Seconds = 60.0
    max_quotes_age_s: Seconds = 5.0
    btc_crash_5min: Annotated[float, Field(gt=0, lt=1)] = 0.01
    btc_crash_15min: Annotated[float, Field(gt=0, lt=1)] = 0.02
    btc_price_age_s: Seconds = 60.0

    quote_layers: Literal["touch", "layered"] = "touch"
    quote_requote_ticks: Annotated[int, Field(ge=1)] = 1
    quote_max_age_s: Seconds = 30.0
    pull_book_age_s: Seconds = 15.0
    pull_vpin_rank: Annotated[float, Field(gt=0, le=1)] = 0.95
    pull_spread_ratio: Annotated[float, Field(gt=0)] = 3.0
    max_requotes: Annotated[int, Field(ge=0, le=100)] = 4
    entry_maker_s: Annotated[float, Field(ge=0)] = 180.0
    exit_maker_s: Annotated[float, Field(ge=0)] = 60.0
    entry_taker_fallback: bool = True
    taker_slippage: Annotated[Decimal, Field(ge=0, lt=1)] = Decimal("0.0005")
    exit_plans: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)

    @field_validator("exit_plans", mode="before")
    @classmethod
    def _pairs(cls, value: object) -> object:
        """Read ``S1=ladder,S2=time`` as it stands in a variable; a table of the file is one already."""
        if not isinstance(value, str):
            return value
        pairs = [part.split("=") for part in value.split(",") if part.strip()]
        if any(len(pair) != 2 for pair in pairs):
            raise ValueError("expected pairs such as S1=ladder, with commas between them")
        return {name.strip(): plan.strip() for name, plan in pairs}

    @field_validator("exit_plans")
    @classmethod
    def _known(cls, value: dict[str, str]) -> dict[str, str]:
        strange = sorted(name for name in value if not _STRATEGY.fullmatch(name))
        if strange:
            raise ValueError(f"expected strategies such as S1, was {', '.join(strange)}")
        unknown = sorted(set(value.values()) - set(EXIT_PLANS))
        if unknown:
            raise ValueError(
                f"expected plans among {', '.join(sorted(EXIT_PLANS))}, was {', '.join(unknown)}"
            )
        return value
