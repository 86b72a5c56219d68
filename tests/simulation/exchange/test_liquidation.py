"""When an account is liquidated, at what price, and what is left of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.simulation.exchange import margins
from models.simulation.exchange.desk import TAKER_FEE
from models.simulation.exchange.orders import OrderStatus
from tests.simulation.exchange.support import NS, D, at_limit, at_market, code_of, exchange
from tests.simulation.scripted import ScriptedMarket
from tests.support import shared_path

LISTING = ScriptedMarket({0: "1"}).listing("BTCUSDT")


def test_the_first_tier_is_the_recorded_one() -> None:
    path = shared_path("fixtures/bybit/hirokisan/v5-market-get-risk-limit.json")
    recorded = json.loads(path.read_text())["list"][0]
    tier = margins.tiers(D(100))[0]
    assert tier.limit_usd == D(recorded["riskLimitValue"])
    assert (tier.maintenance, tier.initial) == (
        D(recorded["maintenanceMargin"]),
        D(recorded["initialMargin"]),
    )
    assert tier.max_leverage == D(recorded["maxLeverage"])


@given(st.integers(1, 60_000_000), st.sampled_from([25, 50, 100]))
def test_maintenance_is_continuous_and_the_largest_of_the_tiers_lines(value: int, leverage: int) -> None:
    ladder = margins.tiers(D(leverage))
    lines = [D(value) * tier.maintenance - tier.deduction_usd for tier in ladder]
    tier = next((tier for tier in ladder if value <= tier.limit_usd), ladder[-1])
    assert D(value) * tier.maintenance - tier.deduction_usd == max(lines)


@pytest.mark.parametrize("side", [1, -1])
def test_the_position_is_taken_over_once_the_mark_reaches_its_liquidation_price(side: int) -> None:
    prices = {0: "100.00"} | {k: str(D(100) - side * k * D("0.1")) for k in range(1, 200)}
    venue = exchange(prices, equity="100")
    venue.set_leverage("BTCUSDT", D(50))
    venue.create(at_market(side, "10"))
    view = venue.position_view("BTCUSDT")
    assert view.liquidation_price is not None
    resting = venue.create(at_limit(side, "1", "50.00" if side > 0 else "150.00"))
    venue.advance(199 * NS)
    bust = venue.executions[-1]
    assert bust.kind == "BustTrade"
    assert bust.at_ns // NS == abs(D(100) - view.liquidation_price) / D("0.1")
    # Closed form: what is left of the wallet, fee included, is nothing at the bankruptcy price, to the tick.
    entry = venue.executions[0]
    wallet = 100 - entry.fee_usd
    exact = (entry.price - side * wallet / 10) / (1 - side * TAKER_FEE)
    assert abs(bust.price - exact) <= D("0.1")
    assert 0 <= venue.account.wallet_usd <= D("0.1") * 10
    assert (resting.status, resting.cancel_type) == (OrderStatus.CANCELLED, "CancelAllBeforeLiq")
    assert venue.orders[bust.order_id].create_type == "CreateByTakeOver_PassThrough"
    assert venue.position("BTCUSDT").qty == 0


def test_equity_at_the_liquidation_price_is_the_maintenance_margin() -> None:
    venue = exchange(equity="100")
    venue.set_leverage("BTCUSDT", D(50))
    venue.create(at_market(1, "10"))
    price = venue.position_view("BTCUSDT").liquidation_price
    assert price is not None
    position = venue.position("BTCUSDT")
    equity = venue.account.wallet_usd + position.unrealised_usd(price)
    assert abs(equity - margins.maintenance_usd(LISTING, price * 10)) <= D("0.1") * 10


def test_a_position_that_the_wallet_covers_has_no_liquidation_price() -> None:
    venue = exchange(equity="100000")
    venue.create(at_market(1, "10"))
    assert venue.position_view("BTCUSDT").liquidation_price is None


def test_a_gap_beyond_bankruptcy_costs_the_venue_and_not_more_than_the_wallet() -> None:
    venue = exchange({0: "100.00", 10: "60.00"}, equity="100")
    venue.set_leverage("BTCUSDT", D(50))
    venue.create(at_market(1, "10"))
    venue.advance(10 * NS)
    assert venue.position("BTCUSDT").qty == 0
    assert venue.executions[-1].price > D("60.00")
    assert 0 <= venue.account.wallet_usd < 1


def test_both_sides_of_a_hedge_are_taken_over_as_long_as_margin_is_missing() -> None:
    venue = exchange({0: "100.00", 10: "91.00"}, equity="100")
    venue.switch_mode(["BTCUSDT"], hedged=True)
    venue.set_leverage("BTCUSDT", D(50))
    venue.create(at_market(1, "12", position_idx=1))
    venue.create(at_market(-1, "1", position_idx=2))
    venue.advance(10 * NS)
    assert venue.position("BTCUSDT", 1).qty == 0
    assert venue.account.wallet_usd + venue.unrealised_usd() >= 0
    assert venue.executions[2].position_idx == 1


def test_the_account_is_told_in_order() -> None:
    venue = exchange({0: "100.00", 10: "60.00"}, equity="100")
    venue.set_leverage("BTCUSDT", D(50))
    venue.create(at_market(1, "10"))
    venue.create(at_limit(1, "1", "50.00"))
    before = venue.log.sequence
    venue.advance(10 * NS)
    messages = venue.log.after(before)
    assert [message.topic for message in messages] == [
        "order", "position", "wallet", "position", "order", "execution", "position", "wallet",
    ]  # fmt: skip
    assert [m.records[0].status for m in messages if m.topic == "position"] == ["Normal", "Liq", "Normal"]


def test_leverage_and_size_are_held_within_the_risk_tiers() -> None:
    venue = exchange(equity="10000000", depth="100000")
    venue.set_leverage("BTCUSDT", D(100))
    assert code_of(lambda: venue.create(at_limit(1, "20001", "99.90"))) in (10001, 110090)
    for _ in range(40):
        venue.create(at_market(1, "499"))  # 2 000 000 USD is the first tier's limit
    assert code_of(lambda: venue.create(at_market(1, "499"))) == 110090
    assert venue.position_view("BTCUSDT").tier.number == 1
    venue.set_leverage("BTCUSDT", D(50))
    venue.create(at_market(1, "499"))
    assert venue.position_view("BTCUSDT").tier.number == 2
    assert code_of(lambda: venue.set_leverage("BTCUSDT", D(100))) == 110013


def test_less_leverage_needs_the_margin_for_it() -> None:
    venue = exchange(equity="100")
    venue.create(at_market(1, "9"))
    assert code_of(lambda: venue.set_leverage("BTCUSDT", D(5))) == 110012
