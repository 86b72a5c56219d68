"""Every cent is accounted for in both position modes, whatever orders, amendments, stops, funding and liquidations come.

The one-way account on a synthetic market is in test_exchange_money; here the market is a random walk with bids and asks thin
enough for partial fills, small accounts are liquidated, and everything is rebuilt from what the account was told.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.simulation.exchange.account import to_cents
from models.simulation.exchange.engine import Exchange
from models.simulation.exchange.orders import Amendment, OrderRequest, Rejection
from models.simulation.exchange.stops import PARTS, WHOLE
from tests.simulation.scripted import ScriptedMarket

D = Decimal
NS = 1_000_000
STEP_MS = 100
REFUSALS = (
    10001, 34040, 110001, 110007, 110009, 110012, 110017, 110020, 110024, 110025, 110028, 110043, 110061, 110064, 110090, 110092,
    110093, 110094,
)  # fmt: skip
KINDS = (
    "Market", "Limit", "PostOnly", "IOC", "FOK", "Reduce", "Conditional", "WithStops", "WithParts", "Cancel", "Amend", "Trailing",
    "Parts", "Leverage", "Mode",
)  # fmt: skip

Action = tuple[str, int, int, int, int, int]
actions = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from([1, -1]),
        st.integers(1, 4000),  # lots
        st.integers(-40, 40),  # ticks from the last price
        st.integers(0, 5),  # steps of time until the next action
        st.integers(1, 2),  # position index in hedge mode
    ),
    min_size=1,
    max_size=15,
)


def random_market(seed: int) -> ScriptedMarket:
    generator = np.random.default_rng(seed)
    walk = 1000 + np.cumsum(generator.integers(-15, 16, 130))
    prices = {k * STEP_MS: str(D(int(max(p, 300))) / 10) for k, p in enumerate(walk)}
    settlements = {k * STEP_MS: f"{generator.normal(0, 0.002):.6f}" for k in range(7, 130, 11)}
    return ScriptedMarket(prices, depth="0.7", settlements=settlements, mark_shift="0.05")


def order_of(venue: Exchange, action: Action, last: Decimal) -> OrderRequest | None:
    """Order an action stands for; None where it is something else."""
    kind, side, lots, distance, _, index = action
    terms: dict[str, object] = {"position_idx": index if "BTCUSDT" in venue.hedged else 0}
    if kind in ("WithStops", "WithParts"):
        far, near = last - side * D(6), last + side * D("4.5")
        terms |= {
            "stop_loss": far,
            "take_profit": near,
            "tpsl_mode": "Full" if kind == "WithStops" else "Partial",
        }
    elif kind == "Conditional":
        terms |= {"trigger_price": last + D(distance) / 10, "trigger_direction": 1 if distance > 0 else 2}
    elif kind in ("IOC", "FOK", "PostOnly"):
        terms["time_in_force"] = kind
    elif kind == "Reduce":
        terms["reduce_only"] = True
    elif kind not in ("Market", "Limit"):
        return None
    limited = kind in ("Limit", "PostOnly", "IOC", "FOK", "Conditional")
    price = last + D(distance) / 10 if limited else None
    return OrderRequest("BTCUSDT", side, "Limit" if limited else "Market", D(lots) / 1000, price, **terms)  # type: ignore[arg-type]


def perform(venue: Exchange, action: Action) -> None:
    kind, _, lots, distance, _, index = action
    last = venue.market.last_price("BTCUSDT", venue.now_ms)
    assert last is not None
    request = order_of(venue, action, last)
    first = next(iter(venue.open_orders()), None)
    idx = index if "BTCUSDT" in venue.hedged else 0
    stops = OrderRequest("BTCUSDT", 0, "Market", D(lots) / 1000, position_idx=idx)
    if request is not None:
        venue.create(request)
    elif kind == "Cancel" and first is not None:
        venue.cancel("BTCUSDT", first.order_id)
    elif kind == "Amend" and first is not None:
        price = last + D(distance) / 10 if first.request.price is not None else None
        venue.amend("BTCUSDT", Amendment(qty=D(lots) / 1000, price=price), first.order_id)
    elif kind == "Trailing":
        venue.set_stops("BTCUSDT", replace(stops, trailing=abs(D(distance)) / 10))
    elif kind == "Parts":
        stop = last - venue.position("BTCUSDT", idx).side * D(3)
        venue.set_stops("BTCUSDT", replace(stops, stop_loss=stop, tpsl_mode="Partial"))
    elif kind == "Leverage":
        venue.set_leverage("BTCUSDT", D(1 + lots % 100))
    elif kind == "Mode":
        venue.switch_mode(["BTCUSDT"], hedged="BTCUSDT" not in venue.hedged)


def play(seed: int, equity: int, flow: list[Action]) -> Exchange:
    venue = Exchange(random_market(seed), D(equity), 0)
    for action in flow:
        try:
            perform(venue, action)
        except Rejection as rejection:
            if rejection.code not in REFUSALS:
                raise
        check(venue, equity)
        venue.advance(venue.now_ns + action[4] * STEP_MS * NS)
        check(venue, equity)
    return venue


def check(venue: Exchange, equity: int) -> None:
    account = venue.account
    check_wallet(venue, equity)
    for order in venue.orders.values():
        fills = [fill for fill in venue.executions if fill.order_id == order.order_id]
        assert order.filled_qty == sum((fill.qty for fill in fills), D(0))
        assert order.fee_usd == sum((fill.fee_usd for fill in fills), D(0))
        assert 0 <= order.filled_qty <= order.qty
        assert (order.filled_qty == order.qty) == (order.status.value == "Filled") or order.qty == 0
    for order in venue.open_orders():
        assert order.remaining > 0 or order.is_waiting
        if order.stop_order_type in WHOLE + PARTS and order.is_waiting:
            position = venue.position("BTCUSDT", order.request.position_idx)
            assert position.side == -order.request.side
            assert order.stop_order_type in PARTS or order.qty == abs(position.qty)
    assert account.position("BTCUSDT", 1).qty >= 0
    assert account.position("BTCUSDT", 2).qty <= 0


def check_wallet(venue: Exchange, equity: int) -> None:
    """Rebuild wallet and positions from the executions alone."""
    account = venue.account
    cash, bought = D(equity), {0: D(0), 1: D(0), 2: D(0)}
    change = D(0)
    for fill in venue.executions:
        if fill.kind != "Funding":
            bought[fill.position_idx] += fill.side * fill.qty
            cash -= fill.side * fill.value_usd
        cash -= fill.fee_usd
        change += fill.pnl_usd - fill.fee_usd
        assert fill.cash_usd == equity + change
    positions = account.of_symbol("BTCUSDT")
    assert [position.qty for position in positions] == [bought[index] for index in range(3)]
    assert account.wallet_usd == equity + account.realised_usd - account.fees_usd + account.funding_usd
    assert account.wallet_usd == cash + sum((p.side * p.cost_usd for p in positions), D(0))
    closed = sum((record.pnl_usd for record in venue.closed.values()), D(0))
    open_fees = sum((position.open_fees_usd for position in positions), D(0))
    assert account.realised_usd - account.fees_usd == closed - open_fees
    assert sum((p.realised_usd for p in positions), D(0)) == account.wallet_usd - equity
    if account.wallet_usd < 0:
        assert any(position.qty for position in positions)


@settings(max_examples=250, deadline=None)
@given(st.integers(0, 50), st.sampled_from([30, 300, 20_000]), actions)
def test_wallet_orders_and_positions_are_what_the_executions_say(
    seed: int, equity: int, flow: list[Action]
) -> None:
    play(seed, equity, flow)


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 50), st.sampled_from([30, 20_000]), actions)
def test_what_the_account_was_told_is_its_state(seed: int, equity: int, flow: list[Action]) -> None:
    venue = play(seed, equity, flow)
    messages = venue.log.after(0)
    assert [message.sequence for message in messages] == list(range(1, venue.log.sequence + 1))
    assert all(a.at_ns <= b.at_ns for a, b in pairwise(messages))
    orders = {o.order_id: o for m in messages if m.topic == "order" for o in m.records}  # type: ignore[union-attr]
    for order_id, order in venue.orders.items():
        told = orders[order_id]
        assert (told.status, told.filled_qty, told.fee_usd) == (order.status, order.filled_qty, order.fee_usd)  # type: ignore[union-attr]
    told_fills = [fill for m in messages if m.topic == "execution" for fill in m.records]
    assert told_fills == venue.executions
    positions = {v.position.index: v.position for m in messages if m.topic == "position" for v in m.records}  # type: ignore[union-attr]
    for index, position in positions.items():
        assert position.qty == venue.position("BTCUSDT", index).qty
        assert position.realised_usd == venue.position("BTCUSDT", index).realised_usd
    wallets = [m.records[0].wallet_usd for m in messages if m.topic == "wallet"]  # type: ignore[union-attr]
    if wallets:
        assert wallets[-1] == venue.account.wallet_usd


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 50), st.sampled_from([30, 300, 20_000]), actions)
def test_the_same_requests_give_the_same_account(seed: int, equity: int, flow: list[Action]) -> None:
    once, again = play(seed, equity, flow), play(seed, equity, flow)
    assert once.executions == again.executions
    assert list(once.orders) == list(again.orders)
    assert once.account == again.account


def test_random_flows_reach_liquidation_and_partial_fills() -> None:
    """Guards the properties above against proving nothing."""
    generator = np.random.default_rng(3)
    kinds, statuses = set(), set()
    for seed in range(40):
        flow = [
            (
                KINDS[int(generator.integers(len(KINDS)))], int(generator.choice((1, -1))), int(generator.integers(1, 4000)),
                int(generator.integers(-40, 41)), int(generator.integers(0, 6)), int(generator.integers(1, 3)),
            )
            for _ in range(40)
        ]  # fmt: skip
        venue = play(seed, 30, flow)
        kinds |= {fill.kind for fill in venue.executions}
        statuses |= {message.records[0].status for message in venue.log.after(0) if message.topic == "order"}  # type: ignore[union-attr]
    assert kinds == {"Trade", "Funding", "BustTrade"}
    assert {str(status) for status in statuses} >= {
        "New", "PartiallyFilled", "Filled", "Cancelled", "Untriggered", "Triggered", "Deactivated",
    }  # fmt: skip


def test_cents_are_rounded_half_up() -> None:
    assert to_cents(D("0.000000005")) == D("0.00000001")
