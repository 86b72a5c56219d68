"""How good the fills were, how much capital it bears, and what it did about what was planted."""

from __future__ import annotations

import math
from typing import Any, Final

from hean_pipelines.report.backtest.drawings import Steps, ladder
from hean_pipelines.report.backtest.words import Document, interval, tone, value
from hean_pipelines.report.blocks import Block, Cell, Column, Figure, Figures, Key, Note, Row, Section, Table
from hean_pipelines.report.charts import both_widths
from hean_pipelines.report.text import ABSENT, number, percent, plural

_COLOURS: Final = {"all": "m2", "maker": "m6", "taker": "m3"}
_FEW_FILLS: Final = "too few fills"
_VERDICTS: Final = {
    "toxic": (
        "Toxic quoting: the mean markout of maker fills is below zero within 2 s, interval and all. Whoever trades with these "
        "orders knows more than they do.",
        "warning",
    ),
    "suspect": (
        "The mean markout of maker fills is below zero at some horizon within 2 s, but the interval holds zero or there are too "
        "few fills for one: toxic quoting is neither shown nor ruled out.",
        "warning",
    ),
    "sound": ("Maker fills are not marked down within 2 s: the quoting is not toxic.", "info"),
    "unknown": ("No maker fill was marked out, so nothing is known about toxic quoting.", "info"),
}


def _point(estimate: Document | None) -> tuple[float, float, float] | None:
    if estimate is None:
        return None
    low, high = (math.nan if estimate[end] is None else estimate[end] for end in ("low", "high"))
    return low, estimate["value"], high


def markouts(document: Document) -> Section:
    """Return X4 with its verdict."""
    data = document["markouts"]
    names = [f"{seconds:g} s" for seconds in data["horizons_s"]]
    groups = [g for g in ("maker", "taker") if data[g]["fills"]]
    many = [Steps(_COLOURS[g], g, [_point(m) for m in data[g]["means"]]) for g in groups]
    titles = ("time after the fill", "mean markout, bps")
    blocks: list[Block] = [Note(*_VERDICTS[data["quoting"]])]
    if many:
        label = f"Mean markouts of {' and '.join(groups)} fills with 95 % intervals at {', '.join(names)}"
        drawn = both_widths(lambda width: ladder(label, names, many, titles, width))
        keys = [Key(_COLOURS[g], f"{g}, {plural(data[g]['fills'], 'fill')}", "line") for g in groups]
        blocks.append(Figures([Figure("", *drawn)], keys))
    columns = [Column("fills of", is_number=False), Column("fills"), *(Column(n, "bps") for n in names)]
    rows = []
    for group in ("all", "maker", "taker"):
        cells = [Cell(group, colour=_COLOURS[group]), Cell(f"{data[group]['fills']:,}")]
        for mean in data[group]["means"]:
            detail = () if mean is None else (interval(mean, 2, _FEW_FILLS),)
            cells.append(Cell(value(mean, 2), tone=tone(mean), strength=0.35, detail=detail))
        rows.append(Row(cells))
    blocks.append(Table("Mean markouts", columns, rows))
    intro = (
        "How far the mid moved in a fill's direction, measured from the price it got, before fees. A taker starts half a spread "
        "behind, a maker half a spread ahead; what matters is where it goes from there."
    )
    return Section("markouts", "Markouts", intro, blocks)


def capacity(document: Document) -> Section:
    """Return what a trade earns as capital grows."""
    rows, days = document["capacity"]["rows"], document["capacity"]["days"]
    if not rows:
        words = "Capitals were not compared: only one was asked for, or the strategy never wanted an order."
        return Section("capacity", "Capacity", "", [Note(words)])
    names = [_usd(r["capital_usd"]) for r in rows]
    many = [Steps("m6", "net a trade", [_point(r["net_bps"]) for r in rows])]
    label = f"Net bps a trade with 95 % intervals at a capital of {', '.join(names)} USD"
    titles = ("capital, USD", "net a trade, bps")
    drawn = both_widths(lambda width: ladder(label, names, many, titles, width))
    columns = [
        Column("capital", "USD"),
        Column("of the run's"),
        Column("trades"),
        Column("mean entry", "USD"),
        Column("net a trade", "bps"),
        Column("net profit", "USD"),
        Column("filled of what was sent"),
    ]
    body = []
    for r, name in zip(rows, names, strict=True):
        cells = [
            Cell(name),
            Cell(f"{r['multiple']:g} ×"),
            Cell(f"{r['trades']:,}"),
            Cell(number(r["mean_entry_usd"], 2)),
            Cell(
                value(r["net_bps"], 2),
                tone=tone(r["net_bps"]),
                strength=0.35,
                detail=(interval(r["net_bps"], 2),) if r["net_bps"] else (),
            ),
            Cell(number(r["net_usd"], 2, sign=True)),
            Cell(percent(r["filled_share"])),
        ]
        body.append(Row(cells))
    intro = (
        f"The same {number(days, 2)} days of the tape at several capitals, everything else equal. A larger order walks further "
        "into the book and waits longer in the queue. Assumed: nobody reacts to our orders, and what they took is there again "
        "for the next one. So the figures are an upper bound, and the first capital at which they fall is too large."
    )
    blocks: list[Block] = [
        Figures([Figure("", *drawn, caption=_capacity_words(rows))]),
        Table("Capitals", columns, body),
    ]
    return Section("capacity", "Capacity", intro, blocks)


def _usd(amount: float) -> str:
    return number(amount, 0)


def _capacity_words(rows: list[dict[str, Any]]) -> str:
    known = [r for r in rows if r["net_bps"] is not None]
    if len(known) < 2:
        return "Too few capitals traded to compare."
    change = known[-1]["net_bps"]["value"] - known[0]["net_bps"]["value"]
    return (
        f"From {_usd(known[0]['capital_usd'])} to {_usd(known[-1]['capital_usd'])} USD the net of a trade changes by "
        f"{number(change, 2, sign=True)} bps."
    )


def truth(document: Document) -> Section:
    """Return what was planted beside what the strategy did about it."""
    columns = [
        Column("planted", is_number=False),
        Column("episodes"),
        Column("traded against"),
        Column("traded with"),
        Column("trades"),
        Column("net a trade", "bps"),
    ]
    body = []
    for r in document["truth"]:
        shares = [
            f"{r[side]:,} ({percent(r[side] / r['episodes'])})" if r["episodes"] else ABSENT
            for side in ("traded_against", "traded_with")
        ]
        cells = [
            Cell(r["cause"]),
            Cell(f"{r['episodes']:,}" if r["episodes"] else ABSENT),
            *(Cell(words) for words in shares),
            Cell(f"{r['trades']:,}"),
            Cell(
                value(r["net_bps"], 2),
                tone=tone(r["net_bps"]),
                strength=0.35,
                detail=(interval(r["net_bps"], 2),) if r["net_bps"] else (),
            ),
        ]
        body.append(Row(cells))
    caption = (
        "A trade counts for the episode that began last before it and was still felt: until its transient impact has faded to a "
        "twentieth after its last order. Episodes that had not ended with the tape are left out."
    )
    intro = "The market's own record of what happened in it, which the strategy could not see."
    blocks: list[Block] = [Table("Episodes and trades", columns, body, caption)]
    if document["planted"] is not None:
        blocks.insert(0, _planted(document))
    return Section("truth", "Planted truth", intro, blocks, "Truth")


def _planted(document: Document) -> Block:
    """Return in which numbers a slow market differs from the one with nothing in it."""
    rows = document["planted"]
    if not rows:
        return Note("Nothing is planted in this market: a strategy that earns in it is wrong.")
    columns = [Column("planted", is_number=False), Column("in this market"), Column("with nothing planted")]
    body = [Row([Cell(r["name"]), Cell(_numbers(r["here"])), Cell(_numbers(r["nothing"]))]) for r in rows]
    words = "Parameters of the market; docs/slow_market.md says what each effect is."
    return Table("What is planted", columns, body, words)


def _numbers(given: float | list[float] | None) -> str:
    if given is None:
        return "endless"
    return " / ".join(f"{each:,g}" for each in (given if isinstance(given, list) else [given]))
