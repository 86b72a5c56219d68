"""Layered quotes: prices on ticks that never cross, sizes the venue takes, never more than wanted; pulls."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given

from models.errors import ConfigError
from models.execution.quotes import LAYERED, Layer, Quote, QuoteParams, plan_quotes
from models.execution.sight import MarketSight
from tests.execution.situations import NOW, NS, instrument, layerings, situation, situations

PARAMS = QuoteParams(LAYERED)
SIGHT = MarketSight(NOW, True, NOW, spread_bps=2.0, median_spread_bps=1.0, vpin_rank=0.5)


def test_a_buyer_quotes_at_the_touch_one_and_three_ticks_behind():
    plan = plan_quotes(situation("1.00"), PARAMS)
    assert plan.quotes == (
        Quote(D("99.9"), D("0.50")),
        Quote(D("99.8"), D("0.30")),
        Quote(D("99.6"), D("0.20")),
    )
    assert (plan.pulled, plan.merges) == (None, ())


def test_a_seller_quotes_above():
    prices = [quote.price for quote in plan_quotes(situation(side=-1), PARAMS).quotes]
    assert prices == [D("100.1"), D("100.2"), D("100.4")]


def test_what_rounding_leaves_goes_to_the_touch():
    sizes = [quote.qty for quote in plan_quotes(situation("0.99"), PARAMS).quotes]
    assert sizes == [D("0.51"), D("0.29"), D("0.19")]


def test_a_layer_below_the_minimum_is_merged_with_its_arithmetic():
    plan = plan_quotes(situation("0.20"), PARAMS)  # 0.04 × 99.6 = 3.98 USD, below 5
    assert plan.quotes == (Quote(D("99.9"), D("0.10")), Quote(D("99.8"), D("0.10")))
    assert plan.merges == (
        "layer 2: 0.04 × 99.6 = 3.984 USD, less than 0.01 units or 5 USD, merged into layer 1",
    )


def test_a_touch_too_small_is_merged_into_the_layer_behind():
    params = QuoteParams((Layer(0, D("0.1")), Layer(1, D("0.9"))))
    plan = plan_quotes(situation("0.30"), params)
    assert plan.quotes == (Quote(D("99.8"), D("0.30")),)


def test_too_small_for_any_layer():
    plan = plan_quotes(situation("0.04"), PARAMS)
    assert plan.quotes == ()
    assert plan.pulled is not None
    assert plan.pulled.reason == "TOO_SMALL"
    assert "0.04 × 99.9 = 3.996 USD" in plan.pulled.arithmetic


@pytest.mark.parametrize(
    ("changes", "reason", "words"),
    [
        ({"bid": D("100.1")}, "BOOK_INVALID", "100.1 and 100.1"),
        ({"bid": D(0)}, "BOOK_INVALID", "was 0"),
        ({"book_at_ns": NOW - 16 * NS}, "STALE_BOOK", "at most 15 s old, was 16.0 s"),
        ({"sight": replace(SIGHT, book_at_ns=NOW - 16 * NS)}, "STALE_BOOK", "16.0 s"),
        ({"sight": replace(SIGHT, book_valid=False)}, "BOOK_INVALID", "without gaps"),
        ({"sight": replace(SIGHT, vpin_rank=0.96)}, "TOXIC", "at most 0.95, was 0.960"),
        ({"sight": replace(SIGHT, spread_bps=3.1)}, "WIDE_SPREAD", "3 × 1.00 = 3.00 bps, was 3.10 bps"),
    ],
)
def test_quotes_are_pulled(changes, reason, words):
    plan = plan_quotes(replace(situation(), **changes), PARAMS)
    assert plan.quotes == ()
    assert plan.pulled is not None
    assert plan.pulled.reason == reason
    assert words in plan.pulled.arithmetic


@pytest.mark.parametrize(
    "sight", [None, SIGHT, MarketSight(NOW, True, NOW), replace(SIGHT, spread_bps=math.nan)]
)
def test_what_is_calm_or_unknown_does_not_pull(sight):
    assert len(plan_quotes(situation(sight=sight), PARAMS).quotes) == 3


@pytest.mark.parametrize(
    "layers",
    [
        (),
        (Layer(-1, D(1)),),
        (Layer(1, D("0.5")), Layer(1, D("0.5"))),
        (Layer(0, D("0.5")),),
        (Layer(0, D("1.5")), Layer(1, D("-0.5"))),
    ],
)
def test_layers_must_be_in_order_and_add_up(layers):
    with pytest.raises(ConfigError, match="layers: expected"):
        QuoteParams(layers)


@given(situations(), layerings())
def test_every_plan_can_be_sent(subject, params):
    plan = plan_quotes(subject, params)
    found, side = subject.instrument, subject.side
    for quote in plan.quotes:
        assert quote.price % found.tick_size == 0
        assert quote.qty % found.qty_step == 0
        assert quote.qty >= found.min_order_qty
        assert quote.qty * quote.price >= found.min_notional_usd
        assert quote.price < subject.ask if side > 0 else quote.price > subject.bid
        assert quote.price <= subject.bid if side > 0 else quote.price >= subject.ask
    total = sum(quote.qty for quote in plan.quotes)
    assert total <= subject.qty
    if plan.quotes:
        assert subject.qty - total < found.qty_step
    prices = [side * quote.price for quote in plan.quotes]
    assert prices == sorted(prices, reverse=True)
    assert len(set(prices)) == len(prices)


def test_a_touch_off_the_grid_is_rounded_away_from_the_other_side():
    plan = plan_quotes(situation(bid="99.93", ask="100.07", instrument=instrument("0.1")), QuoteParams())
    assert plan.quotes[0].price == D("99.9")
    plan = plan_quotes(situation(side=-1, bid="99.93", ask="100.07"), QuoteParams())
    assert plan.quotes[0].price == D("100.1")
