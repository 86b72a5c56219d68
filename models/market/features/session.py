"""F16: the trading session by UTC hour."""

from __future__ import annotations

from typing import Final

from numba import njit

OFF: Final = 0
ASIA: Final = 1
EUROPE: Final = 2
US: Final = 3

SESSION_NAMES: Final = {OFF: "OFF", ASIA: "ASIA", EUROPE: "EUROPE", US: "US"}

HOUR_NS: Final = 3_600_000_000_000
GOLDEN_START_HOUR: Final = 9
GOLDEN_END_HOUR: Final = 16


@njit(cache=True)
def hour_of_day(ts_ns: int) -> float:
    """Return the UTC hour with its fraction, 0 to 24 (24 excluded)."""
    return float((ts_ns % (24 * HOUR_NS)) / HOUR_NS)


@njit(cache=True)
def session_of(ts_ns: int) -> int:
    """Return `ASIA` 00-08, `EUROPE` 08-14, `US` 14-22, else `OFF`, by UTC; a session owns its first instant."""
    hour = ts_ns % (24 * HOUR_NS) // HOUR_NS
    if hour < 8:
        return ASIA
    if hour < 14:
        return EUROPE
    return US if hour < 22 else OFF


@njit(cache=True)
def is_golden_hour(ts_ns: int) -> bool:
    """Say whether it is between 09:00 and 16:00 UTC (16:00 excluded)."""
    hour = ts_ns % (24 * HOUR_NS) // HOUR_NS
    return bool(GOLDEN_START_HOUR <= hour < GOLDEN_END_HOUR)
