"""Scores of posts on Reddit and X, each post once, stamped with when it was first seen. No Dagster here.

Kept is how a post sounds, when it was written and how many liked it then; not its text nor its author. A post is known from
`seen_at` on, not from when it was written. What does not belong here: clients (`hean_pipelines.sources`), averages (the marts).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any

from hean_pipelines.defs.market_data.ingest import Report, day_of
from hean_pipelines.defs.other_venues import clients
from hean_pipelines.resources.lake import Lake, schema_of
from hean_pipelines.resources.lake_schemas import DATASETS
from hean_pipelines.settings import PipelineSettings
from hean_pipelines.sources.posts import NO_REDDIT_KEY, NO_X_KEY, Post
from hean_pipelines.sources.text_scores import is_about, score_text, scorer_name, words_for
from models.market.symbols import contract_of

LOOK_BACK_NS = 86_400_000_000_000
"""Posts a day old and older are not asked for."""


@dataclass(frozen=True)
class PostSource:
    """A dataset of scored posts: who is asked, what for, and what is said where no key is configured."""

    dataset: str
    open: Callable[[PipelineSettings], AbstractContextManager[Any]]
    take: Callable[[Any, PipelineSettings, Sequence[str], int], Mapping[str, list[Post]]]
    has_key: Callable[[PipelineSettings], bool]
    no_key: str


def ingest_posts(
    source: PostSource,
    client: Any,
    settings: PipelineSettings,
    symbols: Sequence[str],
    first: date,
    last: date,
) -> Report:
    """Score what was written lately about `symbols` and add what is new to today, if today lies in `first` … `last`.

    Raises
    ------
    Retryable, DataError
        As the client does; nothing is then stored.

    """
    import polars as pl

    started = time.perf_counter()
    seen_at = int(client.http.wall() * 1e9)  # neither venue tells its time
    report = Report(source.dataset, venue_now_ns=seen_at)
    day, lake, dataset = day_of(seen_at), Lake(settings.lake_root), DATASETS[source.dataset]
    if first <= day <= last:
        since = seen_at - LOOK_BACK_NS
        for symbol, posts in source.take(client, settings, symbols, since).items():
            known = lake.scan(source.dataset, [symbol], start=day_of(since), end=day)
            seen = set(known.select("post_id").collect().get_column("post_id").to_list())
            fresh = {post.post_id: post for post in posts if post.post_id not in seen}
            report.rows[symbol] = len(fresh)
            if fresh:
                rows = [_row(post, symbol, seen_at) for post in fresh.values()]
                old = lake.read_partition(source.dataset, symbol, day)
                both = pl.concat([old, pl.DataFrame(rows, schema=schema_of(dataset))])
                lake.write_partition(source.dataset, symbol, day, both)
                report.days_written += 1
    traffic = client.http.traffic
    report.requests, report.retries, report.network_s = traffic.requests, traffic.retries, traffic.network_s
    report.seconds = time.perf_counter() - started
    return report


def post_sources() -> tuple[PostSource, ...]:
    """Return every dataset of scored posts."""
    return (
        PostSource(
            "raw_reddit__scored_posts",
            clients.reddit,
            _from_reddit,
            lambda settings: bool(
                settings.reddit_client_id.get_secret_value()
                and settings.reddit_client_secret.get_secret_value()
                and settings.reddit_user
            ),
            NO_REDDIT_KEY,
        ),
        PostSource(
            "raw_x__scored_posts",
            clients.x_search,
            _from_x,
            lambda settings: bool(settings.x_bearer_token.get_secret_value()),
            NO_X_KEY,
        ),
    )


def _from_reddit(
    client: Any, settings: PipelineSettings, symbols: Sequence[str], since_ns: int
) -> Mapping[str, list[Post]]:
    posts = client.newest(settings.reddit_subreddits, since_ns)
    return {symbol: [post for post in posts if is_about(post.text, _coin(symbol))] for symbol in symbols}


def _from_x(
    client: Any, settings: PipelineSettings, symbols: Sequence[str], since_ns: int
) -> Mapping[str, list[Post]]:
    found = {
        symbol: client.recent(words_for(_coin(symbol)), since_ns, settings.x_pages) for symbol in symbols
    }
    # X searches without regard to capitals: "link" finds links.
    return {
        symbol: [post for post in posts if is_about(post.text, _coin(symbol))]
        for symbol, posts in found.items()
    }


def _coin(symbol: str) -> str:
    return contract_of("bybit", symbol).coin


def _row(post: Post, symbol: str, seen_at: int) -> dict[str, str | int | float]:
    return {
        "seen_at": seen_at,
        "symbol": symbol,
        "post_id": post.post_id,
        "created_ts": post.created_ns,
        "place": post.place,
        **score_text(post.text)._asdict(),
        "likes": post.likes,
        "replies": post.replies,
        "scorer": scorer_name(),
        "available_at": seen_at,
    }
