"""Builds a venue and its market from what the command line (or a test) asks for.

Here belongs reading ``synthetic``, ``recorded:FOLDER``, ``order-flow`` and ``tape:FILE`` and choosing times where none are given;
serving does not.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from hean_live.local_testnet.clock import NS_PER_MS, MarketClock
from hean_live.local_testnet.fault_schedule import FaultSchedule
from hean_live.local_testnet.latency import Latency
from hean_live.local_testnet.limits import IP_BAN_MS, IP_LIMIT, RateLimits
from hean_live.local_testnet.markets.base import Market
from hean_live.local_testnet.venue import KeyPair, Venue, monotonic_ms
from models.errors import ConfigError
from models.simulation.bars import DAY_MS
from models.simulation.exchange.engine import Exchange

HOUR_MS = 3_600_000
RECORDED = "recorded:"
TAPE = "tape:"
ORDER_FLOW = "order-flow"


def build_venue(
    market: Market,
    keys: KeyPair,
    *,
    now_ms: int,
    speed: float = 1.0,
    equity: str = "500",
    ip_limit: int = IP_LIMIT,
    ban_ms: int = IP_BAN_MS,
    schedule: FaultSchedule | None = None,
    latency_in: Latency | None = None,
    latency_out: Latency | None = None,
) -> Venue:
    """Put a venue together around a market.

    Parameters
    ----------
    market : Market
    keys : KeyPair
    now_ms : int
        Market time to start at, ms UTC.
    speed : float, optional
        Market seconds per real second.
    equity : str, optional
        USDT in the account at the start.
    ip_limit, ban_ms : int, optional
        Address limit per 5 s and length of a ban.
    schedule : FaultSchedule or None, optional
        Faults drawn from a seed.
    latency_in, latency_out : Latency or None, optional
        How long messages take to the venue and back.

    Raises
    ------
    ConfigError
        `now_ms` lies outside the market's data.

    """
    if not market.first_ms <= now_ms <= market.last_ms:
        raise ConfigError(
            f"the market clock must start within the data, {iso(market.first_ms)} to {iso(market.last_ms)}, was {iso(now_ms)}",
            remedy="Give another --now, --start or --days.",
        )
    clock = MarketClock(now_ms, market.last_ms, speed)
    exchange = Exchange(market, Decimal(equity), now_ms * NS_PER_MS)
    return Venue(
        market,
        clock,
        exchange,
        keys,
        limits=RateLimits(monotonic_ms, ip_limit, ban_ms),
        schedule=schedule,
        latency_in=latency_in or Latency(),
        latency_out=latency_out or Latency(),
    )


def open_market(
    word: str,
    *,
    seed: int,
    symbols: Sequence[str] | None,
    start_ms: int | None,
    now_ms: int | None,
    days: int | None,
    extra_days: int,
    activity: float = 1.0,
) -> tuple[Market, int]:
    """Open the market a word names, and choose the clock's start.

    Parameters
    ----------
    word : str
        ``synthetic``, ``recorded:FOLDER``, ``order-flow`` or ``tape:FILE``.
    seed : int
        Seed of the synthetic market.
    symbols : sequence of str or None
        Restricts the market; None takes the default universe, or all that is recorded.
    start_ms, now_ms : int or None
        Synthetic: a history from midnight of `start_ms` (default `days` before `now_ms`) to `now_ms` (default: the
        present hour; with `start_ms` and `days` given, `days` later). Recorded: `now_ms` defaults to the end of the
        recording. Order flow: as synthetic, but `now_ms` defaults to the present instant. Tape: the instant its start is moved
        to; None leaves it at its own times.
    days : int or None
        Days of synthetic history before the clock, default 90.
    extra_days : int
        Days the synthetic market goes on after it.
    activity : float, optional
        Factor on the rates of the order flow.

    Returns
    -------
    (Market, int)
        The market, and the instant to start the clock at.

    """
    if word.startswith(RECORDED):
        from hean_live.local_testnet.markets.recorded import RecordedMarket

        recorded = RecordedMarket(Path(word.removeprefix(RECORDED)), symbols)
        return recorded, recorded.last_ms if now_ms is None else now_ms
    if word.startswith(TAPE):
        from hean_live.local_testnet.markets.tape import TapeMarket

        tape = TapeMarket(Path(word.removeprefix(TAPE)), symbols, now_ms)
        return tape, tape.begun_ms
    if word not in ("synthetic", ORDER_FLOW):
        raise ConfigError(
            f"market must be synthetic or recorded:FOLDER, order-flow or tape:FILE, was {word!r}"
        )
    from hean_live.local_testnet.markets.synthetic import SyntheticMarket
    from models.simulation.funding_universe import DEFAULT_SYMBOLS

    history_days = 90 if days is None else days
    if now_ms is None:
        # Ticks are for executors that hold data against their own clock: those begin at the very present.
        step_ms = HOUR_MS if word == "synthetic" else 1
        present = time.time_ns() // NS_PER_MS // step_ms * step_ms
        now_ms = present if start_ms is None else start_ms // DAY_MS * DAY_MS + history_days * DAY_MS
    if start_ms is None:
        start_ms = now_ms - history_days * DAY_MS
    start_ms = start_ms // DAY_MS * DAY_MS
    length = -(-(now_ms - start_ms) // DAY_MS) + extra_days
    market = SyntheticMarket(symbols or DEFAULT_SYMBOLS, seed, start_ms, length)
    if word != ORDER_FLOW:
        return market, now_ms
    from hean_live.local_testnet.markets.order_flow import OrderFlowMarket

    return OrderFlowMarket(market, seed, now_ms, activity), now_ms


def parse_instant(text: str) -> int:
    """Instant of an ISO date or date-time in ms; without an offset it is UTC.

    Raises
    ------
    ConfigError
        Not ISO 8601.

    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"instants must be ISO 8601 such as 2025-06-01T00:00, was {text!r}") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def iso(ms: int) -> str:
    """Instant as ISO 8601 text in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
