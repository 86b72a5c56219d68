"""Where a venue's sockets are, following from its REST address; there is no setting that could point orders elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

from models.errors import ConfigError

PUBLIC = "/v5/public/linear"
PRIVATE = "/v5/private"
TRADE = "/v5/trade"


def stream_address(rest_url: str, path: str) -> str:
    """Return the socket address that belongs to a REST address.

    Parameters
    ----------
    rest_url : str
        For example ``https://api-testnet.bybit.com`` or ``http://127.0.0.1:8099``.
    path : str
        `PUBLIC`, `PRIVATE` or `TRADE`.

    Raises
    ------
    ConfigError
        When the address is no http address, or its host is neither ``api…`` nor an address without a name.

    """
    parts = urlsplit(rest_url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme)
    if scheme is None or not parts.netloc:
        raise ConfigError(f"stream address: expected an http address, was {rest_url!r}")
    host = parts.netloc
    if host.startswith("api"):
        host = "stream" + host.removeprefix("api")
    elif scheme == "wss":
        raise ConfigError(
            f"stream address: expected a host that begins with 'api', was {parts.hostname!r}",
            remedy="use the venue's own REST address, or set streams = false",
        )
    return f"{scheme}://{host}{path}"
