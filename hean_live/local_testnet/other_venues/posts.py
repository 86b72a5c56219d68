"""Reddit's Data API and X' recent search as far as the pipelines ask them: posts made up from how the market moved.

Every ten minutes somebody writes about each coin, pleased after an hour that rose and displeased after one that fell. Formats,
keys, refusals and headers are the venues'. What does not belong here: how posts are scored.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hean_live.local_testnet.limits import RollingWindow
from hean_live.local_testnet.markets.base import BarKind, Market
from hean_live.local_testnet.query import Query
from models.simulation.bars import MINUTE_MS

REDDIT_CLIENT = ("local-reddit-client", "local-reddit-secret")
REDDIT_TOKEN = "local-reddit-token"  # noqa: S105 - opens nothing but this testnet
X_TOKEN = "local-x-token"  # noqa: S105 - the same
HOUR_MS = 60 * MINUTE_MS
EVERY_MS = 10 * MINUTE_MS
_REDDIT_PER_10_MIN, _X_PER_15_MIN = 1000, 450
_MOST = 1000
_PLEASED = "{coin} looks great, a strong breakout, I am so happy with it :)"
_DISPLEASED = "Terrible day for {coin}, an awful crash, I lost money and hate it"
_NEITHER = "What is the date of the next {coin} meeting?"
_OTHER = "Daily discussion thread"
Answer = tuple[int, bytes, dict[str, str]]
"""Status, body, headers."""


@dataclass(frozen=True)
class _Made:
    number: int
    at_ms: int
    text: str


def _posts(market: Market, coin: str, start_ms: int, now_ms: int) -> list[_Made]:
    """Return the posts about a coin in [start, now], newest first."""
    symbol = f"{coin}USDT"
    start_ms = max(start_ms, now_ms - _MOST * EVERY_MS)
    if symbol not in market.listings("linear"):
        return []
    bars = market.bars(BarKind.PERP, symbol, "60", start_ms - 2 * HOUR_MS, now_ms, 10_000, now_ms)
    moves = {int(ts): float(c / o - 1.0) for ts, o, c in zip(bars.ts_ms, bars.open, bars.close, strict=True)}
    made = []
    for slot in range(now_ms // EVERY_MS, -(-start_ms // EVERY_MS) - 1, -1):
        at_ms = slot * EVERY_MS
        move = moves.get((at_ms // HOUR_MS - 1) * HOUR_MS)
        if move is not None:
            words = _PLEASED if move > 0.001 else _DISPLEASED if move < -0.001 else _NEITHER
            made.append(_Made(slot, at_ms, words.format(coin=coin)))
    return made


@dataclass
class Reddit:
    """Reddit with one application."""

    window: RollingWindow = field(default_factory=lambda: RollingWindow(_REDDIT_PER_10_MIN, 10 * MINUTE_MS))

    def token(self, authorization: str, form: str) -> Answer:
        """``POST /api/v1/access_token``."""
        expected = "Basic " + base64.b64encode(":".join(REDDIT_CLIENT).encode()).decode()
        if authorization != expected:
            return 401, json.dumps({"message": "Unauthorized", "error": 401}).encode(), {}
        if "grant_type=client_credentials" not in form:
            return 200, json.dumps({"error": "unsupported_grant_type"}).encode(), {}
        body = {"access_token": REDDIT_TOKEN, "token_type": "bearer", "expires_in": 86_400, "scope": "*"}
        return 200, json.dumps(body).encode(), {}

    def newest(
        self,
        market: Market,
        subreddits: str,
        query: Query,
        headers: dict[str, str],
        now_ms: int,
        real_ms: int,
    ) -> Answer:
        """``GET /r/{subreddits}/new``: newest first, page by page."""
        if headers["Authorization"] != f"Bearer {REDDIT_TOKEN}":
            return 401, json.dumps({"message": "Unauthorized", "error": 401}).encode(), {}
        if not self.window.take(real_ms) or headers["User-Agent"].startswith("python-requests"):
            words = json.dumps({"message": "Too Many Requests", "error": 429}).encode()
            return 429, words, {"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "600"}
        rows = self._rows(market, subreddits.split("+"), now_ms)
        after = query.text("after")
        begin = next((i + 1 for i, row in enumerate(rows) if row["name"] == after), 0)
        page = rows[begin : begin + min(query.integer("limit") or 25, 100)]
        last = page[-1]["name"] if page and begin + len(page) < len(rows) else None
        data = {
            "after": last,
            "dist": len(page),
            "modhash": None,
            "geo_filter": "",
            "children": [{"kind": "t3", "data": row} for row in page],
            "before": None,
        }
        told = {"x-ratelimit-used": "1", "x-ratelimit-remaining": "999.0", "x-ratelimit-reset": "600"}
        return 200, json.dumps({"kind": "Listing", "data": data}).encode(), told

    @staticmethod
    def _rows(market: Market, subreddits: list[str], now_ms: int) -> list[dict[str, object]]:
        made: list[tuple[int, str, str]] = []
        for index, symbol in enumerate(market.listings("linear")):
            coin = symbol.removesuffix("USDT")
            made += [
                (post.at_ms, f"{index:x}z{post.number:x}", post.text)
                for post in _posts(market, coin, 0, now_ms)
            ]
        days = range(now_ms // (24 * HOUR_MS), now_ms // (24 * HOUR_MS) - 3, -1)
        made += [(day * 24 * HOUR_MS, f"daily{day:x}", _OTHER) for day in days]
        made.sort(reverse=True)
        return [
            {
                "name": f"t3_{name}",
                "id": name,
                "subreddit": subreddits[place % len(subreddits)],
                "title": text.partition(",")[0],
                "selftext": text.partition(",")[2].strip(),
                "created_utc": at_ms / 1000.0,
                "author": "somebody",
                "ups": 3,
                "score": 3,
                "upvote_ratio": 0.8,
                "num_comments": 2,
                "over_18": False,
            }
            for place, (at_ms, name, text) in enumerate(made[:_MOST])
        ]


@dataclass
class XSearch:
    """X with one application on the smallest paid plan."""

    window: RollingWindow = field(default_factory=lambda: RollingWindow(_X_PER_15_MIN, 15 * MINUTE_MS))

    def recent(self, market: Market, query: Query, authorization: str, now_ms: int, real_ms: int) -> Answer:
        """``GET /2/tweets/search/recent``: newest first, the last seven days."""
        if authorization != f"Bearer {X_TOKEN}":
            return _problem(401, "Unauthorized", "Unauthorized")
        if not self.window.take(real_ms):
            status, body, _ = _problem(429, "Too Many Requests", "Too Many Requests")
            return status, body, {"x-rate-limit-reset": str(real_ms // 1000 + 900)}
        limit = query.integer("max_results") or 10
        if not 10 <= limit <= 100 or not query.text("query"):
            return _problem(400, "Invalid Request", "One or more parameters to your request was invalid.")
        start = query.text("start_time")
        start_ms = int(datetime.fromisoformat(start).timestamp() * 1000) if start else 0
        if start and start_ms < now_ms - 7 * 24 * HOUR_MS:
            return _problem(400, "Invalid Request", "'start_time' must be within the last 7 days")
        words = query.text("query").replace("(", " ").replace(")", " ").split()
        coins = [symbol.removesuffix("USDT") for symbol in market.listings("linear")]
        found = [post for coin in coins if coin in words for post in _posts(market, coin, start_ms, now_ms)]
        begin = int(query.text("next_token") or 0)
        page = found[begin : begin + limit]
        meta: dict[str, object] = {"result_count": len(page)}
        if page:
            meta |= {"newest_id": str(page[0].number), "oldest_id": str(page[-1].number)}
        if begin + len(page) < len(found):
            meta["next_token"] = str(begin + len(page))
        answered = {"data": [_tweet(post) for post in page], "meta": meta} if page else {"meta": meta}
        told = {"x-rate-limit-limit": str(_X_PER_15_MIN), "x-rate-limit-remaining": "449"}
        return 200, json.dumps(answered).encode(), told


def _tweet(post: _Made) -> dict[str, object]:
    written = datetime.fromtimestamp(post.at_ms / 1000, UTC)
    metrics = ("retweet_count", "reply_count", "like_count", "quote_count", "bookmark_count")
    return {
        "id": str(post.number),
        "edit_history_tweet_ids": [str(post.number)],
        "text": post.text,
        "lang": "en",
        "created_at": f"{written:%Y-%m-%dT%H:%M:%S}.000Z",
        "public_metrics": dict.fromkeys(metrics, 1) | {"impression_count": 10},
    }


def _problem(status: int, title: str, detail: str) -> Answer:
    body = {"title": title, "type": "about:blank", "status": status, "detail": detail}
    return status, json.dumps(body).encode(), {}
