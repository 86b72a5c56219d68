"""P5 against the shared reference vectors (exact decimals) and its properties."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.portfolio.sizing import (
    Sized,
    SizeRequest,
    SizerZero,
    round_toward_zero,
    size_position,
    smallest_tradable,
)

# equity, price, stop, step, minimum quantity, quantity (None = refused), true risk, smallest lot, its risk
REFERENCE = [
    ("10000", "60000", "0.02", "0.001", "0.001", "0.083", "99.60", "0.001", "1.20"),
    ("100", "60000", "0.02", "0.001", "0.001", None, None, "0.001", "1.20"),
    ("120", "60000", "0.02", "0.001", "0.001", "0.001", "1.20", "0.001", "1.20"),
    ("1000", "0.0731", "0.015", "1", "1", "9119", "9.9989835", "69", "0.0756585"),
    ("300", "2500", "0.01", "0.01", "0.01", "0.12", "3.0000", "0.01", "0.2500"),
    ("20", "3.2", "0.06", "0.1", "0.1", None, None, "1.6", "0.3072"),
]


def request(equity="10000", price="60000", stop="0.02", step="0.001", least="0.001", **changes):
    fields = {"risk_fraction": D("0.01"), "capital_fraction": D(1), "leverage": D(100), "min_notional": D(5)}
    return SizeRequest(
        equity=D(equity),
        price=D(price),
        stop_fraction=D(stop),
        qty_step=D(step),
        min_qty=D(least),
        **{**fields, **changes},
    )


@pytest.mark.parametrize("row", REFERENCE)
def test_reference_vectors(row):
    equity, price, stop, step, least, qty, risk, smallest, smallest_risk = row
    result = size_position(request(equity, price, stop, step, least))
    assert smallest_tradable(D(price), D(step), D(least), D(5)) == D(smallest)
    if qty is None:
        assert isinstance(result, SizerZero)
        assert result.reason == "SIZER_ZERO"
        assert result.smallest_qty == D(smallest)
        assert result.smallest_risk == D(smallest_risk)
    else:
        assert isinstance(result, Sized)
        assert result.qty == D(qty)
        assert result.risk == D(risk)


def test_refusal_shows_its_arithmetic():
    result = size_position(request(equity="100"))
    assert isinstance(result, SizerZero)
    assert "risks 1.20 USD > 1.00 USD" in result.arithmetic
    assert "minimum quantity 0.001" in result.arithmetic


def test_minimum_notional_has_its_own_message():
    result = size_position(request("20", "3.2", "0.06", "0.1", "0.1"))
    assert isinstance(result, SizerZero)
    assert "minimum notional 5 USD" in result.arithmetic


def test_capital_share_binds_before_risk():
    result = size_position(request(capital_fraction=D("0.03"), leverage=D(3)))
    assert isinstance(result, Sized)
    assert (result.qty, result.bound_by) == (D("0.015"), "capital")  # 10 000 × 3 % × 3 = 900 USD
    assert result.notional == D("900.000")


def test_the_smallest_lot_may_breach_the_capital_share_alone():
    result = size_position(request(equity="300", capital_fraction=D("0.03"), leverage=D(3)))
    assert isinstance(result, SizerZero)
    assert result.smallest_risk == D("1.20")
    assert "binds 60.00 USD" in result.arithmetic


def test_kelly_caps_and_a_negative_one_refuses():
    capped = size_position(request(kelly_fraction=D("0.12")))
    assert isinstance(capped, Sized)
    assert (capped.qty, capped.bound_by) == (D("0.020"), "kelly")
    assert isinstance(size_position(request(kelly_fraction=D("-0.1"))), SizerZero)


def test_volatility_scale_shrinks():
    result = size_position(request(volatility_scale=D("0.5")))
    assert isinstance(result, Sized)
    assert result.qty == D("0.041")


@pytest.mark.parametrize(
    "change",
    [
        {"price": D(0)},
        {"stop_fraction": D(0)},
        {"qty_step": D(0)},
        {"risk_fraction": D(2)},
        {"volatility_scale": D("1.1")},
    ],
)
def test_impossible_requests_are_errors(change):
    fields = vars(request()) | change
    with pytest.raises(ValueError, match="should be"):
        size_position(SizeRequest(**fields))


amounts = st.decimals(D("0.01"), D(1_000_000), places=2)
steps = st.sampled_from([D("0.001"), D("0.01"), D("0.1"), D(1), D(10)])


@given(
    equity=amounts,
    price=st.decimals(D("0.0001"), D(200_000), places=4),
    step=steps,
    stop=st.decimals(D("0.005"), D("0.5"), places=3),
    leverage=st.decimals(D(1), D(10), places=1),
)
def test_a_size_is_a_multiple_of_the_step_and_within_every_budget(equity, price, step, stop, leverage):
    asked = SizeRequest(equity, price, stop, step, step, D(5), D("0.01"), D("0.03"), leverage)
    result = size_position(asked)
    if isinstance(result, SizerZero):
        lot_risk = result.smallest_qty * price * stop
        lot_capital = result.smallest_qty * price / leverage
        assert lot_risk > equity * D("0.01") or lot_capital > equity * D("0.03")
        return
    assert result.qty % step == 0
    assert result.qty >= step
    assert result.notional >= 5
    assert result.risk <= equity * D("0.01")
    assert result.notional / leverage <= equity * D("0.03") * (1 + D("1e-20"))


@given(qty=st.decimals(D(0), D(1_000_000), places=6), step=steps)
def test_rounding_is_idempotent_and_toward_zero(qty, step):
    once = round_toward_zero(qty, step)
    assert once <= qty
    assert qty - once < step
    assert round_toward_zero(once, step) == once
