"""Everything one running testnet holds: market, clocks, exchange, keys, limits, faults.

Here belongs putting the parts together. HTTP does not.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field

from hean_live.local_testnet.clock import MarketClock, WallClock
from hean_live.local_testnet.faults import FaultList
from hean_live.local_testnet.limits import RateLimits
from hean_live.local_testnet.markets.base import Market
from models.simulation.exchange.engine import Exchange


def monotonic_ms() -> int:
    """Real time that never goes back, for rolling windows."""
    return time.monotonic_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class KeyPair:
    """API key and secret the server accepts, and whether the key may withdraw."""

    api_key: str
    api_secret: str = field(repr=False)
    can_withdraw: bool = False


def derive_keys(seed: int, *, can_withdraw: bool = False) -> KeyPair:
    """Key pair of a local testnet: the same for the same seed, so that a restart keeps clients working.

    It guards nothing: the server listens on loopback only.
    """
    digest = hashlib.sha256(f"hean local testnet {seed}".encode()).hexdigest()
    return KeyPair(f"local{digest[:13]}", digest[13:49], can_withdraw)


@dataclass
class Venue:
    """One running testnet."""

    market: Market
    clock: MarketClock
    exchange: Exchange
    keys: KeyPair
    wall: WallClock = field(default_factory=WallClock)
    limits: RateLimits = field(default_factory=lambda: RateLimits(monotonic_ms))
    faults: FaultList = field(default_factory=FaultList)

    def catch_up(self) -> None:
        """Bring the exchange to the market clock; whatever was due on the way happens now, in its order."""
        self.exchange.advance(self.clock.now_ns())
