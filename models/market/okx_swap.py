"""Parsers of OKX public REST replies about swaps. Pure.

Sizes of OKX swaps are in contracts; `ctVal` says how many coins (or, inverse, USD) one is. Source: the venue's v5 documentation.
What does not belong here: fetching, pages, storage.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.errors import DataError
from models.market.bybit_v5 import (
    Payload,
    as_payload,
    decimal,
    nanoseconds,
    optional_nanoseconds,
    optional_real,
    optional_text,
    real,
    rows_of,
    text,
)


class OkxFunding(NamedTuple):
    """Settled funding: settlement (ns), rate realised and rate predicted before (fractions)."""

    ts: npt.NDArray[np.int64]
    funding_rate: npt.NDArray[np.float64]
    predicted_rate: npt.NDArray[np.float64]


@dataclass(frozen=True)
class OkxRunningFunding:
    """The rate for the coming settlement; the interval is `next_funding_ns` less `funding_ns`."""

    symbol: str
    funding_rate: float | None
    funding_ns: int
    next_funding_ns: int | None
    upper_funding_rate: float | None
    lower_funding_rate: float | None
    at_ns: int


@dataclass(frozen=True)
class OkxInstrument:
    """A swap; `contract_value` coins (USD where inverse) are one contract."""

    symbol: str
    status: str
    base_coin: str
    quote_coin: str
    settle_coin: str
    contract_value: Decimal
    is_inverse: bool
    tick_size: Decimal
    lot_contracts: Decimal
    min_contracts: Decimal
    launch_ns: int | None


@dataclass(frozen=True)
class OkxOpenInterest:
    """Open interest in contracts, coins and USD."""

    symbol: str
    contracts: float
    coins: float
    usd: float | None
    at_ns: int


def rows_of_reply(reply: object, where: str) -> list[Payload]:
    """Return the rows of a reply.

    Raises
    ------
    DataError
        When its code is not ``"0"``.

    """
    envelope = as_payload(reply, where)
    code = optional_text(envelope, "code")
    if code != "0":
        raise DataError(
            f"{where}: expected code 0, was {code or 'absent'} ({optional_text(envelope, 'msg')[:120]})",
            remedy="look the code up in the venue's list of error codes",
        )
    return rows_of(envelope, where, "data")


def parse_funding_history(reply: object, symbol: str) -> OkxFunding:
    """Parse `funding-rate-history`; `realizedRate` is what was paid, `fundingRate` what was predicted."""
    where = "funding-rate-history"
    rows = rows_of_reply(reply, where)
    other = {row.get("instId") for row in rows} - {symbol}
    if other:
        raise DataError(f"{where}: expected rows of {symbol}, was {sorted(map(str, other))}")
    stamps = np.array([nanoseconds(row, "fundingTime", where) for row in rows], dtype=np.int64)
    realised = np.array([real(row, "realizedRate", where) for row in rows], dtype=np.float64)
    predicted = [optional_real(row, "fundingRate", where) for row in rows]
    order, first = np.unique(stamps, return_index=True)
    before = np.array([np.nan if value is None else value for value in predicted], dtype=np.float64)
    return OkxFunding(order, realised[first], before[first])


def parse_running_funding(reply: object) -> list[OkxRunningFunding]:
    """Parse `funding-rate` of one instrument or of all."""
    where = "funding-rate"
    return [
        OkxRunningFunding(
            text(row, "instId", where),
            optional_real(row, "fundingRate", where),
            nanoseconds(row, "fundingTime", where),
            optional_nanoseconds(row, "nextFundingTime", where),
            optional_real(row, "maxFundingRate", where),
            optional_real(row, "minFundingRate", where),
            nanoseconds(row, "ts", where),
        )
        for row in rows_of_reply(reply, where)
    ]


def parse_instruments(reply: object) -> list[OkxInstrument]:
    """Parse `instruments` of type SWAP."""
    where = "instruments"
    found = []
    for row in rows_of_reply(reply, where):
        symbol = text(row, "instId", where)
        base, _, rest = symbol.partition("-")
        inverse = text(row, "ctType", where) == "inverse"
        found.append(
            OkxInstrument(
                symbol=symbol,
                status=text(row, "state", where),
                base_coin=base,
                quote_coin=rest.partition("-")[0],
                settle_coin=text(row, "settleCcy", where),
                contract_value=decimal(row, "ctVal", where),
                is_inverse=inverse,
                tick_size=decimal(row, "tickSz", where),
                lot_contracts=decimal(row, "lotSz", where),
                min_contracts=decimal(row, "minSz", where),
                launch_ns=optional_nanoseconds(row, "listTime", where),
            )
        )
    return found


def parse_open_interest(reply: object) -> list[OkxOpenInterest]:
    """Parse `open-interest` of type SWAP."""
    where = "open-interest"
    return [
        OkxOpenInterest(
            text(row, "instId", where),
            real(row, "oi", where),
            real(row, "oiCcy", where),
            optional_real(row, "oiUsd", where),
            nanoseconds(row, "ts", where),
        )
        for row in rows_of_reply(reply, where)
    ]
