"""Puts the shadows together: contracts from the venue and the account, events from the streams, outlooks from the loop.

Here belongs the wiring. The bank is `hean_live.shadow`, what becomes of its news is decided in `bank_entries.py`.
"""

from __future__ import annotations

from hean_live.app.parts import Parts
from hean_live.app.streams import Streams
from hean_live.settings import LiveSettings
from hean_live.shadow.board import OutlookBoard
from hean_live.shadow.service import ShadowService
from hean_live.shadow.tap import EventTap
from models.errors import ConfigError
from models.portfolio.roster import STRATEGIES


def add_shadows(parts: Parts, streams: Streams, settings: LiveSettings) -> None:
    """Add the shadows to a loop that has streams, and start them.

    Raises
    ------
    ConfigError
        When a strategy of the settings is unknown.

    """
    unknown = [name for name in settings.shadow_strategies if name not in STRATEGIES]
    if unknown:
        raise ConfigError(
            f"shadow_strategies: expected some of {', '.join(STRATEGIES)}, was {', '.join(unknown)}"
        )
    from hean_live.shadow.contracts import ShadowContract

    rules = parts.engine.rules
    contracts = {}
    for symbol in streams.market.symbols:
        instrument = parts.instruments.get(symbol)
        if instrument is None:
            continue
        contracts[symbol] = ShadowContract(
            float(instrument.tick_size),
            float(instrument.qty_step),
            float(rules.bank.maker_fee),
            float(parts.taker_fees.get(symbol, rules.default_taker_fee)),
        )
    hub, depth = streams.market.hub, settings.stream_depth
    tap = EventTap(
        streams.market.symbols,
        lambda symbol: hub.resubscribe([f"orderbook.{depth}.{symbol}"], "the shadows lost messages"),
    )
    hub.markets.on_rows = tap.put
    parts.outlooks = OutlookBoard()
    parts.shadows = ShadowService(
        contracts,
        tap,
        float(settings.shadow_equity_usd),
        settings.shadow_strategies or None,
        parts.outlooks.newest,
        lambda: parts.models.cascade,
        streams.market.clock.now_ns,
    )
    parts.shadows.start()
