from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from models.portfolio.limits import Entry, Limits, check_entry

LIMITS = Limits()
FINE = Entry(
    notional=D(900),
    stop_price=D(59000),
    equity=D(10000),
    leverage=D(3),
    symbol_notional=D(0),
    total_notional=D(0),
    ticker_age_s=0.0,
    forecast_age_s=0.0,
    clock_offset_ms=0.0,
)


def reasons(**change):
    return [breach.reason for breach in check_entry(replace(FINE, **change), LIMITS)]


def test_a_fine_entry_passes():
    assert check_entry(FINE, LIMITS) == ()


@pytest.mark.parametrize(
    ("at_limit", "beyond", "reason"),
    [
        ({"clock_offset_ms": 500.0}, {"clock_offset_ms": 500.1}, "CLOCK_OFFSET"),
        ({"clock_offset_ms": -500.0}, {"clock_offset_ms": -500.1}, "CLOCK_OFFSET"),
        ({}, {"clock_offset_ms": None}, "CLOCK_UNKNOWN"),
        ({"ticker_age_s": 60.0}, {"ticker_age_s": 60.1}, "STALE_TICKER"),
        ({"forecast_age_s": 900.0}, {"forecast_age_s": 900.1}, "STALE_FORECAST"),
        ({}, {"stop_price": D(0)}, "NO_STOP"),
        ({}, {"leverage": D("3.1")}, "LEVERAGE"),
        ({}, {"notional": D("900.01")}, "CAPITAL"),
        ({"symbol_notional": D(600)}, {"symbol_notional": D("600.01")}, "SYMBOL_EXPOSURE"),
        ({"total_notional": D(5100)}, {"total_notional": D("5100.01")}, "TOTAL_EXPOSURE"),
        ({}, {"equity": D(0)}, "NO_EQUITY"),
    ],
)
def test_each_limit_at_its_edge(at_limit, beyond, reason):
    assert reasons(**at_limit) == []
    assert reasons(**beyond) == [reason]


def test_every_breach_is_listed_with_its_arithmetic():
    found = check_entry(replace(FINE, notional=D(99999), clock_offset_ms=9000.0), LIMITS)
    assert [row.reason for row in found] == ["CLOCK_OFFSET", "CAPITAL", "SYMBOL_EXPOSURE", "TOTAL_EXPOSURE"]
    assert "0.03 × 10000.00 = 300.00 USD, was 33333.00 USD" in found[1].arithmetic
