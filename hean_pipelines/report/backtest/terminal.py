"""A backtest on the terminal: a short table, and what must be known before it.

What does not belong here: the page.
"""

from __future__ import annotations

from rich.table import Table

from hean_pipelines.report.backtest import gates
from hean_pipelines.report.backtest.words import (
    Document,
    cautions,
    duration,
    interval,
    value,
    why_no_trades,
)
from hean_pipelines.report.text import number, percent, plural

_DAY_NS = 86_400_000_000_000


def headline_table(document: Document) -> Table:
    """Return the headline figures."""
    plan, figures, tape = document["plan"], document["figures"], document["tape"]
    drawdown, sharpe, hits = figures["drawdown"], figures["sharpe"], figures["hit_rate"]
    table = Table(
        title=f"{plan['strategy']} on {plan['symbol']}, {duration(tape['days'] * _DAY_NS)}, {tape['events']:,} events"
    )
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("interval, remark")
    net, bps = figures["net_trades_usd"], figures["net_bps"]
    rows = (
        ("net profit, USD", number(figures["net_usd"], 2, sign=True), interval(net, 2) if net else ""),
        ("fees, USD", number(figures["fees_usd"], 2), ""),
        (
            "trades",
            f"{figures['trades']:,}",
            f"{plural(figures['orders'], 'order')}, {figures['dropped']:,} dropped",
        ),
        ("net a trade, bps", value(bps, 2), interval(bps, 2) if bps else ""),
        ("hit rate", percent(hits["value"] if hits else None), ""),
        ("Sharpe ratio, a year", number(sharpe["annual"] if sharpe else None, 2), ""),
        ("largest drawdown, USD", number(drawdown["usd"] if drawdown else 0.0, 2), ""),
        ("turnover, x capital", number(figures["turnover"], 2), ""),
        ("maker quoting", document["markouts"]["quoting"], "by markouts within 2 s"),
    )
    for row in rows:
        table.add_row(*row)
    return table


def remarks(document: Document) -> list[str]:
    """Return why there were no trades, what the gates would let through, and the cautions, a line each."""
    none = [] if document["figures"]["trades"] else [f"no trades: {why_no_trades(document)}"]
    return [*none, *_gates(document), *(f"note: {words}" for words in cautions(document))]


def _gates(document: Document) -> list[str]:
    if document["gates"] is None or document["gates"]["result"] is None:
        return []
    blocked = gates.most_blocking(document)
    return [f"gates: {gates.headline(document)}", *([f"blocked by {blocked}"] if blocked else [])]
