"""What the gates would have let through, and what each cost or saved. Figures and assumptions come with the document."""

from __future__ import annotations

from typing import Any, Final

from hean_pipelines.report.backtest.words import Document, interval, tone, value
from hean_pipelines.report.blocks import Block, Cell, Column, Figure, Figures, Key, Note, Row, Section, Table
from hean_pipelines.report.charts import Bars, grouped_bars
from hean_pipelines.report.text import ABSENT, number, percent, plural

_INTRO: Final = (
    "Live, a signal trades only where thirteen gates let it pass (docs/gates.md). Here the same functions were asked about the "
    "signal of every round trip, with the market as it stood at that tick. A gate answers for what it alone blocked, the rotator "
    "and promotion apart; where several blocked, none may claim the result."
)
_VERDICT_WORDS: Final = {
    "costs money": "costs money: what it blocked would have earned",
    "saves money": "saves money: what it blocked would have lost",
    "undecided": "undecided: the interval holds zero",
    "not enough data": "not enough data",
    "": ABSENT,
}
_TONES: Final = {"costs money": "bad", "saves money": "good"}


def build(document: Document) -> Section:
    """Return the section; in words where the gates were not asked or nothing was there to ask about."""
    data = document["gates"]
    if data is None:
        return _section([Note("The gates were not asked: --no-gates.")])
    result = data["result"]
    if result is None:
        return _section([Note("No round trip was ended, so there was nothing to ask the gates about.")])
    blocks: list[Block] = [
        Note(headline(document), "info"),
        _totals(result),
        *_picture(result),
        _gates(result),
        _assumptions(data["assumptions"]),
    ]
    return _section(blocks, _INTRO)


def headline(document: Document) -> str:
    """Return what the gates let through in a sentence; for the page and the terminal."""
    result = document["gates"]["result"]
    every, passed = result["every"], result["passed"]
    words = (
        f"{passed['trips']:,} of {plural(every['trips'], 'round trip')} pass all gates "
        f"({percent(passed['trips'] / every['trips'])})"
    )
    if not passed["trips"]:
        return f"{words}: live, nothing would have been traded."
    return (
        f"{words}: {_bps(passed)}, {number(passed['net_usd'], 2, sign=True)} USD. "
        f"All of them: {_bps(every)}, {number(every['net_usd'], 2, sign=True)} USD."
    )


def most_blocking(document: Document) -> str:
    """Return the gates that blocked most, for the terminal; empty where none blocked."""
    gates = [gate for gate in document["gates"]["result"]["gates"] if gate["blocked"]]
    gates.sort(key=lambda gate: -gate["blocked"])
    return ", ".join(
        f"{gate['row']} {gate['name']} {gate['blocked']:,} ({gate['alone']['trips']:,} alone"
        f"{', ' + gate['verdict'] if gate['verdict'] else ''})"
        for gate in gates
    )


def _section(blocks: list[Block], intro: str = "") -> Section:
    return Section("gates", "What the gates would let through", intro, blocks, "Gates")


def _bps(trips: Document) -> str:
    return f"{value(trips['net_bps'], 2)} bps a trip ({interval(trips['net_bps'], 2)})"


def _net_cells(trips: Document, *, toned: bool = True) -> list[Cell]:
    estimate = trips["net_bps"]
    detail = (interval(estimate, 2),) if estimate else ()
    return [
        Cell(f"{trips['trips']:,}"),
        Cell(value(estimate, 2), tone=tone(estimate) if toned else "", strength=0.35, detail=detail),
        Cell(number(trips["net_usd"], 2, sign=True) if trips["trips"] else ABSENT),
    ]


def _totals(result: Document) -> Table:
    alone = [gate["alone"] for gate in result["gates"] if gate["alone"]["trips"]]
    one = {
        "trips": sum(trips["trips"] for trips in alone),
        "net_usd": sum(trips["net_usd"] for trips in alone),
        "net_bps": None,
    }
    rows = [
        Row([Cell("all"), *_net_cells(result["every"])], strong=True),
        Row([Cell("passed every gate"), *_net_cells(result["passed"])]),
        Row([Cell("blocked by one gate alone"), *_net_cells(one)]),
        Row([Cell("blocked by several"), *_net_cells(result["shared"])]),
    ]
    columns = [
        Column("round trips", is_number=False),
        Column("trips"),
        Column("net a trip", "bps"),
        Column("net", "USD"),
    ]
    caption = (
        "Round trips from flat to flat as the strategy knew it, net of fees and funding over half the value traded. "
        f"{plural(result['signals'], 'signal')} were judged, also those whose orders were never filled; "
        f"{result['signals_passed']:,} passed."
    )
    return Table("Trips the gates let through", columns, rows, caption, compact=True)


def _picture(result: Document) -> list[Block]:
    gates = [gate for gate in result["gates"] if gate["blocked"]]
    if not gates:
        return []
    total = result["every"]["trips"]
    rows = [gate["row"] for gate in gates]
    at_all = [gate["blocked"] / total for gate in gates]
    alone = [gate["alone"]["trips"] / total for gate in gates]
    told = ", ".join(
        f"{row} {percent(a)} and {percent(b)}" for row, a, b in zip(rows, at_all, alone, strict=True)
    )
    label = f"Share of the round trips each gate blocked at all and alone: {told}"
    series = [Bars("m3", "blocked", at_all), Bars("m2", "blocked alone", alone)]
    drawn = grouped_bars(label, rows, series, "share of trips", 0.0)
    keys = [Key("m3", "blocked at all"), Key("m2", "blocked alone")]
    return [Figures([Figure("Share of the round trips", drawn)], keys, is_small=True)]


def _gates(result: Document) -> Table:
    columns = [
        Column("gate", is_number=False),
        Column("blocked"),
        Column("alone"),
        Column("net a trip it blocked alone", "bps"),
        Column("net of these", "USD"),
        Column("verdict", is_number=False),
        Column("reasons", is_number=False),
        Column("mean multiplier"),
    ]
    rows = [Row(_gate_cells(gate)) for gate in result["gates"]]
    caption = (
        "In the order they are asked. The multiplier is the mean over the trips that passed every gate, shown where it is not 1; "
        "verdicts rest on the 95 % interval, which takes fifty trips at least."
    )
    return Table("What each gate did", columns, rows, caption)


def _gate_cells(gate: dict[str, Any]) -> list[Cell]:
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in gate["reasons"])
    verdict, factor = gate["verdict"], gate["multiplier"]
    return [
        Cell(f"{gate['row']} {gate['name']}"),
        Cell(f"{gate['blocked']:,}"),
        *_net_cells(
            gate["alone"], toned=False
        ),  # what is good for a trip is bad for the gate that blocked it
        Cell(_VERDICT_WORDS[verdict], tone=_TONES.get(verdict, ""), strength=0.35),
        Cell(reasons or ABSENT),
        Cell(ABSENT if factor in (None, 1.0) else f"× {number(factor, 2)}"),
    ]


def _assumptions(sentences: list[str]) -> Table:
    rows = [Row([Cell(words)]) for words in sentences]
    return Table("What is taken for granted", [Column("what no tape holds", is_number=False)], rows)
