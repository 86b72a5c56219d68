"""Puts the shadows together: contracts from the venue and the account, events from the streams, outlooks of other markets too.

Here belongs the wiring. The bank is `hean_live.shadow`, what becomes of its news is decided in `bank/entries.py`.
"""

from __future__ import annotations

import logging
import time

from hean_live.app.parts import Parts
from hean_live.app.streams import Streams
from hean_live.other_markets.past import PastSource
from hean_live.other_markets.spot import SpotSource
from hean_live.other_markets.venue import OtherVenueSource
from hean_live.other_markets.watch import Asked, OtherMarkets
from hean_live.settings import LiveSettings
from hean_live.shadow.board import Others, OutlookBoard
from hean_live.shadow.capital import shadow_capital
from hean_live.shadow.contracts import ShadowContract
from hean_live.shadow.service import ShadowService
from hean_live.shadow.tap import EventTap
from hean_live.venues.binance import BinanceMarket
from hean_live.venues.public import PublicMarket
from models.errors import ConfigError
from models.portfolio.roster import STRATEGIES

log = logging.getLogger(__name__)


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
            float(min(rules.gates.leverage, instrument.max_leverage)),
        )
    hub, depth = streams.market.hub, settings.stream_depth
    metrics = None if parts.monitor is None else parts.monitor.metrics
    tap = EventTap(
        streams.market.symbols,
        lambda symbol: hub.resubscribe([f"orderbook.{depth}.{symbol}"], "the shadows lost messages"),
        (lambda _symbol, _count: None) if metrics is None else metrics.shadows_lost,
    )
    hub.markets.on_rows = tap.put
    others = _others(parts, streams, settings, tuple(contracts))
    parts.outlooks = OutlookBoard(others, parts.alarms, tuple(contracts))
    parts.shadows = ShadowService(
        contracts,
        tap,
        float(settings.shadow_equity_usd),
        settings.shadow_strategies or None,
        parts.outlooks.newest,
        cascade=lambda: parts.models.cascade,
        clock_ns=streams.market.clock.now_ns,
        regimes=lambda: parts.models.regimes,
        partner=parts.outlooks.partner,
        testnet=settings.data_is_testnet,
        traded_usd=_capitals(parts, settings, tuple(contracts)),
    )
    if others.watch is not None:
        others.watch.start()
    parts.shadows.start()


def _capitals(parts: Parts, settings: LiveSettings, symbols: tuple[str, ...]) -> dict[str, float]:
    """Return each symbol's shadow capital at the prices of now, having journalled and logged why it is that much."""
    found = {}
    for symbol in symbols:
        ticker, instrument = parts.feed.tickers.get(symbol), parts.instruments[symbol]
        if ticker is None:
            log.warning("shadows of %s: a price was expected, was none: their capital is as set", symbol)
            continue
        lot = float(max(instrument.qty_step, instrument.min_order_qty))
        price = ticker.mark_price or ticker.last_price
        capital = shadow_capital(symbol, float(settings.shadow_equity_usd), lot * price)
        parts.journal.event(
            "shadow_capital", {"capital_usd": capital.usd, "words": capital.words}, symbol=symbol
        )
        log.info("shadows: %s", capital.words)
        found[symbol] = capital.usd
    return found


def _others(parts: Parts, streams: Streams, settings: LiveSettings, symbols: tuple[str, ...]) -> Others:
    """Return the other markets of some symbols, with the thread that asks them, not started."""
    clock = streams.market.clock
    # A connection of its own: the thread asks while the loop polls.
    data = PublicMarket(settings.data_from, timeout_s=settings.timeout_s)
    spot = SpotSource(data, symbols, clock.now_ns)
    past = PastSource(data, symbols, settings.pairs)
    asked = [Asked("SPOT", spot, settings.spot_poll_s), Asked("PAST", past, settings.past_poll_s)]
    venue = None
    if settings.other_venue_url:
        other = BinanceMarket(settings.other_venue_url, timeout_s=settings.timeout_s)
        venue = OtherVenueSource(other, symbols, clock.now_ns, time.monotonic)
        asked.append(Asked("OTHER_VENUE", venue, settings.other_venue_poll_s))
    return Others(
        spot,
        venue,
        past,
        lambda: parts.models.mood,
        past_valid_ns=int(2e9 * settings.past_poll_s),
        watch=OtherMarkets(asked, lambda: clock.speed),
    )
