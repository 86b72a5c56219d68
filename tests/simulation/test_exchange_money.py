"""Every cent is accounted for, however orders, funding and time come."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hean_live.local_testnet.markets.synthetic import SyntheticMarket
from models.simulation.exchange.account import Position
from models.simulation.exchange.engine import Exchange
from models.simulation.exchange.orders import OrderRequest, Rejection
from tests.simulation.scripted import ScriptedMarket

D = Decimal
NS = 1_000_000
START_MS = 1_735_689_600_000
DAY_MS = 86_400_000
HOUR_MS = 3_600_000


@cache
def market() -> SyntheticMarket:
    return SyntheticMarket(("BTCUSDT", "WIFUSDT"), seed=3, start_ms=START_MS, days=6)


def test_funding_is_paid_at_the_mark_on_what_is_held() -> None:
    venue = Exchange(
        ScriptedMarket({0: "100.00"}, settlements={50: "0.0003", 90: "-0.0002"}, mark_shift="1"), D(1000), 0
    )
    venue.create(OrderRequest("BTCUSDT", 1, "Market", D(2), time_in_force="IOC"))
    venue.advance(60 * NS)
    paid = venue.executions[-1]
    assert (paid.kind, paid.at_ns, paid.price, paid.qty) == ("Funding", 50 * NS, D("101.00"), 2)
    assert paid.fee_usd == D("101.00") * 2 * D("0.0003")  # positive rate: the long pays
    assert venue.account.funding_usd == -paid.fee_usd
    venue.create(OrderRequest("BTCUSDT", -1, "Market", D(5), time_in_force="IOC"))
    venue.advance(200 * NS)
    assert venue.executions[-1].fee_usd == D("101.00") * 3 * D("0.0002")  # negative rate: the short pays
    assert len([fill for fill in venue.executions if fill.kind == "Funding"]) == 2


def test_nothing_is_paid_when_flat() -> None:
    venue = Exchange(ScriptedMarket({0: "100.00"}, settlements={50: "0.0003"}), D(1000), 0)
    venue.create(OrderRequest("BTCUSDT", 1, "Market", D(2), time_in_force="IOC"))
    venue.create(OrderRequest("BTCUSDT", -1, "Market", D(2), time_in_force="IOC"))
    venue.advance(100 * NS)
    assert venue.account.funding_usd == 0


def test_settlement_comes_before_a_fill_of_the_same_instant() -> None:
    venue = Exchange(ScriptedMarket({0: "100.00", 50: "90.00"}, settlements={50: "0.01"}), D(1000), 0)
    venue.create(OrderRequest("BTCUSDT", 1, "Market", D(1), time_in_force="IOC"))
    venue.create(OrderRequest("BTCUSDT", 1, "Limit", D(9), D("95.00")))
    venue.advance(50 * NS)
    assert [(fill.kind, fill.qty) for fill in venue.executions[1:]] == [("Funding", 1), ("Trade", 9)]


trades = st.lists(
    st.tuples(st.sampled_from([1, -1]), st.integers(1, 5000), st.integers(1_000, 2_000_000)),
    min_size=1,
    max_size=30,
)


@given(trades)
def test_position_realises_exactly_what_was_sold_less_what_was_bought(
    flow: list[tuple[int, int, int]],
) -> None:
    position = Position("BTCUSDT")
    cash = realised = D(0)
    for side, qty_steps, price_ticks in flow:
        qty, price = D(qty_steps) / 1000, D(price_ticks) / 10
        realised += position.trade(side, qty, price)[0]
        cash -= side * qty * price
        assert position.cost_usd >= 0
        assert realised - position.side * position.cost_usd == cash
    if position.qty:
        price = D("77.7")
        realised += position.trade(-position.side, abs(position.qty), price)[0]
    assert (position.qty, position.cost_usd) == (0, 0)


actions = st.lists(
    st.tuples(
        st.sampled_from(["BTCUSDT", "WIFUSDT"]),
        st.sampled_from([1, -1]),
        st.sampled_from(["Market", "Limit", "PostOnly", "Reduce", "Stop", "Cancel"]),
        st.integers(1, 40),
        st.integers(-30, 30),  # limit price, bp from the last
        st.integers(1, 9 * HOUR_MS),  # time until the next action
    ),
    min_size=1,
    max_size=12,
)


def act(venue: Exchange, action: tuple[str, int, str, int, int, int]) -> None:
    symbol, side, kind, size, distance, _ = action
    listing = venue.market.listing(symbol)
    last = venue.market.last_price(symbol, venue.now_ms)
    assert listing is not None
    assert last is not None
    qty = listing.qty_step * size * (1 if symbol == "BTCUSDT" else 20)
    price = (last * (1 + D(distance) / 10_000) / listing.tick_size).to_integral_value() * listing.tick_size
    requests = {
        "Market": OrderRequest(symbol, side, "Market", qty, time_in_force="IOC", stop_loss=None),
        "Limit": OrderRequest(symbol, side, "Limit", qty, price),
        "PostOnly": OrderRequest(symbol, side, "Limit", qty, price, time_in_force="PostOnly"),
        "Reduce": OrderRequest(symbol, side, "Market", qty, time_in_force="IOC", reduce_only=True),
        "Stop": OrderRequest(
            symbol, side, "Market", qty, time_in_force="IOC", stop_loss=last - side * listing.tick_size * 200
        ),
    }
    try:
        if kind == "Cancel":
            for order in venue.open_orders(symbol)[:1]:
                venue.cancel(symbol, order.order_id)
        else:
            venue.create(requests[kind])
    except Rejection as rejection:
        if rejection.code not in (110007, 110017, 110094, 10001):
            raise


def play(flow: list[tuple[str, int, str, int, int, int]], steps: int) -> Exchange:
    venue = Exchange(market(), D(5000), (START_MS + DAY_MS) * NS)
    for action in flow:
        act(venue, action)
        for _ in range(steps):
            venue.advance(venue.now_ns + action[-1] * NS // steps)
        check_books(venue)
    return venue


def check_books(venue: Exchange) -> None:
    """Rebuild wallet and positions from the executions alone."""
    bought: dict[str, Decimal] = {}
    cash = D(5000)
    for fill in venue.executions:
        if fill.kind == "Trade":
            bought[fill.symbol] = bought.get(fill.symbol, D(0)) + fill.side * fill.qty
            cash -= fill.side * fill.value_usd
        cash -= fill.fee_usd
    account = venue.account
    assert account.wallet_usd == 5000 + account.realised_usd - account.fees_usd + account.funding_usd
    for symbol, position in account.positions.items():
        assert position.qty == bought.get(symbol, D(0))
    invested = sum((p.side * p.cost_usd for p in account.positions.values()), D(0))
    assert account.wallet_usd == cash + invested
    for order in venue.open_orders():
        assert order.filled_qty <= order.qty


@settings(max_examples=100, deadline=None)
@given(actions)
def test_wallet_is_what_the_executions_say(flow: list[tuple[str, int, str, int, int, int]]) -> None:
    venue = play(flow, steps=1)
    for position in list(venue.account.positions.values()):
        for _ in range(50):
            if not position.qty:
                break
            qty = min(abs(position.qty), market().listings("linear")[position.symbol].max_market_qty)
            venue.create(
                OrderRequest(
                    position.symbol, -position.side, "Market", qty, time_in_force="IOC", reduce_only=True
                )
            )
    check_books(venue)
    held = [position for position in venue.account.positions.values() if position.qty]
    assert held == []


@settings(max_examples=60, deadline=None)
@given(actions, st.integers(2, 9))
def test_the_size_of_time_steps_does_not_matter(
    flow: list[tuple[str, int, str, int, int, int]], steps: int
) -> None:
    whole = [(*action[:-1], action[-1] // steps * steps) for action in flow]
    once, often = play(whole, 1), play(whole, steps)
    assert once.executions == often.executions
    assert once.account == often.account


def test_ids_are_the_same_in_every_run() -> None:
    flow = [("BTCUSDT", 1, "Market", 10, 0, HOUR_MS), ("WIFUSDT", -1, "Limit", 10, 5, 9 * HOUR_MS)]
    first, second = play(flow, 1), play(flow, 1)
    assert list(first.orders) == list(second.orders)
    assert [fill.exec_id for fill in first.executions] == [fill.exec_id for fill in second.executions]
    assert len({fill.exec_id for fill in first.executions}) == len(first.executions)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "WIFUSDT"])
def test_funding_of_the_synthetic_market_is_what_its_history_says(symbol: str) -> None:
    venue = Exchange(market(), D(5000), (START_MS + DAY_MS) * NS)
    listing = market().listings("linear")[symbol]
    qty = listing.qty_step * (10 if symbol == "BTCUSDT" else 500)
    venue.create(OrderRequest(symbol, -1, "Market", qty, time_in_force="IOC"))
    venue.advance((START_MS + 4 * DAY_MS) * NS)
    times, rates = market().funding(
        symbol, START_MS + DAY_MS + 1, START_MS + 4 * DAY_MS, 1000, START_MS + 4 * DAY_MS
    )
    paid = [fill for fill in venue.executions if fill.kind == "Funding"]
    assert [fill.at_ns // NS for fill in paid] == times.tolist()
    assert [float(fill.fee_rate) for fill in paid] == rates.tolist()
    # A short receives when the rate is positive.
    assert [fill.fee_usd < 0 for fill in paid] == [rate > 0 for rate in rates]
