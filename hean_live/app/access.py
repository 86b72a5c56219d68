"""Access to the order venue: the client of these settings, and what its key and account must be like."""

from __future__ import annotations

from hean_live.settings import LiveSettings
from hean_live.venues.errors import KeyRefused
from hean_live.venues.protocol import Venue
from models.errors import ConfigError
from models.market.trading_records import ApiKeyInfo


def make_venue(settings: LiveSettings) -> Venue:
    """Return the order venue of these settings.

    Raises
    ------
    ConfigError
        If no key is configured.

    """
    if not settings.has_key:
        raise ConfigError(
            "an API key of the order venue was expected, none is configured",
            remedy="set HEAN_LIVE_API_KEY and HEAN_LIVE_API_SECRET (`hean testnet` prints a pair), or use --dry-run",
        )
    from hean_live.venues.bybit import BybitVenue

    return BybitVenue(
        settings.orders_at,
        settings.api_key.get_secret_value(),
        settings.api_secret.get_secret_value(),
        timeout_s=settings.timeout_s,
        recv_window_ms=settings.recv_window_ms,
    )


def check_key(info: ApiKeyInfo) -> None:
    """Refuse a key that can withdraw, and one that cannot trade.

    Raises
    ------
    KeyRefused
        With what to change.

    """
    if info.can_withdraw:
        raise KeyRefused(
            "the API key should not be able to withdraw, it is",
            remedy="create a key with the permissions 'Orders' and 'Positions' of contracts only",
        )
    if not info.can_trade_contracts:
        raise KeyRefused(
            "the API key should be able to trade contracts, it is not",
            remedy="give it the permissions 'Orders' and 'Positions' of contracts, not read-only",
        )


def check_one_way(venue: Venue, symbol: str) -> None:
    """Refuse an account in hedge mode; raises `ConfigError`."""
    if venue.is_hedge_mode(symbol):
        raise ConfigError(
            f"the account should hold {symbol} in one-way mode, it is in hedge mode",
            remedy="switch the position mode to one-way on the venue",
        )
