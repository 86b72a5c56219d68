"""The page and the terminal's table of a tournament. Composition and words; where numbers come from is `document.py`."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from rich.table import Table as TerminalTable

from hean_pipelines.report.blocks import Cell, Column, Figure, Figures, Row, Section, Table
from hean_pipelines.report.build import render
from hean_pipelines.report.charts import Estimate, both_widths, estimates
from hean_pipelines.report.text import number
from hean_pipelines.tournament.document import COLUMNS
from hean_pipelines.tournament.run import EVERYTHING, NULL, OWN

_WORDS = {
    OWN: "where its own effect is planted",
    EVERYTHING: "where every effect is planted",
    NULL: "where nothing is planted",
}
_TONES = {"found": "good", "not found": "neutral", "too few trades": "neutral", "earns on nothing": "bad"}
_RANGE_BPS = (-40.0, 60.0)

Document = dict[str, Any]


def interval(score: dict[str, Any] | None) -> str:
    """Return a score's mean and interval in bps, as text."""
    if score is None or score["net_bps"] is None:
        return "–"
    mean = number(score["net_bps"], 1, sign=True)
    if score["low_bps"] is None:
        return f"{mean} (too few)"
    return f"{mean} [{number(score['low_bps'], 1)}, {number(score['high_bps'], 1)}]"


def terminal_table(document: Document) -> TerminalTable:
    """Return the outcome as a table for the terminal."""
    table = TerminalTable(title="net a trade, bps of the value entered, with 95 % intervals")
    table.add_column("strategy")
    for column in COLUMNS:
        table.add_column(f"{column}: trades", justify="right")
        table.add_column("net", justify="right")
    table.add_column("verdict")
    for row in document["rows"]:
        cells = []
        for column in COLUMNS:
            score = row["scores"][column]
            cells += ["–" if score is None else f"{score['trades']:,}", interval(score)]
        table.add_row(f"{row['strategy']} ({row['system']})", *cells, row["verdict"])
    return table


def _drawn(document: Document, column: str) -> Figure:
    rows = []
    for row in document["rows"]:
        score = row["scores"][column]
        nan = math.nan
        values = (nan, nan, nan) if score is None else (score["low_bps"], score["net_bps"], score["high_bps"])
        low, mean, high = (nan if value is None else float(value) for value in values)
        rows.append(Estimate(row["strategy"], low, mean, high, row["verdict"] == "found"))
    title = f"Net a trade {_WORDS[column]}"
    drawn = both_widths(lambda width: estimates(title, rows, 0.0, "bps", width, _RANGE_BPS))
    return Figure(title, *drawn)


def _results(document: Document) -> Table:
    columns = [Column("strategy", is_number=False), Column("planted as", is_number=False)]
    for column in COLUMNS:
        columns += [Column(f"trades, {column}"), Column(f"net a trade, {column}", "bps"), Column("won", "%")]
    columns.append(Column("verdict", is_number=False))
    rows = []
    for row in document["rows"]:
        cells = [Cell(f"{row['system']} {row['strategy']}"), Cell(row["planted"])]
        for column in COLUMNS:
            score = row["scores"][column]
            won = None if score is None or score["win_rate"] is None else 100.0 * score["win_rate"]
            cells += [
                Cell("–" if score is None else f"{score['trades']:,}"),
                Cell(interval(score)),
                Cell(number(won, 0)),
            ]
        cells.append(Cell(row["verdict"], tone=_TONES[row["verdict"]], strength=0.6))
        rows.append(Row(cells))
    return Table(
        "All results",
        columns,
        rows,
        "A trade is a round trip in both markets where a strategy trades two. Net: after maker 2 and taker 5.5 bps, funding in.",
    )


def tournament_page(document: Document, seconds: float) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    document : dict
    seconds : float
        How long it took; for the foot of the page.

    """
    drawings = Figures([_drawn(document, column) for column in COLUMNS])
    sections = [
        Section(
            "truth",
            "What each strategy found",
            "Each strategy trades the market its hypothesis is about, a market with every effect at once, and one in which "
            "nothing can be earned. It should earn in the first, and must not in the last.",
            [drawings, _results(document)],
        )
    ]
    days = document["days"]
    return render(
        sections,
        facts=[
            ("symbols", ", ".join(document["symbols"])),
            ("days", f"{days[OWN]:g} own effect, {days[EVERYTHING]:g} everything, {days[NULL]:g} nothing"),
            ("seed", str(document["seed"])),
            ("capital", f"{document['capital_usd']:,.0f} USD each"),
        ],
        caution="Synthetic markets: what is found here was planted. It says that a rule finds what it is about, and what it "
        "costs where there is nothing; it says nothing about real markets, and licenses no trade.",
        built=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        title="Tournament of all strategies",
        footer=f"Intervals: 95 %, from ten contiguous blocks of trades. {document['events']:,} events over "
        f"{document['symbol_days']:,g} days of a symbol took {number(seconds, 0)} s.",
    )
