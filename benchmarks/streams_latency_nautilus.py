"""Peer of the latency benchmark: nautilus_trader's Bybit adapter in a live node; runs in an environment of its own.

    python streams_latency_nautilus.py PORTS WHALE

Public socket → the adapter's parser → the data engine, which keeps the books → a strategy that answers the whales → risk
engine and execution engine as they are by default → the adapter's trade socket (`use_ws_trade_api`; by default it sends orders
by REST). Nothing is logged, and neither reconciliation nor the look after orders in flight runs. The adapter is as it is but
for the address of the public socket, for which it has no setting. Imports nothing of ours; prints which trade made which
order, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

import nautilus_trader
from nautilus_trader.adapters.bybit import factories
from nautilus_trader.adapters.bybit.common.constants import BYBIT
from nautilus_trader.adapters.bybit.common.enums import BybitProductType
from nautilus_trader.adapters.bybit.config import BybitDataClientConfig, BybitExecClientConfig
from nautilus_trader.config import (
    InstrumentProviderConfig,
    LiveExecEngineConfig,
    LoggingConfig,
    TradingNodeConfig,
)
from nautilus_trader.live.node import TradingNode
from nautilus_trader.model.enums import AggressorSide, BookType, OrderSide, TimeInForce
from nautilus_trader.model.objects import Quantity
from nautilus_trader.trading.strategy import Strategy

_DEPTH = 50
_OVER_S = 3.0  # without a trade after the first
_NONE_S = 60.0  # without any


class Answers(Strategy):
    """Answers every flagged trade with an order that takes its other side, at its price."""

    def __init__(self, whale: str) -> None:
        super().__init__()
        self.whale, self.qty = Quantity.from_str(whale), Quantity.from_str("0.5")
        self.made: dict[str, int] = {}
        self.trades = 0

    def on_start(self) -> None:
        """Subscribe to all books and trades there are."""
        for instrument in self.cache.instruments():
            self.subscribe_order_book_deltas(instrument.id, BookType.L2_MBP, depth=_DEPTH)
            self.subscribe_trade_ticks(instrument.id)

    def on_trade_tick(self, tick: Any) -> None:
        """Send an order if the trade asks for one; its id carries the message's number."""
        self.trades += 1
        if tick.size != self.whale:
            return
        side = OrderSide.SELL if tick.aggressor_side == AggressorSide.BUYER else OrderSide.BUY
        order = self.order_factory.limit(
            tick.instrument_id, side, self.qty, tick.price, time_in_force=TimeInForce.IOC
        )
        self.submit_order(order)
        self.made[order.client_order_id.value] = int(tick.trade_id.value)


async def end_with_the_stream(strategy: Answers) -> None:
    """Print what was made when trades no longer come, and leave."""
    seen, began = 0, time.monotonic()
    while strategy.trades != seen or (not seen and time.monotonic() - began < _NONE_S):
        seen = strategy.trades
        await asyncio.sleep(_OVER_S)
    result = {"made": strategy.made, "trades": strategy.trades, "version": nautilus_trader.__version__}
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()
    os._exit(0)  # the node takes ten seconds to stop


def make_node(ports: dict[str, int]) -> TradingNode:
    """Return a live node whose venue is on loopback."""
    public = f"ws://127.0.0.1:{ports['market']}/v5/public/linear"
    factories.get_ws_base_url_public = lambda **_venue: public
    shared: dict[str, Any] = {
        "api_key": "key",
        "api_secret": "secret",
        "base_url_http": f"http://127.0.0.1:{ports['rest']}",
        "product_types": [BybitProductType.LINEAR],
        "instrument_provider": InstrumentProviderConfig(load_all=True),
    }
    execution = BybitExecClientConfig(
        **shared,
        base_url_ws_private=f"ws://127.0.0.1:{ports['private']}/v5/private",
        base_url_ws_trade=f"ws://127.0.0.1:{ports['trade']}/v5/trade",
        use_ws_trade_api=True,
    )
    node = TradingNode(
        config=TradingNodeConfig(
            logging=LoggingConfig(log_level="OFF"),
            exec_engine=LiveExecEngineConfig(reconciliation=False, inflight_check_interval_ms=0),
            data_clients={BYBIT: BybitDataClientConfig(**shared)},
            exec_clients={BYBIT: execution},
        )
    )
    node.add_data_client_factory(BYBIT, factories.BybitLiveDataClientFactory)
    node.add_exec_client_factory(BYBIT, factories.BybitLiveExecClientFactory)
    return node


def main() -> None:
    """Run until the stream ends."""
    node, strategy = make_node(json.loads(sys.argv[1])), Answers(sys.argv[2])
    node.trader.add_strategy(strategy)
    node.build()
    watch = node.get_event_loop().create_task(end_with_the_stream(strategy))
    node.run()
    watch.cancel()
    raise SystemExit("the node stopped before the stream ended")


if __name__ == "__main__":
    main()
