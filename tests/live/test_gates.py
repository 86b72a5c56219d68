"""Every gate blocks with its own reason and arithmetic, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from hean_live.app.gates import judge, stop_price
from hean_live.app.policy import PolicyView
from hean_live.app.snapshot import MatrixCell, ModelView
from hean_live.app.state import Campaign
from models.execution.market_gates import PriceHistory, remember_price
from models.execution.sight import MarketSight
from models.portfolio.limits import Breach
from tests.live.factories import INSTRUMENT, MODEL, NS, RULES, START, SYMBOL, books, quote, signal, snapshot

GATES = RULES.gates


def verdict(now_ns=START, **changes):
    return judge(signal(), snapshot(now_ns, **changes), GATES)


def falling_btc():
    """Sixteen minutes of BTC at 100 000, and 2 % less in the last."""
    found = PriceHistory()
    for minute in range(-16, 1):
        price = 98_000.0 if minute == 0 else 100_000.0
        found = remember_price(found, START + minute * 60 * NS, price, GATES.crash)
    return found


def test_a_fine_signal_begins_a_campaign():
    campaign = verdict()
    assert isinstance(campaign, Campaign)
    assert campaign.qty == D("9.00")  # 10 000 × 3 % × 3 at 99.9, in steps of 0.01
    assert campaign.stop_price == D("101.8")  # 99.9 × 1.02 = 101.898, rounded to the smaller loss


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"halts": {"KILL_SWITCH": "equity fell"}}, "KILL_SWITCH", "equity fell"),
        ({"halts": {"DRY_RUN": "orders are off"}}, "DRY_RUN", "off"),
        ({"instruments": {}}, "NOT_LISTED", SYMBOL),
        ({"books": books(foreign={SYMBOL: "open orders of another origin"})}, "FOREIGN", "another origin"),
        ({"policy": PolicyView(vetoes={"funding_pressure": "fees went up"})}, "VETOED", "fees went up"),
        ({"books": None}, "NO_QUOTE", SYMBOL),
        ({"quotes": {}}, "NO_QUOTE", SYMBOL),
        ({"model": replace(MODEL, refusals=(("EXPIRED", "good until yesterday"),))}, "EXPIRED", "yesterday"),
        (
            {"model": replace(MODEL, evidence_passed=False, evidence_words="E1 failed")},
            "EVIDENCE",
            "E1 failed",
        ),
        ({"model": ModelView()}, "EVIDENCE", "no bundle"),
        ({"books": books(equity="5")}, "SIZER_ZERO", "minimum quantity"),
        ({"books": books(equity="0")}, "NO_EQUITY", "0 USD"),
        ({"clock_offset_ms": 900.0}, "CLOCK_OFFSET", "+900 ms"),
        ({"tickers_at_ns": START - 61 * NS}, "STALE_TICKER", "61 s"),
        ({"quotes": {SYMBOL: quote(at_ns=START - 61 * NS)}}, "STALE_TICKER", "61 s"),
        ({"books": books(net="-7")}, "SYMBOL_EXPOSURE", "was 1599.10 USD"),
    ],
)
def test_each_reason(changes, reason, words):
    found = verdict(**changes)
    assert isinstance(found, Breach)
    assert found.reason == reason
    assert words in found.arithmetic


def test_a_forecast_too_old():
    found = verdict(START + 901 * NS)
    assert isinstance(found, Breach)
    assert found.reason == "STALE_FORECAST"


@pytest.mark.parametrize(
    ("cell", "blocks"),
    [
        (MatrixCell(30, -0.4, 0.049), True),
        (MatrixCell(30, -0.4, 0.05), False),
        (MatrixCell(29, -0.4, 0.01), False),
    ],
)
def test_the_matrix_blocks_only_what_it_is_sure_of(cell, blocks):
    found = verdict(matrix={("S1", "RANGE"): cell})
    assert isinstance(found, Breach) == blocks
    if blocks:
        assert found.reason == "MATRIX_NEGATIVE"
        assert "30 trades" in found.arithmetic


def test_another_regime_of_the_matrix_does_not_matter():
    assert isinstance(verdict(matrix={("S1", "IMPULSE_MARKUP"): MatrixCell(99, -1.0, 0.0)}), Campaign)


def test_stops_round_to_the_smaller_loss():
    assert stop_price(D(100), 1, D("0.0205"), D("0.1")) == D("98.0")
    assert stop_price(D(100), -1, D("0.0205"), D("0.1")) == D("102.0")


@pytest.mark.parametrize(("symbol", "side", "blocks"), [("ETHUSDT", 1, True), ("ETHUSDT", -1, False)])
def test_a_crash_of_btc_blocks_long_alts(symbol, side, blocks):
    listed = {
        "instruments": {symbol: replace(INSTRUMENT, symbol=symbol)},
        "quotes": {symbol: quote(at_ns=START)},
    }
    found = judge(signal(side, symbol=symbol), snapshot(**listed), GATES, falling_btc())
    assert isinstance(found, Breach) == blocks
    if blocks:
        assert found.reason == "BTC_CRASH"
        assert "98000 / 100000 - 1 = -2.00%" in found.arithmetic


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"book_valid": False}, "BOOK_INVALID"),
        ({"book_at_ns": START - 11 * NS}, "STALE_BOOK"),
        ({"open_interest_at_ns": START - 301 * NS}, "STALE_OPEN_INTEREST"),
    ],
)
def test_a_stale_book_or_open_interest(changes, reason):
    sight = replace(MarketSight(START, True, START), **changes)
    found = judge(signal(), snapshot(), GATES, sight=sight)
    assert isinstance(found, Campaign) if not reason else found.reason == reason


def test_gates_answer_in_their_order():
    """Model before market before size: a signal that breaks all is told the first."""
    stale = MarketSight(START - 60 * NS, True, START)
    refused = replace(MODEL, evidence_passed=False, evidence_words="E1 failed")
    poor = books(equity="5")
    order = ["KILL_SWITCH", "EVIDENCE", "STALE_BOOK", "SIZER_ZERO"]
    broken = {"halts": {"KILL_SWITCH": "x"}, "model": refused, "sight": stale, "books": poor}
    for reason, key in zip(order, list(broken), strict=True):
        sight = broken.get("sight")
        rest = {name: value for name, value in broken.items() if name != "sight"}
        assert judge(signal(), snapshot(**rest), GATES, sight=sight).reason == reason
        del broken[key]
