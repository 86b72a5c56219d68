"""Peer of `benchmarks.core`: the two-sided quotes on nautilus_trader, without features; runs in an environment of its own.

    python core_nautilus.py tape.npz '{"tick_size": ...}'

The tape is hftbacktest's rows: order-book deltas, one by one as the engine's own loaders deliver them or, with "grouped", those
of a message as one `OrderBookDeltas`, which is quicker; and trades as ticks. Each line on standard input runs them once more
through a `BacktestEngine` with an L2 book; the time is that of `engine.run`, data made and sorted before. Rules as in
`models/strategies/two_sided_quotes.py`. Imports nothing of ours.
"""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal
from typing import Any

import nautilus_trader
import numpy as np
import pandas as pd
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.backtest.models import LatencyModel
from nautilus_trader.config import BacktestEngineConfig, LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas, TradeTick
from nautilus_trader.model.enums import (
    AccountType,
    AggressorSide,
    BookAction,
    BookType,
    OmsType,
    OrderSide,
    RecordFlag,
)
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TradeId, Venue
from nautilus_trader.model.instruments import CryptoPerpetual
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

SIM = Venue("SIM")
DEPTH, TRADE, CLEAR, SNAPSHOT = 1, 2, 3, 4
BUY = 1 << 29
SELL = 1 << 28


def decimals(step: float) -> int:
    """Return the decimals of a step such as 0.001."""
    return max(0, -Decimal(str(step)).normalize().as_tuple().exponent)


def make_instrument(p: dict[str, Any]) -> CryptoPerpetual:
    """Return a linear perpetual with the steps and fees of the run."""
    price, size = decimals(p["tick_size"]), decimals(p["lot_size"])
    return CryptoPerpetual(
        instrument_id=InstrumentId(Symbol("BTCUSDT"), SIM),
        raw_symbol=Symbol("BTCUSDT"),
        base_currency=BTC,
        quote_currency=USDT,
        settlement_currency=USDT,
        is_inverse=False,
        price_precision=price,
        size_precision=size,
        price_increment=Price(p["tick_size"], price),
        size_increment=Quantity(p["lot_size"], size),
        ts_event=0,
        ts_init=0,
        margin_init=Decimal("0.05"),
        margin_maint=Decimal("0.025"),
        maker_fee=Decimal(str(p["maker_fee"])),
        taker_fee=Decimal(str(p["taker_fee"])),
    )


def make_data(rows: Any, instrument: CryptoPerpetual, grouped: bool) -> list[Any]:
    """Return ticks and deltas, or groups of deltas, in the order of the tape."""
    price_digits, size_digits = instrument.price_precision, instrument.size_precision
    made: list[Any] = []
    group: list[OrderBookDelta] = []
    stamps = rows["local_ts"].tolist()
    columns = (rows["ev"].tolist(), rows["px"].tolist(), rows["qty"].tolist(), stamps, [*stamps[1:], -1])
    for number, (ev, px, qty, ts, following) in enumerate(zip(*columns, strict=True)):
        kind = ev & 0xFF
        if kind == TRADE:
            side = AggressorSide.BUYER if ev & BUY else AggressorSide.SELLER
            price, size = Price(px, price_digits), Quantity(qty, size_digits)
            made.append(TradeTick(instrument.id, price, size, side, TradeId(str(number)), ts, ts))
        elif kind == CLEAR:
            group.append(OrderBookDelta(instrument.id, BookAction.CLEAR, None, 0, number, ts, ts))
        else:
            side = OrderSide.BUY if ev & BUY else OrderSide.SELL
            order = BookOrder(side, Price(px, price_digits), Quantity(qty, size_digits), 0)
            action = BookAction.UPDATE if qty > 0.0 else BookAction.DELETE
            flags = RecordFlag.F_LAST if following != ts else 0
            group.append(OrderBookDelta(instrument.id, action, order, flags, number, ts, ts))
        if group and following != ts:
            made += [OrderBookDeltas(instrument.id, group)] if grouped else group
            group = []
    return made


class QuotesConfig(StrategyConfig, frozen=True):
    """Parameters of the quotes."""

    period_ns: int
    distance: float
    requote: float
    share: float
    capital: float


class Quotes(Strategy):
    """One order either side of the mid, looked at by a timer."""

    def __init__(self, config: QuotesConfig, instrument: CryptoPerpetual) -> None:
        super().__init__(config)
        self.instrument = instrument
        self.phase = 0
        self.sent = 0
        self.orders = 0
        self.centre = 0.0

    def on_start(self) -> None:
        """Subscribe and set the timer."""
        self.subscribe_order_book_deltas(self.instrument.id, BookType.L2_MBP)
        self.subscribe_trade_ticks(self.instrument.id)
        self.clock.set_timer("tick", pd.Timedelta(self.config.period_ns, "ns"), callback=self.on_tick)

    def on_tick(self, _event: Any) -> None:
        """Decide once."""
        book = self.cache.order_book(self.instrument.id)
        if book is None or not (book.best_bid_price() and book.best_ask_price()):
            return
        bid, ask = float(book.best_bid_price()), float(book.best_ask_price())
        if bid < ask:
            self.decide(0.5 * (bid + ask))

    def decide(self, mid: float) -> None:
        """Place a side, keep the quotes, or pull them."""
        cache, own = self.cache, self.instrument.id
        open_orders = cache.orders_open_count(instrument_id=own) + cache.orders_inflight_count(
            instrument_id=own
        )
        if self.phase == 3:
            if open_orders > 0:
                return
            self.phase = 0
        if self.phase == 2:
            if abs(mid - self.centre) >= self.config.requote * self.centre or open_orders < self.sent:
                self.cancel_all_orders(own)
                self.phase = 3
            return
        if self.phase == 0:
            self.centre, self.sent = mid, 0
        self.quote(1 if self.phase == 0 else -1)
        self.phase += 1

    def quote(self, side: int) -> None:
        """Place one order unless it would add to the position."""
        if float(self.portfolio.net_position(self.instrument.id)) * side > 0.0:
            return
        price = self.centre * (1.0 - side * self.config.distance)
        step = float(self.instrument.price_increment)
        tick = np.floor(price / step + 1e-6) if side > 0 else np.ceil(price / step - 1e-6)
        lot = float(self.instrument.size_increment)
        lots = np.floor(self.config.share * self.config.capital / price / lot + 1e-9)
        self.submit_order(
            self.order_factory.limit(
                self.instrument.id,
                OrderSide.BUY if side > 0 else OrderSide.SELL,
                self.instrument.make_qty(lots * lot),
                self.instrument.make_price(tick * step),
                post_only=True,
            )
        )
        self.sent += 1
        self.orders += 1


def run(data: list[Any], instrument: CryptoPerpetual, p: dict[str, Any]) -> dict[str, Any]:
    """Run once; the time is that of the engine's run alone."""
    engine = BacktestEngine(
        config=BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(bypass=True),
            run_analysis=False,
        )
    )
    engine.add_venue(
        SIM,
        OmsType.NETTING,
        AccountType.MARGIN,
        [Money(p["capital"], USDT)],
        base_currency=USDT,
        default_leverage=Decimal(10),
        latency_model=LatencyModel(base_latency_nanos=p["entry_ns"]),
        book_type=BookType.L2_MBP,
        trade_execution=True,
    )
    engine.add_instrument(instrument)
    engine.add_data(data, sort=False)
    rule = {name: p[name] for name in ("period_ns", "distance", "requote", "share", "capital")}
    quotes = Quotes(QuotesConfig(**rule), instrument)
    engine.add_strategy(quotes)
    started = time.process_time()
    engine.run()
    seconds = time.process_time() - started
    fills = sum(len(order.trade_ids) for order in engine.cache.orders())
    answer = {"seconds": seconds, "orders": quotes.orders, "fills": fills}
    engine.dispose()
    return answer


def main() -> None:
    """Answer every line with one run; the first line of output says that the data are made."""
    p = json.loads(sys.argv[2])
    instrument = make_instrument(p)
    rows = np.load(sys.argv[1])["data"][: p["rows"]]
    data = make_data(rows, instrument, p["grouped"])
    print(json.dumps({"version": nautilus_trader.__version__, "rows": len(rows)}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(run(data, instrument, p)), flush=True)


if __name__ == "__main__":
    main()
