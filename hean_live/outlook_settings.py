"""Settings of what shadows may know of other markets. A part of `LiveSettings`, which adds the rest."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode

from hean_live.execution_settings import Seconds


class OutlookSettings(BaseSettings):
    """How often spot, another venue and the past are asked; durations are in market time."""

    spot_poll_s: Seconds = 5.0
    past_poll_s: Seconds = 14_400.0
    pairs: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    other_venue_url: str = ""
    other_venue_poll_s: Seconds = 5.0
    sentiment_name: str = "hean-sentiment"

    @field_validator("pairs", mode="before")
    @classmethod
    def _partners(cls, value: object) -> object:
        """Read ``ETHUSDT=BTCUSDT,SOLUSDT=ETHUSDT`` as it stands in a variable; a table of the file is one already."""
        if not isinstance(value, str):
            return value
        named = [part.split("=") for part in value.split(",") if part.strip()]
        if any(len(each) != 2 for each in named):
            raise ValueError("expected pairs such as ETHUSDT=BTCUSDT, with commas between them")
        return {own.strip().upper(): partner.strip().upper() for own, partner in named}

    @field_validator("other_venue_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if value and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("expected an address such as https://fapi.binance.com, or nothing")
        return value.rstrip("/")
