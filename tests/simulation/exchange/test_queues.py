"""Resting orders in a market of events, against the fill model run by itself on the same tape."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from models.market.book import apply_all, best_bid, new_book, new_books
from models.market.tape import DEPTH, END_OF_MESSAGE, EVENT, SNAPSHOT, SNAPSHOT_START, TRADE
from models.simulation.exchange.engine import Exchange
from models.simulation.exchange.orders import Amendment, OrderRequest, OrderStatus
from models.simulation.fills.parameters import POWER, FillParameters, constant_latency
from models.simulation.fills.records import FILLED, GTC, new_simulator
from models.simulation.fills.requests import send_order
from models.simulation.fills.step import step
from models.simulation.listing import Listing
from models.simulation.order_flow.generator import generate_order_flow
from models.simulation.order_flow.parameters import OrderFlowParameters
from tests.simulation.exchange.tape_market import NS, TapeMarket

D = Decimal


def hand_tape(*events: tuple[int, int, int, float, float]) -> np.ndarray:
    """Events (ms, kind, side, price, size) after a book of three levels of 5 around 100.00/100.10."""
    rows = [(0, SNAPSHOT_START, 0, 0.0, 0.0)]
    for k in range(3):
        rows += [(0, SNAPSHOT, 1, 100.0 - k / 10, 5.0), (0, SNAPSHOT, -1, 100.1 + k / 10, 5.0)]
    rows.append((0, END_OF_MESSAGE, 0, 0.0, 0.0))
    for at, kind, side, price, size in events:
        rows.append((at, kind, side, price, size))
        if kind == DEPTH:
            rows.append((at, END_OF_MESSAGE, 0, 0.0, 0.0))
    return np.array([(at * NS, at * NS, kind, side, p, s) for at, kind, side, p, s in rows], EVENT)


def exchange(*events: tuple[int, int, int, float, float]) -> Exchange:
    return Exchange(TapeMarket(hand_tape(*events)), D(100_000), 0)


def bid(venue: Exchange, qty: str, price: str, **more: object) -> object:
    return venue.create(OrderRequest("BTCUSDT", 1, "Limit", D(qty), D(price), **more))  # type: ignore[arg-type]


def fills(venue: Exchange) -> list[tuple[int, Decimal, Decimal]]:
    return [(fill.at_ns // NS, fill.price, fill.qty) for fill in venue.executions]


def test_a_print_at_the_price_serves_the_queue_first_and_then_us_in_parts() -> None:
    venue = exchange((10, TRADE, -1, 100.0, 4.0), (20, TRADE, -1, 100.0, 2.5), (30, TRADE, -1, 100.0, 9.0))
    order = bid(venue, "3", "100.00")
    venue.advance(15 * NS)
    assert fills(venue) == []  # 5 were ahead, 4 have traded
    venue.advance(25 * NS)
    assert fills(venue) == [(20, D("100.00"), D("1.5"))]
    assert (order.status, order.remaining) == (OrderStatus.PARTIALLY_FILLED, D("1.5"))
    venue.advance(40 * NS)
    assert fills(venue)[1:] == [(30, D("100.00"), D("1.5"))]
    assert order.status is OrderStatus.FILLED
    assert all(fill.is_maker for fill in venue.executions)


def test_a_print_through_the_price_fills_the_rest() -> None:
    venue = exchange((10, TRADE, -1, 99.9, 0.001))
    order = bid(venue, "3", "100.00")
    venue.advance(10 * NS)
    assert (order.status, fills(venue)) == (OrderStatus.FILLED, [(10, D("100.00"), D(3))])


def test_an_ask_that_comes_down_to_the_price_fills_it() -> None:
    venue = exchange((10, DEPTH, -1, 100.0, 7.0))
    order = bid(venue, "3", "100.00")
    venue.advance(10 * NS)
    assert order.status is OrderStatus.FILLED


def test_what_leaves_the_level_moves_us_forward_by_chance() -> None:
    # 5 ahead of us and 5 come behind; 6 of the 10 leave: with n = 2 and equal halves the chance is one half.
    venue = exchange((10, DEPTH, 1, 100.0, 10.0), (20, DEPTH, 1, 100.0, 4.0), (30, TRADE, -1, 100.0, 3.0))
    bid(venue, "3", "100.00")
    venue.advance(30 * NS)
    assert fills(venue) == [(30, D("100.00"), D(1))]  # 2 were left ahead


def test_an_amendment_of_the_price_or_a_larger_quantity_goes_to_the_end_of_the_queue() -> None:
    prints = (20, TRADE, -1, 100.0, 6.0)
    smaller, larger = (
        exchange((5, TRADE, -1, 100.0, 4.0), prints),
        exchange((5, TRADE, -1, 100.0, 4.0), prints),
    )
    for venue, qty in ((smaller, "2"), (larger, "4")):
        order = bid(venue, "3", "100.00")
        venue.advance(10 * NS)
        venue.amend("BTCUSDT", Amendment(qty=D(qty)), order.order_id)
        venue.advance(20 * NS)
    assert fills(smaller) == [(20, D("100.00"), D(2))]  # one was left ahead
    assert fills(larger) == [(20, D("100.00"), D(1))]  # behind 5 again


def test_a_cancelled_order_leaves_the_queue() -> None:
    venue = exchange((20, TRADE, -1, 99.8, 6.0))
    first, second = bid(venue, "1", "100.00"), bid(venue, "2", "100.00")
    venue.advance(10 * NS)
    venue.cancel("BTCUSDT", first.order_id)
    venue.advance(20 * NS)
    assert (first.filled_qty, second.filled_qty) == (0, 2)


def test_own_orders_stand_behind_each_other() -> None:
    venue = exchange((20, TRADE, -1, 100.0, 6.5))
    first, second = bid(venue, "1", "100.00"), bid(venue, "2", "100.00")
    venue.advance(20 * NS)
    assert (first.filled_qty, second.filled_qty) == (1, D("0.5"))


PARAMETERS = OrderFlowParameters(tick_size=0.1, lot_size=0.001)


@pytest.mark.parametrize("seed", [1, 2])
def test_fills_are_those_of_the_fill_model_on_a_synthetic_tape(seed: int) -> None:
    tape = generate_order_flow(PARAMETERS, seed, 120.0).events
    tape = tape[np.argsort(tape["exch_ts"], kind="stable")]
    tape["local_ts"] = tape["exch_ts"]  # the venue sees its own time only
    venue = Exchange(TapeMarket(tape), D(10_000_000), PARAMETERS.start_ns)
    at_ns = PARAMETERS.start_ns + 5_000 * NS
    venue.advance(at_ns)
    record = venue.market.record(at_ns // NS)  # type: ignore[attr-defined]
    ticks = [int(best_bid(record)) - k for k in (0, 1, 2, 4)]

    p = constant_latency(FillParameters(tick_size=0.1, lot_size=0.001, queue_model=POWER), 0.0, 0.0)
    sim, book = new_simulator(p, 1e9), new_book(0.1)
    started = False
    for row in tape:
        if not started and row["exch_ts"] > at_ns:
            started = True
            for number, tick in enumerate(ticks):
                send_order(sim, p, at_ns, number, 1, tick, 0.5, GTC, 0)
        step(sim, p, book, row)
    wanted = [
        (int(r["exch_ns"]), int(r["tick"]), round(float(r["quantity"]), 3))
        for r in sim.reports[: int(sim.account["reports_sent"][0])]
        if r["kind"] == FILLED
    ]
    assert wanted
    assert sim.account["overflowed"][0] == 0

    for tick in ticks:
        bid(venue, "0.5", str(D(tick) / 10))
    steps = np.random.default_rng(seed).integers(1, 3_000, 40)
    for length in steps:
        venue.advance(venue.now_ns + int(length) * NS)
    venue.advance(PARAMETERS.start_ns + 120_000 * NS)
    got = [(fill.at_ns, int(fill.price * 10), float(fill.qty)) for fill in venue.executions]
    assert got == wanted


def test_two_symbols_are_filled_in_the_order_of_time() -> None:
    class TwoSymbols(TapeMarket):
        def listing(self, symbol: str) -> Listing | None:
            listing = super().listing("BTCUSDT")
            return None if listing is None else replace(listing, symbol=symbol)

        def events(self, symbol: str, after_ns: int, until_ns: int) -> np.ndarray:
            moved = self.tape.copy()
            if symbol == "B":
                moved["exch_ts"] -= np.where(moved["kind"] == TRADE, 5 * NS, 0)
            return moved[(moved["exch_ts"] > after_ns) & (moved["exch_ts"] <= until_ns)]

    market = TwoSymbols(hand_tape((20, TRADE, -1, 99.9, 1.0)))
    venue = Exchange(market, D(100_000), 0)
    for symbol in ("BTCUSDT", "B"):
        venue.create(OrderRequest(symbol, 1, "Limit", D(1), D("100.00")))
    venue.advance(30 * NS)
    assert [(fill.symbol, fill.at_ns // NS) for fill in venue.executions] == [("B", 15), ("BTCUSDT", 20)]


def test_the_book_of_a_tape_is_what_the_market_says() -> None:
    market = TapeMarket(hand_tape())
    book = market.book("BTCUSDT", 0)
    record = new_books([0.1])[0]
    apply_all(record, market.events("", -1, 0))
    assert book is not None
    assert (book.bids[0], book.asks[0]) == ((D("100.0"), D(5)), (D("100.1"), D(5)))
    assert best_bid(record) == 1000


def test_an_order_after_a_pause_meets_nothing_of_what_came_before_it() -> None:
    venue = exchange((20, TRADE, -1, 99.9, 50.0), (30, DEPTH, 1, 100.0, 5.0), (40, TRADE, -1, 100.0, 6.0))
    first = bid(venue, "1", "99.00")
    venue.advance(5 * NS)
    venue.cancel("BTCUSDT", first.order_id)
    venue.advance(35 * NS)
    order = bid(venue, "3", "100.00")
    venue.advance(39 * NS)
    assert fills(venue) == []
    venue.advance(40 * NS)
    assert fills(venue) == [(40, D("100.00"), D(1))]  # 5 were ahead, 6 traded
    assert order.status is OrderStatus.PARTIALLY_FILLED
