"""Clients of the other venues as the settings say, each at its own pace, and our symbols in their words.

Here belongs making clients and naming symbols. What they ask is in `hean_pipelines.sources`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hean_pipelines.settings import PipelineSettings
from models.errors import DataError
from models.market.symbols import Venue, candidates, contract_of

if TYPE_CHECKING:
    from hean_pipelines.sources.binance import BinancePublicClient
    from hean_pipelines.sources.coinglass import CoinglassClient
    from hean_pipelines.sources.fear_greed import FearGreedClient
    from hean_pipelines.sources.http import PoliteHttp
    from hean_pipelines.sources.okx import OkxPublicClient
    from hean_pipelines.sources.reddit import RedditClient
    from hean_pipelines.sources.x_search import XSearchClient

SENTIMENT_PER_5S = 2


@contextmanager
def polite(settings: PipelineSettings, requests_per_5s: int) -> Iterator[PoliteHttp]:
    """Give an HTTP layer with a budget of its own, shared with every process of this home."""
    from hean_pipelines.sources.budget import SharedBudget
    from hean_pipelines.sources.http import PoliteHttp

    budget = min(requests_per_5s, settings.requests_per_5s)
    http = PoliteHttp(
        requests_per_5s=budget,
        shared=SharedBudget(settings.home / f"budget_{budget}", budget),
        max_attempts=settings.max_attempts,
        timeout_s=settings.timeout_s,
    )
    try:
        yield http
    finally:
        http.close()


@contextmanager
def binance(settings: PipelineSettings) -> Iterator[BinancePublicClient]:
    """Give a client of Binance USD-M."""
    from hean_pipelines.sources.binance import FUNDING_PER_5S, REQUESTS_PER_5S, BinancePublicClient

    with polite(settings, REQUESTS_PER_5S) as http, polite(settings, FUNDING_PER_5S) as funding_http:
        yield BinancePublicClient(settings.binance_url, http, funding_http)


@contextmanager
def okx(settings: PipelineSettings) -> Iterator[OkxPublicClient]:
    """Give a client of OKX."""
    from hean_pipelines.sources.okx import REQUESTS_PER_5S, OkxPublicClient

    with polite(settings, REQUESTS_PER_5S) as http:
        yield OkxPublicClient(settings.okx_url, http)


@contextmanager
def coinglass(settings: PipelineSettings) -> Iterator[CoinglassClient]:
    """Give a client of CoinGlass; raises ConfigError without a key."""
    from hean_pipelines.sources.coinglass import REQUESTS_PER_5S, CoinglassClient

    with polite(settings, REQUESTS_PER_5S) as http:
        yield CoinglassClient(settings.coinglass_url, settings.coinglass_key, http)


@contextmanager
def fear_greed(settings: PipelineSettings) -> Iterator[FearGreedClient]:
    """Give a client of the Fear & Greed index."""
    from hean_pipelines.sources.fear_greed import FearGreedClient

    with polite(settings, SENTIMENT_PER_5S) as http:
        yield FearGreedClient(settings.fear_greed_url, http)


@contextmanager
def reddit(settings: PipelineSettings) -> Iterator[RedditClient]:
    """Give a client of Reddit; raises ConfigError without keys."""
    from hean_pipelines.sources.reddit import REQUESTS_PER_5S, RedditClient

    with polite(settings, REQUESTS_PER_5S) as http:
        keys = settings.reddit_client_id, settings.reddit_client_secret
        yield RedditClient(settings.reddit_url, settings.reddit_token_url, keys, settings.reddit_user, http)


@contextmanager
def x_search(settings: PipelineSettings) -> Iterator[XSearchClient]:
    """Give a client of X; raises ConfigError without a token."""
    from hean_pipelines.sources.x_search import REQUESTS_PER_5S, XSearchClient

    with polite(settings, REQUESTS_PER_5S) as http:
        yield XSearchClient(settings.x_url, settings.x_bearer_token, http)


def names_on(
    venue: Venue, symbols: Sequence[str], listed: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Say what our symbols are called on a venue.

    Parameters
    ----------
    venue : str
    symbols : sequence of str
        Bybit's names.
    listed : sequence of str
        What the venue lists.

    Returns
    -------
    dict of str to str
        Bybit's name to the venue's.
    dict of str to str
        Symbols the venue does not have, with the reason.

    """
    known = set(listed)
    found: dict[str, str] = {}
    absent: dict[str, str] = {}
    for symbol in symbols:
        try:
            names = candidates(venue, contract_of("bybit", symbol))
        except DataError as error:
            absent[symbol] = str(error)
            continue
        name = next((name for name in names if name in known), None)
        if name is None:
            absent[symbol] = f"{venue} lists none of {', '.join(names[:2])}"
        else:
            found[symbol] = name
    return found, absent
