"""From the marts of sentiment to a mood: the newest index, and how people write about each coin. No Dagster here.

A mood is as old as the newest reading in it: no clock is asked, so it is the same however often it is made, and where nothing new
comes in it grows old and expires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from models.market.mood import VALID_NS, Mood, Reading

if TYPE_CHECKING:
    import polars as pl

TEXT_NS: Final = 6 * 3_600_000_000_000
"""Posts first seen within so long before the newest reading make the score: as long as the strategy lets a score count."""


def mood_of(fear_greed: pl.DataFrame, posts: pl.DataFrame) -> Mood | None:
    """Return the mood, None where nothing is known.

    Parameters
    ----------
    fear_greed : DataFrame
        Of `mart_sentiment__fear_greed`: `ts`, `value`, `available_at`.
    posts : DataFrame
        Of `mart_sentiment__posts`: `symbol`, `ts`, `posts`, `tone`, `available_at`.

    """
    import polars as pl

    stamps = [frame.get_column("available_at").max() for frame in (fear_greed, posts)]
    known = [stamp for stamp in stamps if isinstance(stamp, int)]
    if not known:
        return None
    made_at_ns = max(known)
    index = None
    # The newest day, and not one the index has stopped at.
    newest = fear_greed.filter(pl.col("available_at") > made_at_ns - VALID_NS).sort("ts").tail(1)
    for row in newest.iter_rows(named=True):
        index = Reading(float(row["value"]), int(row["available_at"]))
    scores = (
        posts.filter(pl.col("available_at") > made_at_ns - TEXT_NS)
        .group_by("symbol")
        .agg(
            value=(pl.col("tone") * pl.col("posts")).sum() / pl.col("posts").sum(),
            at_ns=pl.col("available_at").max(),
        )
        .sort("symbol")
    )
    texts = {
        str(row["symbol"]): Reading(float(row["value"]), int(row["at_ns"]))
        for row in scores.iter_rows(named=True)
    }
    return Mood(made_at_ns, index, texts)
