"""Estimates, durations and cautions of a backtest in words: one place, for the page and the terminal.

What does not belong here: HTML.
"""

from __future__ import annotations

from typing import Any, Final

from hean_pipelines.report.text import ABSENT, number, percent, plural

Document = dict[str, Any]
FEW: Final = "too few trades for an interval"
_DAY_NS: Final = 86_400_000_000_000
_UNITS: Final = ((_DAY_NS, "d"), (3_600_000_000_000, "h"), (60_000_000_000, "min"), (1_000_000_000, "s"))


def interval(estimate: Document | None, digits: int, few: str = FEW) -> str:
    """Return the 95 % interval of an estimate, or why there is none."""
    if estimate is None:
        return ABSENT
    if estimate["low"] is None:
        return few
    return (
        f"95 % [{number(estimate['low'], digits, sign=True)}, {number(estimate['high'], digits, sign=True)}]"
    )


def value(estimate: Document | None, digits: int, *, sign: bool = True) -> str:
    """Return the middle of an estimate."""
    return number(None if estimate is None else estimate["value"], digits, sign=sign)


def duration(length_ns: float | None) -> str:
    """Return a duration in the two units that say most, rounded to the smaller one.

    Examples
    --------
    >>> duration(93_784_000_000_000), duration(2_500_000_000), duration(172_799_000_000_000), duration(None)
    ('1 d 2 h', '2.5 s', '2 d', '–')

    """
    if length_ns is None:
        return ABSENT
    if length_ns < 60_000_000_000:
        return f"{number(length_ns * 1e-9, 1)} s"
    at = next(k for k, (unit, _) in enumerate(_UNITS) if length_ns >= unit)
    step = _UNITS[at + 1][0]
    rounded = (int(length_ns) + step // 2) // step * step
    at = next(k for k, (unit, _) in enumerate(_UNITS) if rounded >= unit)
    whole, rest = divmod(rounded, _UNITS[at][0])
    below = rest // _UNITS[at + 1][0]
    return f"{whole} {_UNITS[at][1]}" + (f" {below} {_UNITS[at + 1][1]}" if below else "")


def tone(estimate: Document | None) -> str:
    """Return ``good`` or ``bad`` where the interval leaves no doubt of the sign."""
    if estimate is None or estimate["low"] is None:
        return ""
    return "good" if estimate["low"] > 0.0 else "bad" if estimate["high"] < 0.0 else ""


def price_digits(document: Document) -> int:
    """Return the decimals prices have."""
    text = f"{document['plan']['venue']['tick_size']:.10f}".rstrip("0")
    return len(text.partition(".")[2])


def cautions(document: Document) -> list[str]:
    """Return what a reader must know before the figures, a sentence each."""
    plan, figures, activity = document["plan"], document["figures"], document["activity"]
    found = []
    for need in document["tape"]["missing"]:
        found.append(
            f"{plan['strategy']} needs {need}, and the tape holds none: its signals cannot be trusted."
        )
    if figures["dropped"]:
        found.append(_dropped(document))
    if activity["below_minimum_order"]:
        found.append(
            f"{activity['below_minimum_order']:,} of {plural(figures['orders'], 'order')} to enter are worth less than "
            f"{number(activity['minimum_order_usd'], 0)} USD, the venue's least order value: it would refuse them. "
            "More capital, or a larger share of it a trade, mends that."
        )
    if figures["liquidations"]:
        found.append(f"The position was liquidated {plural(figures['liquidations'], 'time')}.")
    if figures["trades"] and figures["net_bps"]["low"] is None:
        found.append(
            f"{plural(figures['trades'], 'trade')}: {FEW}. Nothing can be concluded about its profit."
        )
    if document["markouts"]["quoting"] == "toxic":
        found.append("Toxic quoting: the mid moves against maker fills within 2 s; see markouts.")
    return found + [f"Tape: {problem}." for problem in document["tape"]["problems"]]


def _dropped(document: Document) -> str:
    plan, activity = document["plan"], document["activity"]
    lot, shares = activity["lot_usd"], plan["parameters"]
    words = f"{plural(document['figures']['dropped'], 'order was', 'orders were')} not sent: below one lot, or too many open."
    share = shares.get("capital_share", shares.get("most_share"))
    if lot is None or share is None:
        return words
    most = share * plan["capital_usd"]
    return (
        f"{words} One lot of {plan['symbol']} is {number(plan['venue']['lot_size'], 4).rstrip('0').rstrip('.')}, worth "
        f"{number(lot, 2)} USD; {percent(share)} of {number(plan['capital_usd'], 0)} USD is {number(most, 2)} USD. Capital from "
        f"{number(lot / share, 0)} USD on, or a contract with a smaller lot, is needed for one order of one lot."
    )


def why_no_trades(document: Document) -> str:
    """Return in words why a run has no trades."""
    figures, activity = document["figures"], document["activity"]
    if figures["fills"]:
        return f"There were {plural(figures['fills'], 'fill')}, but no position was closed before the tape ended."
    if figures["orders"]:
        ends = ", ".join(
            f"{c['count']:,} {c['what']}{' (' + c['why'] + ')' if c['why'] else ''}"
            for c in activity["orders"]
        )
        return f"{plural(figures['orders'], 'order was', 'orders were')} sent and none filled: {ends}."
    if figures["dropped"]:
        return "The strategy wanted to trade, and every order was too small to be sent."
    said = activity["held_back"]
    most = f"; most often it said {said[0]['why']}" if said else ""
    return f"The strategy never wanted to trade{most}. The table of what it said at each tick shows what was missing."
