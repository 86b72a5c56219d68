"""Which history of another venue comes from which call, and whether published files come first. A table."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from hean_pipelines.defs.market_data.specs import History
from hean_pipelines.defs.other_venues import clients
from hean_pipelines.resources.lake_schemas import DATASETS
from hean_pipelines.settings import PipelineSettings

Open = Callable[[PipelineSettings], AbstractContextManager[Any]]
Listed = Callable[[Any], list[str]]


@dataclass(frozen=True)
class VenueHistory:
    """A history of another venue.

    Attributes
    ----------
    history : History
        Dataset and call.
    venue : str
        Whose names are used; empty where the data are of no symbol.
    open : callable
        Settings to a context manager that gives the client.
    listed : callable
        Client to the symbols it lists.

    """

    history: History
    venue: str
    open: Open
    listed: Listed


def _binance_listed(client: Any) -> list[str]:
    return [row.symbol for row in client.instruments()[1]]


def _okx_listed(client: Any) -> list[str]:
    return [row.symbol for row in client.instruments()]


def venue_histories() -> tuple[VenueHistory, ...]:
    """Return the histories other venues tell by REST."""

    def binance(name: str, fetch: Callable[..., Any], page: int) -> VenueHistory:
        return VenueHistory(History(DATASETS[name], fetch, page), "binance", clients.binance, _binance_listed)

    return (
        binance("raw_binance__settlement_funding", lambda c, s, a, b: c.funding_history(s, a, b), 1000),
        binance("raw_binance__5m_open_interest", lambda c, s, a, b: c.open_interest(s, "5m", a, b), 500),
        binance("raw_binance__1h_account_ratio", lambda c, s, a, b: c.account_ratio(s, "1h", a, b), 500),
        binance("raw_binance__5m_perp_klines", lambda c, s, a, b: c.klines(s, 300, a, b), 1500),
        binance(
            "raw_binance__1m_premium_index_klines",
            lambda c, s, a, b: c.index_klines("premium", s, 60, a, b),
            1500,
        ),
        binance("raw_binance__1m_mark_klines", lambda c, s, a, b: c.index_klines("mark", s, 60, a, b), 1500),
        VenueHistory(
            History(
                DATASETS["raw_okx__settlement_funding"], lambda c, s, a, b: c.funding_history(s, a, b), 100
            ),
            "okx",
            clients.okx,
            _okx_listed,
        ),
    )
