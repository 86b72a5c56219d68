"""Forecasts of the bank's models as journal events: what L5 later holds against what happened. Pure.

What does not belong here: forecasts of funding, which have a table of their own, and outcomes, which the pipelines find.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from hean_live.app.snapshot import Command, Note
from hean_live.shadow.records import CascadeForecast

CASCADE_FORECAST: Final = "cascade_forecast"
_STRATEGY: Final = "S4"
"""LiquidationHunter: it lives on M2."""


def keep_forecasts(forecasts: Iterable[CascadeForecast]) -> list[Command]:
    """Return the events that keep forecasts of M2, in their order."""
    return [Note(CASCADE_FORECAST, each.symbol, asdict(each), _STRATEGY) for each in forecasts]
