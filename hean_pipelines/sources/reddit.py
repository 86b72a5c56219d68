"""Reddit's Data API: the newest posts of chosen subreddits, with an application's own credentials.

A token comes from ``POST /api/v1/access_token`` (grant ``client_credentials``) on the website's host, listings from
``GET /r/{a+b}/new`` on the API's. Free use is 100 requests a minute per client, averaged over ten minutes; a listing goes back at
most 1000 posts. Sources: Reddit's Data API wiki and its OAuth2 page. What does not belong here: scores, storage.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from pydantic import SecretStr

from hean_pipelines.sources.http import PoliteHttp, Retry
from hean_pipelines.sources.posts import NO_REDDIT_KEY, Post
from models.errors import ConfigError, DataError

REQUESTS_PER_5S = 5
"""60 a minute, of 100 allowed."""
PAGE = 100
MOST_PAGES = 10
_NS_PER_S = 1_000_000_000


class RedditClient:
    """Reads subreddits.

    Parameters
    ----------
    base_url, token_url : str
        Hosts of the API and of the website that gives tokens.
    client : tuple of SecretStr
        Id and secret of the application; sent to `token_url` only, never shown.
    user : str
        Reddit name of whoever runs this; Reddit wants it in the ``User-Agent``.
    http : PoliteHttp
        With a budget of at most `REQUESTS_PER_5S`.

    Raises
    ------
    ConfigError
        If one of them is empty.

    """

    def __init__(
        self, base_url: str, token_url: str, client: tuple[SecretStr, SecretStr], user: str, http: PoliteHttp
    ) -> None:
        if not user or not all(part.get_secret_value() for part in client):
            raise ConfigError(
                NO_REDDIT_KEY, remedy="make an application at Reddit's preferences page and set all three"
            )
        self.base_url = base_url.rstrip("/")
        self.http = http
        self._token_url = token_url.rstrip("/")
        self._client = client
        self._agent = f"python:hean:v1 (by /u/{user})"
        self._token: tuple[SecretStr, float] | None = None

    def newest(self, subreddits: Sequence[str], since_ns: int) -> list[Post]:
        """Return the posts of the subreddits written at or after `since_ns`, newest first.

        At most `MOST_PAGES` pages of `PAGE`: where more was written since, the oldest of it is missing.
        """
        posts: list[Post] = []
        after = ""
        for _ in range(MOST_PAGES):
            params = {"limit": PAGE, "raw_json": 1} | ({"after": after} if after else {})
            page, after = _listing(self._get(f"/r/{'+'.join(subreddits)}/new", params))
            posts += [post for post in page if post.created_ns >= since_ns]
            if not after or not page or page[-1].created_ns < since_ns:
                break
        return posts

    def _get(self, path: str, params: Mapping[str, Any]) -> Any:
        headers = {
            "Authorization": f"Bearer {self._bearer().get_secret_value()}",
            "User-Agent": self._agent,
        }
        return self.http.get_any(
            f"{self.base_url}{path}?{urlencode(params)}", _judge, headers, (200, 401, 403, 404)
        )

    def _bearer(self) -> SecretStr:
        now = time.monotonic()
        if self._token is None or now >= self._token[1]:
            body = self.http.post_form(
                f"{self._token_url}/api/v1/access_token",
                {"grant_type": "client_credentials"},
                (self._client[0].get_secret_value(), self._client[1].get_secret_value()),
                _judge,
                self._agent,
            )
            token, lasts_s = body.get("access_token"), body.get("expires_in")
            if not isinstance(token, str) or not isinstance(lasts_s, int | float):
                raise DataError("Reddit: expected a token with its time, was neither")
            # A minute early: the request it is for takes time too.
            self._token = SecretStr(token), now + max(lasts_s - 60.0, 0.0)
        return self._token[0]


def _judge(body: Any, headers: Mapping[str, str]) -> Retry | None:
    if not isinstance(body, Mapping):
        return Retry(f"JSON of type {type(body).__name__} where an object was expected")
    if "error" in body:
        raise DataError(
            f"Reddit should answer, refused: {body['error']} {body.get('message', '')}".strip(),
            remedy="check HEAN_PIPELINES_REDDIT_CLIENT_ID, _CLIENT_SECRET and the subreddits' names",
        )
    return None


def _listing(body: Any) -> tuple[list[Post], str]:
    try:
        data = body["data"]
        posts = [_post(child["data"]) for child in data["children"] if child["kind"] == "t3"]
        return posts, str(data["after"] or "")
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"Reddit: expected a listing of posts, was otherwise ({error!r})",
            remedy="the format may have changed: compare the reply with Reddit's documentation",
        ) from None


def _post(row: Mapping[str, Any]) -> Post:
    return Post(
        post_id=str(row["name"]),
        created_ns=int(row["created_utc"]) * _NS_PER_S,
        place=str(row["subreddit"]),
        text=f"{row['title']}\n{row['selftext']}".strip(),
        likes=int(row["ups"]),
        replies=int(row["num_comments"]),
    )
