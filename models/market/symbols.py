"""One name for a coin on every venue, and how many coins a unit of a contract's price is for.

Venues name the same perpetual differently (``BTCUSDT``, ``BTC-USDT-SWAP``), and quote cheap coins by the thousand or million
(``1000PEPEUSDT``, ``SHIB1000USDT``, ``1MBABYDOGEUSDT``) where another does not. Contract sizes in coins (OKX's ``ctVal``) are
facts of an instrument and come from the venue, not from the name. Here belong names; nothing of any venue's protocol.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from models.errors import DataError

Venue = Literal["bybit", "binance", "okx"]
VENUES: tuple[Venue, ...] = ("bybit", "binance", "okx")
QUOTES = ("USDT", "USDC", "USD")
# A coin's own name may begin with digits (1INCH): only powers of ten from a thousand up are multipliers.
_PREFIX = re.compile(r"^(10{3,}|1M)(?=[A-Z])")
_SUFFIX = re.compile(r"(?<=[A-Z])(10{3,})$")
_FLAT = re.compile(rf"^([A-Z0-9]+?)({'|'.join(QUOTES)})$")
_OKX = re.compile(r"^([A-Z0-9]+)-(USDT|USDC|USD)-SWAP$")


@dataclass(frozen=True)
class Contract:
    """A perpetual, whatever it is called.

    Attributes
    ----------
    coin : str
        Base coin without multiplier, such as ``PEPE``.
    quote : str
        ``USDT``, ``USDC`` or ``USD`` (inverse: settled in the coin).
    multiplier : int
        Coins a quoted price is for: 1000 for ``1000PEPEUSDT``. Coins are units · multiplier.

    """

    coin: str
    quote: str
    multiplier: int = 1

    @property
    def name(self) -> str:
        """The canonical name, the same on every venue: ``PEPE/USDT``."""
        return f"{self.coin}/{self.quote}"

    @property
    def is_inverse(self) -> bool:
        """Whether it settles in its coin."""
        return self.quote == "USD"


def contract_of(venue: Venue, symbol: str) -> Contract:
    """Return what a venue's symbol is.

    Raises
    ------
    DataError
        When the name is not one of a perpetual of that venue.

    """
    matched = (_OKX if venue == "okx" else _FLAT).match(symbol.removesuffix("_PERP"))
    if matched is None:
        raise DataError(f"expected a perpetual of {venue} such as {_EXAMPLE[venue]}, was {symbol!r}")
    base, quote = matched.groups()
    found = _PREFIX.match(base) or _SUFFIX.search(base)
    if found is None:
        return Contract(base, quote)
    digits = found.group(1)
    coin = base.removeprefix(digits) if base.startswith(digits) else base.removesuffix(digits)
    return Contract(coin, quote, 1_000_000 if digits == "1M" else int(digits))


def candidates(venue: Venue, contract: Contract) -> tuple[str, ...]:
    """Return the names a venue may have for a contract, likeliest first; which exists is for its instruments to say."""
    coin, quote = contract.coin, contract.quote
    if venue == "okx":
        return (f"{coin}-{quote}-SWAP",)
    multiples = [f"{n}{coin}" for n in (1000, 10000, 1000000)] + [f"1M{coin}", f"{coin}1000"]
    bases = [coin, *multiples] if contract.multiplier == 1 else [*multiples, coin]
    return tuple(f"{base}{quote}" for base in bases)


def counterparts(symbols: Sequence[str], listed: Collection[str]) -> dict[str, tuple[str, float]]:
    """Return by symbol of Bybit what Binance calls it, and how many of Binance's units one of Bybit's is.

    Parameters
    ----------
    symbols : sequence of str
        As Bybit names them.
    listed : collection of str
        Names that exist on Binance.

    Returns
    -------
    dict of str to (str, float)
        Times the second, a price there is a price of what Bybit quotes. Symbols not listed there are left out.

    """
    found = {}
    for symbol in symbols:
        try:
            own = contract_of("bybit", symbol)
        except DataError:
            continue
        name = next((name for name in candidates("binance", own) if name in listed), None)
        if name is not None:
            found[symbol] = (name, own.multiplier / contract_of("binance", name).multiplier)
    return found


_EXAMPLE: dict[Venue, str] = {"bybit": "BTCUSDT", "binance": "BTCUSDT", "okx": "BTC-USDT-SWAP"}
