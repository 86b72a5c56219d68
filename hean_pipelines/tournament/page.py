"""The page and the terminal's table of a tournament. Composition and words; where numbers come from is `document.py`."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from rich.table import Table as TerminalTable

from hean_pipelines.report.blocks import Card, Cards, Cell, Column, Figure, Figures, Row, Section, Table
from hean_pipelines.report.build import render
from hean_pipelines.report.charts import Estimate, both_widths, estimates
from hean_pipelines.report.text import ABSENT, number
from hean_pipelines.tournament.document import COLUMNS
from hean_pipelines.tournament.run import EVERYTHING, NULL, OWN

_WORDS = {
    OWN: "where its own effect is planted",
    EVERYTHING: "where every effect is planted",
    NULL: "where nothing is planted",
}
_TONES = {"found": "good", "not found": "neutral", "too few trades": "neutral", "earns on nothing": "bad"}
_SHORT = {OWN: "own effect", EVERYTHING: "everything", NULL: "nothing"}
_MEANINGS = {
    "found": "earns where its effect is planted, interval and all",
    "not found": "the interval holds zero, or lies below it",
    "too few trades": "no interval where its effect is planted",
    "earns on nothing": "costs are wrong, or a rule looks ahead",
}
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


def planted_where(row: dict[str, Any]) -> str:
    """Return the scenario a strategy is judged on: its own effect alone, or everything where that was not run."""
    return str(row["planted"] if row["judged_on"] == OWN else EVERYTHING)


def terminal_table(document: Document) -> TerminalTable:
    """Return the results against the planted truth as a table for the terminal; the page has every market."""
    table = TerminalTable(title="net a trade in bps of the value entered, with 95 % intervals")
    table.add_column("strategy")
    table.add_column("planted where")
    for where in ("planted", "nothing"):
        table.add_column(f"trades, {where}", justify="right")
        table.add_column(f"net, {where}", justify="right")
    table.add_column("verdict")
    for row in document["rows"]:
        cells = []
        for column in (row["judged_on"], NULL):
            score = row["scores"][column]
            cells += [ABSENT if score is None else f"{score['trades']:,}", interval(score)]
        table.add_row(f"{row['strategy']} ({row['system']})", planted_where(row), *cells, row["verdict"])
    return table


def _columns(document: Document) -> list[str]:
    """Return the columns that were run; without days of its own no effect stands alone."""
    return [column for column in COLUMNS if document["days"][column] > 0.0]


def _drawn(document: Document, column: str) -> Figure:
    rows = []
    for row in document["rows"]:
        score = row["scores"][column]
        # A mean without an interval is not drawn: it would look as sure as the others.
        known = score is not None and score["low_bps"] is not None
        ends = ("low_bps", "net_bps", "high_bps")
        low, mean, high = (float(score[end]) if known else math.nan for end in ends)
        rows.append(Estimate(row["strategy"], low, mean, high, row["verdict"] == "found"))
    title = f"Net a trade {_WORDS[column]}"
    drawn = both_widths(lambda width: estimates(title, rows, 0.0, "bps", width, _RANGE_BPS))
    return Figure(title, *drawn)


def _score_cells(score: dict[str, Any] | None, tone: str = "") -> list[Cell]:
    """Return trades and net a trade; the net stands on a ground where its interval leaves zero out."""
    if score is None or not score["trades"]:
        return [Cell("0" if score else ABSENT), Cell(ABSENT)]
    known = score["low_bps"] is not None
    around = f"{number(score['low_bps'], 1)} to {number(score['high_bps'], 1)}" if known else "no interval"
    leaves = known and (score["low_bps"] > 0.0 or score["high_bps"] < 0.0)
    net = Cell(
        number(score["net_bps"], 1, sign=True),
        tone=tone or ("good" if score["net_bps"] > 0.0 else "bad") if leaves else "",
        strength=0.35 if leaves else 0.0,
        detail=(around,),
    )
    return [Cell(f"{score['trades']:,}"), net]


def _verdicts(document: Document) -> Cards:
    counts = Counter(row["verdict"] for row in document["rows"])
    return Cards(
        [
            Card(verdict, str(counts[verdict]), (words,), _TONES[verdict] if counts[verdict] else "")
            for verdict, words in _MEANINGS.items()
        ]
    )


def _against_truth(document: Document) -> Table:
    columns = [
        Column("strategy", is_number=False),
        Column("planted where", is_number=False),
        Column("trades, planted"),
        Column("net a trade, planted", "bps"),
        Column("trades, nothing planted"),
        Column("net a trade, nothing planted", "bps"),
        Column("verdict", is_number=False),
    ]
    rows = []
    for row in document["rows"]:
        null = row["scores"][NULL]
        cells = [Cell(f"{row['system']} {row['strategy']}"), Cell(planted_where(row))]
        cells += _score_cells(row["scores"][row["judged_on"]]) + _score_cells(null, _null_tone(null))
        tone = _TONES[row["verdict"]]
        cells.append(Cell(row["verdict"], tone=tone, strength=0.15 if tone == "neutral" else 0.6))
        rows.append(Row(cells))
    return Table(
        "Results against the planted truth",
        columns,
        rows,
        "Net of maker 2 bps, taker 5.5 bps and funding, over the value entered; below it the 95 % interval. A trade is a round "
        "trip, in both markets where a strategy trades two. To lose costs where nothing is planted is right.",
    )


def _null_tone(score: dict[str, Any] | None) -> str:
    """Colour what must not be: to earn on nothing. To lose there is no fault."""
    return "bad" if score and (score["low_bps"] or 0.0) > 0.0 else "neutral"


def _results(document: Document) -> Table:
    chosen = _columns(document)
    columns = [Column("strategy", is_number=False)]
    for column in chosen:
        heading = "nothing" if column == NULL else column
        columns += [
            Column(f"trades, {heading}"),
            Column("net", "bps"),
            Column("won", "%"),
            Column("held", "min"),
        ]
    rows = []
    for row in document["rows"]:
        cells = [Cell(f"{row['system']} {row['strategy']}")]
        for column in chosen:
            score = row["scores"][column] or {}
            won, held = score.get("win_rate"), score.get("mean_hold_s")
            cells += [
                *_score_cells(row["scores"][column], _null_tone(score) if column == NULL and score else ""),
                Cell(number(None if won is None else 100.0 * won, 0)),
                Cell(number(None if held is None else held / 60.0, 1)),
            ]
        rows.append(Row(cells))
    return Table("All markets", columns, rows, "Held: mean time from entry to exit.")


def tournament_page(document: Document, seconds: float) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    document : dict
    seconds : float
        How long it took; for the foot of the page.

    """
    chosen = _columns(document)
    drawings = Figures([_drawn(document, column) for column in chosen])
    alone = (
        "Each strategy trades the market its hypothesis is about, a market with every effect at once, and one in which nothing "
        "can be earned. It should earn in the first, and must not in the last."
    )
    together = (
        "Each strategy trades a market with every effect at once, and one in which nothing can be earned. It should earn in the "
        "first, and must not in the other. No effect was planted alone (own days 0), so some may be hidden by others."
    )
    intro = alone if OWN in chosen else together
    sections = [
        Section("truth", "What each strategy found", intro, [_verdicts(document), _against_truth(document)]),
        Section("markets", "Market by market", "", [drawings, _results(document)]),
    ]
    days = ", ".join(f"{document['days'][column]:g} {_SHORT[column]}" for column in chosen)
    return render(
        sections,
        facts=[
            ("symbols", ", ".join(document["symbols"])),
            ("days a symbol", days),
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
