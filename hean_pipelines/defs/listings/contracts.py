"""What the venue says of a contract's life: launch, the phases of a pre-listing, its end. Asking and parsing only.

The hourly snapshot of instruments asks for what is trading; here every status is asked for, because the venue's default leaves
the others out. What follows from it is decided in `discovery.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hean_pipelines.sources.bybit import INSTRUMENTS_PAGE, BybitPublicClient
from models.errors import DataError
from models.market.bybit_v5 import (
    as_payload,
    envelope_time_ns,
    integer,
    list_of,
    nanoseconds,
    next_page_cursor,
    optional_nanoseconds,
    optional_real,
    optional_text,
    rows_of,
    text,
)

CONTINUOUS = "ContinuousTrading"
STATUSES = ("Trading", "PreLaunch", "Delivering", "Closed")
_PATH = "/v5/market/instruments-info"


@dataclass(frozen=True)
class Phase:
    """One phase of a pre-listing in [start_ns, end_ns); an end of None is open."""

    name: str
    start_ns: int
    end_ns: int | None


@dataclass(frozen=True)
class Contract:
    """A linear perpetual as the venue lists it.

    Attributes
    ----------
    symbol, status : str
        The status is Trading, PreLaunch, Delivering or Closed.
    launch_ns : int
        Of a pre-listing: when it was put up, before the first auction.
    delivery_ns : int or None
        End of trading; None while none is known.
    funding_interval_min : int
    funding_cap : float or None
        Largest rate of one settlement, fraction.
    phase : str
        Of a pre-listing, as the venue says it; empty otherwise.
    phases : tuple of Phase

    """

    symbol: str
    status: str
    launch_ns: int
    delivery_ns: int | None
    funding_interval_min: int
    funding_cap: float | None
    phase: str = ""
    phases: tuple[Phase, ...] = ()

    @property
    def trades_from_ns(self) -> int | None:
        """When continuous trading begins or began; None for a pre-listing that does not say."""
        if self.status != "PreLaunch":
            return self.launch_ns
        return next((phase.start_ns for phase in self.phases if phase.name == CONTINUOUS), None)


class ListingsClient(BybitPublicClient):
    """The venue's client with the one question more."""

    def contracts(self, status: str) -> tuple[int, list[Contract]]:
        """Return the venue's time (ns) and its linear perpetuals of a status, every page."""
        cursor, seen, found, at_ns = "", set[str](), list[Contract](), None
        while True:
            params = {"category": "linear", "status": status, "limit": INSTRUMENTS_PAGE}
            envelope = self._envelope(_PATH, params, cursor)
            at_ns = envelope_time_ns(envelope) if at_ns is None else at_ns
            result = self._checked(envelope, f"{_PATH} with status {status}")
            rows = rows_of(result, "instruments-info")
            found += [parse_contract(row) for row in rows if row.get("contractType") == "LinearPerpetual"]
            cursor = next_page_cursor(result)
            # A pre-listing's only page may carry a cursor too: an empty page or a repeated cursor ends it.
            if not cursor or cursor in seen or not rows:
                return at_ns, found
            seen.add(cursor)

    def every_contract(self) -> tuple[int, list[Contract]]:
        """Return the venue's time (ns) and its linear perpetuals of every status."""
        answers = [self.contracts(status) for status in STATUSES]
        return answers[0][0], [contract for _, found in answers for contract in found]


def parse_contract(row: Mapping[str, Any]) -> Contract:
    """Parse one item of instruments-info; raises DataError naming field and symbol."""
    symbol = text(row, "symbol", "instruments-info")
    where = f"instruments-info of {symbol}"
    info = row.get("preListingInfo")
    phase, phases = "", ()
    if info:
        listing = as_payload(info, f"{where}, preListingInfo")
        phase = optional_text(listing, "curAuctionPhase")
        phases = tuple(_phase(item, where) for item in list_of(listing, where, "phases"))
    return Contract(
        symbol=symbol,
        status=text(row, "status", where),
        launch_ns=nanoseconds(row, "launchTime", where),
        delivery_ns=optional_nanoseconds(row, "deliveryTime", where) or None,
        funding_interval_min=integer(row, "fundingInterval", where),
        funding_cap=optional_real(row, "upperFundingRate", where),
        phase=phase,
        phases=phases,
    )


def _phase(item: object, where: str) -> Phase:
    row = as_payload(item, f"{where}, phases")
    start = optional_nanoseconds(row, "startTime", where)
    if start is None:
        raise DataError(f"{where}: expected a phase with a startTime, was {dict(row)}")
    return Phase(text(row, "phase", where), start, optional_nanoseconds(row, "endTime", where))
