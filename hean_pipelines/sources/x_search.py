"""X API v2, recent search: posts of the last seven days that match a query, with an application's bearer token.

``GET /2/tweets/search/recent``: at most 100 posts a page and 450 requests in 15 minutes for an application; posts read count
against the plan's monthly cap, so no more pages are asked for than needed. Source: X' API reference. What does not belong here:
scores, storage.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from hean_pipelines.sources.http import PoliteHttp, Retry
from hean_pipelines.sources.posts import NO_X_KEY, Post
from models.errors import ConfigError, DataError

REQUESTS_PER_5S = 2
"""360 in 15 minutes, of 450 allowed."""
PAGE = 100
_NS_PER_S = 1_000_000_000


class XSearchClient:
    """Searches X.

    Parameters
    ----------
    base_url : str
    token : SecretStr
        Sent as ``Authorization: Bearer``, never shown.
    http : PoliteHttp
        With a budget of at most `REQUESTS_PER_5S`.

    Raises
    ------
    ConfigError
        If the token is empty.

    """

    def __init__(self, base_url: str, token: SecretStr, http: PoliteHttp) -> None:
        if not token.get_secret_value():
            raise ConfigError(NO_X_KEY, remedy="set HEAN_PIPELINES_X_BEARER_TOKEN to search X")
        self.base_url = base_url.rstrip("/")
        self.http = http
        self._token = token

    def recent(self, words: tuple[str, ...], since_ns: int, pages: int) -> list[Post]:
        """Return English posts, no reposts, with one of `words`, written at or after `since_ns`, newest first.

        At most `pages` pages of `PAGE`: where more was written since, the oldest of it is missing.
        """
        any_of = " OR ".join(f'"{word}"' if " " in word else word for word in words)
        since = datetime.fromtimestamp(since_ns // _NS_PER_S, UTC)
        params = {
            "query": f"({any_of}) lang:en -is:retweet",
            "max_results": PAGE,
            "tweet.fields": "created_at,lang,public_metrics",
            "start_time": f"{since:%Y-%m-%dT%H:%M:%SZ}",
        }
        posts: list[Post] = []
        for _ in range(pages):
            page, token = _page(self._get("/2/tweets/search/recent", params))
            posts += page
            if not token:
                break
            params["next_token"] = token
        return posts

    def _get(self, path: str, params: Mapping[str, Any]) -> Any:
        headers = {"Authorization": f"Bearer {self._token.get_secret_value()}"}
        return self.http.get_any(
            f"{self.base_url}{path}?{urlencode(params)}", _judge, headers, (200, 400, 401, 402, 403)
        )


def _judge(body: Any, headers: Mapping[str, str]) -> Retry | None:
    if not isinstance(body, Mapping):
        return Retry(f"JSON of type {type(body).__name__} where an object was expected")
    if "status" in body or ("errors" in body and "meta" not in body):
        raise DataError(
            f"X should answer, refused: {body.get('status', '')} {body.get('title', '')}: {body.get('detail', '')}",
            remedy="check HEAN_PIPELINES_X_BEARER_TOKEN and what its plan allows",
        )
    return None


def _page(body: Any) -> tuple[list[Post], str]:
    try:
        posts = [_post(row) for row in body.get("data", [])]
        return posts, str(body["meta"].get("next_token", ""))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"X: expected a page of posts, was otherwise ({error!r})",
            remedy="the format may have changed: compare the reply with X' documentation",
        ) from None


def _post(row: Mapping[str, Any]) -> Post:
    written = datetime.fromisoformat(row["created_at"])
    metrics = row["public_metrics"]
    return Post(
        post_id=str(row["id"]),
        created_ns=int(written.timestamp()) * _NS_PER_S + written.microsecond * 1000,
        place=str(row["lang"]),
        text=str(row["text"]),
        likes=int(metrics["like_count"]),
        replies=int(metrics["reply_count"]),
    )
