"""The settings of Reddit and X, a part of `hean_pipelines.settings`: hosts, keys, what is read. Without keys nothing is asked."""

from __future__ import annotations

import re

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

TEXT_SECRETS = ("reddit_client_id", "reddit_client_secret", "x_bearer_token")


class TextSettings(BaseSettings):
    """Where posts come from and with whose keys."""

    reddit_url: str = Field("https://oauth.reddit.com", description="Reddit's API.")
    reddit_token_url: str = Field("https://www.reddit.com", description="Where Reddit gives tokens.")
    reddit_client_id: SecretStr = Field(
        SecretStr(""), description="Id of your Reddit application; without one Reddit is not asked."
    )
    reddit_client_secret: SecretStr = Field(SecretStr(""), description="Its secret.")
    reddit_user: str = Field("", description="Your Reddit name, for the User-Agent Reddit asks for.")
    reddit_subreddits: tuple[str, ...] = Field(
        ("CryptoCurrency", "CryptoMarkets", "Bitcoin", "ethereum"), description="Subreddits that are read."
    )
    x_url: str = Field("https://api.x.com", description="X' API.")
    x_bearer_token: SecretStr = Field(
        SecretStr(""), description="Token of your X application; without one X is not asked."
    )
    x_pages: int = Field(
        1, ge=1, le=50, description="Pages of 100 posts a symbol and search; they count against the plan."
    )

    @field_validator("reddit_subreddits", mode="before")
    @classmethod
    def _split_subreddits(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip(" \"'") for part in value.strip(" []").split(",") if part.strip())
        return value

    @field_validator("reddit_subreddits")
    @classmethod
    def _check_subreddits(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or any(not re.fullmatch(r"\w{2,21}", name) for name in value):
            raise ValueError("must be one or more subreddits such as CryptoCurrency, without r/")
        return value

    @field_validator("reddit_url", "reddit_token_url", "x_url")
    @classmethod
    def _check_hosts(cls, value: str) -> str:
        if not re.match(r"https?://[^/\s]+", value):
            raise ValueError("must be an http(s) address such as https://api.x.com")
        return value.rstrip("/")
