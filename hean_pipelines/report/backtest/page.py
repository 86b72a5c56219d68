"""The page of a backtest: its sections in order, through the report's template.

Here belongs composition; what a section shows is in its own file.
"""

from __future__ import annotations

from datetime import UTC, datetime

from hean_pipelines.report.backtest import course, gates, quality, setup, summary
from hean_pipelines.report.backtest.words import Document
from hean_pipelines.report.blocks import Section
from hean_pipelines.report.build import render
from hean_pipelines.report.text import number


def sections(document: Document) -> list[Section]:
    """Return the sections; without trades, those that explain come first and empty ones are left out."""
    if not document["figures"]["trades"]:
        found = [
            summary.build(document),
            setup.activity(document),
            course.price(document),
            gates.build(document),
        ]
        if document["capacity"]["rows"]:
            found.append(quality.capacity(document))
    else:
        found = [
            summary.build(document),
            course.equity(document),
            course.price(document),
            quality.markouts(document),
            course.costs(document),
            gates.build(document),
            quality.capacity(document),
        ]
    if document["truth"] is not None:
        found.append(quality.truth(document))
    if document["figures"]["trades"]:
        found += [course.trades(document), setup.activity(document)]
    return [*found, setup.setup(document)]


def backtest_page(document: Document, seconds: float) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    document : dict
        As the JSON file holds it.
    seconds : float
        How long the run took, for the foot of the page.

    """
    plan, tape = document["plan"], document["tape"]
    return render(
        sections(document),
        facts=summary.facts(document),
        caution=summary.caution(document),
        built=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        title=f"Backtest: {plan['strategy']} on {plan['symbol']}",
        footer="Net a trade is profit after fees over the value entered, in basis points (1 bps = 0.01 %). Intervals: 95 %, from "
        "ten contiguous blocks of trades (Ibragimov and Müller 2010). All times are UTC. "
        f"{number(float(tape['events']), 0)} events took {number(seconds, 1)} s, gates, capacity and compilation included.",
    )
