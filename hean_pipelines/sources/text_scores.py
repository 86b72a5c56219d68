"""How a text sounds, and which coins it is about.

The score is VADER's (Hutto and Gilbert, ICWSM 2014): a lexicon of words rated by people, with rules for negation, emphasis and
emoji; made for short posts, it knows nothing of markets. A text is about a coin where it says its ticker in capitals or with a
dollar or hash sign, or its name. What does not belong here: where texts come from; texts are not kept.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

_NAMES = {
    "ADA": "cardano",
    "AVAX": "avalanche",
    "BCH": "bitcoin cash",
    "BTC": "bitcoin",
    "DOGE": "dogecoin",
    "DOT": "polkadot",
    "ETH": "ethereum",
    "LINK": "chainlink",
    "LTC": "litecoin",
    "SHIB": "shiba inu",
    "SOL": "solana",
    "XRP": "ripple",
}
"""Names people write in place of a ticker, where they are no other word's."""


class TextScore(NamedTuple):
    """Shares of a text that sound positive, neutral and negative, and `compound`, the whole, from -1 to +1."""

    compound: float
    positive: float
    neutral: float
    negative: float


@cache
def scorer_name() -> str:
    """Return the scorer with its version, kept beside every score."""
    return f"vader-{version('vaderSentiment')}"


def score_text(text: str) -> TextScore:
    """Return how a text sounds; an empty one is neutral."""
    if not text.strip():
        return TextScore(0.0, 0.0, 1.0, 0.0)
    found = _analyzer().polarity_scores(text)
    return TextScore(found["compound"], found["pos"], found["neu"], found["neg"])


def is_about(text: str, coin: str) -> bool:
    """Return whether a text is about a coin, such as ``BTC``.

    The bare ticker counts in capitals only: ``link`` and ``one`` are words.
    """
    return _pattern(coin).search(text) is not None


def words_for(coin: str) -> tuple[str, ...]:
    """Return what to search for: the ticker and, where there is one, the name."""
    return (coin, _NAMES[coin]) if coin in _NAMES else (coin,)


@cache
def _pattern(coin: str) -> re.Pattern[str]:
    ticker = re.escape(coin)
    ways = [rf"\b{ticker}\b", rf"(?i:[$#]{ticker}\b)"]
    if coin in _NAMES:
        # "bitcoin cash" is another coin than "bitcoin".
        ways.append(rf"(?i:\b{_NAMES[coin]}\b(?!\s+cash\b))")
    return re.compile("|".join(ways))


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
