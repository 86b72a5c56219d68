"""Numbers and times as words on the page: one place decides digits, signs and units.

What does not belong here: HTML; every string here is plain and escaped by the template.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

BPS = 1e4
ABSENT = "–"
MINUS = "−"


def number(value: float | None, digits: int, *, sign: bool = False) -> str:
    """Return a number with that many decimals, a real minus sign, and a dash where there is none.

    Examples
    --------
    >>> number(-0.1234, 2), number(1234.5, 1), number(float("nan"), 2), number(0.5, 1, sign=True)
    ('−0.12', '1,234.5', '–', '+0.5')

    """
    if value is None or not math.isfinite(value):
        return ABSENT
    text = f"{value:+,.{digits}f}" if sign else f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0.0:
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def bps(rate: float | None, digits: int = 2, *, sign: bool = False) -> str:
    """Return a fraction in basis points, without the unit."""
    return number(None if rate is None else rate * BPS, digits, sign=sign)


def percent(share: float | None, digits: int = 1) -> str:
    """Return a fraction in per cent, with the sign."""
    text = number(None if share is None else share * 100.0, digits)
    return text if text == ABSENT else f"{text}\u00a0%"


def moment(at_ns: int | None) -> str:
    """Return an instant as UTC to the minute."""
    if at_ns is None:
        return ABSENT
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")


def day(at_ns: int) -> str:
    """Return the UTC day of an instant."""
    return moment(at_ns)[:10]


def span(first_ns: int, last_ns: int) -> str:
    """Return a range of days, both included, and how many they are."""
    days = last_ns // 86_400_000_000_000 - first_ns // 86_400_000_000_000 + 1
    if days == 1:
        return f"{day(first_ns)} (1 day)"
    return f"{day(first_ns)} to {day(last_ns)} ({days:,} days)"


def plural(count: int, one: str, many: str = "") -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "trade"), plural(0, "trade"), plural(2, "entry", "entries")
    ('1 trade', '0 trades', '2 entries')

    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
