"""A post on Reddit or X as far as it is used, and what is said where nobody may be asked for one."""

from __future__ import annotations

from typing import NamedTuple

NO_REDDIT_KEY = (
    "no key configured: Reddit is asked only with HEAN_PIPELINES_REDDIT_CLIENT_ID, _CLIENT_SECRET and _USER"
)
NO_X_KEY = "no key configured: X is asked only with HEAN_PIPELINES_X_BEARER_TOKEN"


class Post(NamedTuple):
    """One post.

    Attributes
    ----------
    post_id : str
        The venue's, unique there.
    created_ns : int
        When it was written.
    place : str
        The subreddit; on X the language.
    text : str
        Title and body; scored, never stored.
    likes, replies : int
        When it was asked for.

    """

    post_id: str
    created_ns: int
    place: str
    text: str
    likes: int
    replies: int
