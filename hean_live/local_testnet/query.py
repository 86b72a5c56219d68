"""Parameters of a request, read the way the venue reads them.

Unknown parameters are ignored, limits are cut to the endpoint's maximum, times are ms. Here belongs reading and refusing; what a
parameter means belongs to the handlers.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from hean_live.local_testnet.envelope import PARAMETER_ERROR, Refused

FAR_FUTURE_MS = 4_102_444_800_000  # 2100-01-01: "no end given"
CATEGORIES = ("linear", "inverse", "spot", "option")


class Query:
    """Parameters of a GET request.

    Parameters
    ----------
    raw : str
        Query string exactly as sent, still percent-encoded.

    """

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self._values: Mapping[str, str] = dict(parse_qsl(raw, keep_blank_values=True))

    def text(self, name: str, default: str = "") -> str:
        """Value of a parameter, or the default where it is absent."""
        return self._values.get(name, default)

    def required(self, name: str) -> str:
        """Value of a parameter that must be there."""
        value = self._values.get(name, "")
        if not value:
            raise Refused(PARAMETER_ERROR, f"params error: {name} is required")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Value of a parameter that must be one of a few."""
        value = self.required(name) if default is None else self.text(name) or default
        if value not in allowed:
            raise Refused(PARAMETER_ERROR, f"params error: {name} invalid")
        return value

    def integer(self, name: str) -> int | None:
        """Whole number, or None where absent."""
        value = self._values.get(name, "")
        if not value:
            return None
        try:
            return int(value)
        except ValueError:
            raise Refused(PARAMETER_ERROR, f"params error: {name} invalid") from None

    def limit(self, default: int, maximum: int) -> int:
        """Page size; anything above the maximum is cut to it, anything below 1 is refused."""
        value = self.integer("limit")
        if value is None:
            return default
        if value < 1:
            raise Refused(PARAMETER_ERROR, "params error: limit invalid")
        return min(value, maximum)

    def category(self, default: str | None = None) -> str:
        """Product category, one of the venue's four."""
        value = self.required("category") if default is None else self.text("category") or default
        if value not in CATEGORIES:
            raise Refused(PARAMETER_ERROR, "params error: Category is invalid")
        return value

    def span(self, start: str, end: str) -> tuple[int, int]:
        """Both ends of a time range; an absent end is open."""
        first, last = self.integer(start), self.integer(end)
        low, high = first if first is not None else 0, last if last is not None else FAR_FUTURE_MS
        if low > high:
            raise Refused(PARAMETER_ERROR, "Time is invalid")
        return low, high

    def cursor(self) -> Mapping[str, str] | None:
        """Fields of a cursor such as ``lastid%3D1%26lasttime%3D2``, sent back as it was given.

        Raises
        ------
        Refused
            The cursor was encoded once more, or is not the venue's.

        """
        value = self._values.get("cursor", "")
        if not value:
            return None
        fields = dict(parse_qsl(value))
        if not fields:
            raise Refused(PARAMETER_ERROR, "params error: cursor invalid")
        return fields
