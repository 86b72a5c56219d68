"""How the run went: equity and drawdown, trades on the price, where the money went, the trades at either end."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from hean_pipelines.report.backtest.drawings import price_panel
from hean_pipelines.report.backtest.words import Document, duration, price_digits
from hean_pipelines.report.blocks import Block, Cell, Column, Figure, Figures, Key, Note, Row, Section, Table
from hean_pipelines.report.charts import both_widths
from hean_pipelines.report.text import moment, number, percent, plural
from hean_pipelines.report.time_charts import Curve, curves

_PANEL_WORDS: Final = {
    "whole": "The whole run",
    "busiest hour": "The hour with most fills",
    "worst trade": "The trade that lost most",
    "best trade": "The trade that earned most",
}
_DAY_NS: Final = 86_400_000_000_000


def equity(document: Document) -> Section:
    """Return equity with its drawdown below."""
    data, drawdown = document["equity"], document["figures"]["drawdown"]
    times = np.array(data["at_ns"], dtype=np.int64)
    if len(times) < 2:
        return Section("equity", "Equity", "", [Note("Fewer than two points of equity.")])
    words = (
        f"{number(document['plan']['capital_usd'], 2)} USD at the start, "
        f"{number(data['equity_usd'][-1], 2)} USD at the end."
    )
    under = "Equity never fell below its peak."
    if drawdown is not None:
        under = (
            f"Deepest at {moment(drawdown['trough_ns'])}, {number(drawdown['usd'], 2)} USD "
            f"({percent(drawdown['share'], 2)}) below the peak of {moment(drawdown['peak_ns'])}; "
            f"{'recovered' if drawdown['is_recovered'] else 'not recovered'} after {duration(drawdown['length_ns'])}."
        )
    up = Curve("equity", "equity", times, np.array(data["equity_usd"]))
    down = Curve("loss", "drawdown", times, np.array(data["drawdown_usd"]))
    drawn = both_widths(lambda width: curves(f"Equity over time: {words}", [up], "equity, USD", width))
    below = both_widths(
        lambda width: curves(f"Drawdown: {under}", [down], "drawdown, USD", width, height=170)
    )
    figures = [Figure("", *drawn, caption=words), Figure("", *below, caption=under)]
    intro = "Venue-side equity at the mark price, after fees and funding; below it, how far it stood under its highest point."
    return Section("equity", "Equity and drawdown", intro, [Figures(figures)], "Equity")


def price(document: Document) -> Section:
    """Return trades on the price, from far to near."""
    digits = price_digits(document)
    figures = []
    for panel in document["panels"]:
        if len(panel["mid"]) < 2:
            continue
        title = _PANEL_WORDS[panel["name"]]
        words = (
            f"{moment(panel['start_ns'])} to {moment(panel['end_ns'])}, {plural(panel['fill_count'], 'fill')} of "
            f"{plural(panel['trade_count'], 'trade')}."
        )
        if panel["fill_count"] and not panel["fills"]:
            words += " Too many to draw; the stretches below show some."
        if panel["name"] in ("worst trade", "best trade"):
            words += f" {_around(panel, digits)}"
        drawn = both_widths(lambda width, p=panel, t=title: price_panel(f"{t}: {words}", p, width, digits))  # noqa: B023
        figures.append(Figure(title, *drawn, caption=words))
    keys = [
        Key("price", "mid", "line"),
        Key("buy", "bought", "up"),
        Key("sell", "sold", "down"),
        Key("gain", "held with a profit after fees", "line"),
        Key("loss", "with a loss", "line"),
    ]
    blocks: list[Block] = [Figures(figures, keys)] if figures else [Note("No mid is known.")]
    intro = (
        "Filled triangles are taker fills, hollow ones maker fills; each carries its price when pointed at."
    )
    return Section("price", "Trades on the price", intro, blocks, "Price")


def _around(panel: dict[str, Any], digits: int) -> str:
    inside = [
        t for t in panel["trades"] if panel["start_ns"] < t["opened_ns"] and t["closed_ns"] < panel["end_ns"]
    ]
    if not inside:
        return ""
    pick = min if panel["name"] == "worst trade" else max
    trade = pick(inside, key=lambda t: t["net_usd"])
    return (
        f"{'Long' if trade['side'] > 0 else 'Short'} {number(trade['entry_price'], digits)} → "
        f"{number(trade['exit_price'], digits)}, {number(trade['net_bps'], 2, sign=True)} bps after fees, held "
        f"{duration(trade['closed_ns'] - trade['opened_ns'])}."
    )


def costs(document: Document) -> Section:
    """Return where the money went, and turnover and fees by period."""
    data, periods = document["equity"], document["periods"]
    times = np.array(data["at_ns"], dtype=np.int64)
    fees = np.array(data["fees_usd"])
    net = np.array(data["equity_usd"]) - document["plan"]["capital_usd"]
    lines = [
        Curve("m5", "before fees", times, net + fees),
        Curve("m4", "fees paid", times, -fees),
        Curve("equity", "after fees", times, net),
    ]
    words = "; ".join(f"{line.name} {number(float(line.values[-1]), 2, sign=True)} USD" for line in lines)
    money = both_widths(lambda width: curves(f"Cumulative profit: {words}", lines, "cumulative, USD", width))
    keys = [Key(line.colour, line.name, "line") for line in lines]
    blocks: list[Block] = [
        Figures([Figure("", *money, caption=f"{words}.")], keys, "Profit before and after fees")
    ]
    rows, unit = periods["rows"], "day" if periods["period_ns"] >= _DAY_NS else "hour"
    starts = np.array([*(r["start_ns"] for r in rows), rows[-1]["start_ns"] + periods["period_ns"]])
    figures = []
    for name, title, colour in (
        ("turnover", "turnover, × capital", "m6"),
        ("fees_usd", "fees, USD", "m4"),
    ):
        values = np.array([*(r[name] for r in rows), rows[-1][name]])
        curve = Curve(colour, name, starts, values, steps=True)
        label = f"{title} by {unit}: {number(float(values[:-1].mean()), 3)} on average"
        drawn = both_widths(
            lambda width, c=curve, t=title, words=label: curves(
                words, [c], f"{t} an {unit}" if unit == "hour" else f"{t} a day", width, height=190
            )
        )
        figures.append(Figure("", *drawn))
    blocks += [Figures(figures, (), f"Turnover and fees by {unit}"), _period_table(rows, unit)]
    intro = "What the trades earned at the prices they got, what the venue took, and what was left."
    if document["plan"]["leg"] != "none":
        intro += (
            " Fees and turnover here are those of the first market alone; those of the second leg are in the figures above, and "
            "in the profit from the start."
        )
    return Section("costs", "Turnover and fees", intro, blocks, "Costs")


def _period_table(rows: list[dict[str, Any]], unit: str) -> Table:
    columns = [
        Column(unit, "UTC", is_number=False),
        Column("trades"),
        Column("turnover", "× capital"),
        Column("fees", "USD"),
        Column("net profit", "USD"),
    ]
    body = [
        Row(
            [
                Cell(moment(r["start_ns"])),
                Cell(number(r["trades"], 0)),
                Cell(number(r["turnover"], 3)),
                Cell(number(r["fees_usd"], 3)),
                Cell(number(r["net_usd"], 3, sign=True)),
            ]
        )
        for r in rows
    ]
    return Table(f"Every {unit}", columns, body, "Trades and profit count where a trade closed.", folded=True)


def trades(document: Document) -> Section:
    """Return the trades that lost and earned most."""
    listed, digits = document["trades"], price_digits(document)
    blocks: list[Block] = [
        _trade_table(f"The {len(listed['worst'])} trades that lost most", listed["worst"], digits)
    ]
    if listed["best"]:
        blocks.append(
            _trade_table(f"The {len(listed['best'])} trades that earned most", listed["best"], digits)
        )
    intro = (
        f"{plural(listed['count'], 'trade')}, from flat to flat; prices are means over the fills of a trade."
    )
    return Section("trades", "Trades at either end", intro, blocks, "Trades")


def _trade_table(title: str, rows: list[dict[str, Any]], digits: int) -> Table:
    columns = [
        Column("opened", "UTC", is_number=False),
        Column("side", is_number=False),
        Column("held"),
        Column("quantity", "base"),
        Column("entry → exit", "USD"),
        Column("fees", "USD"),
        Column("net", "USD"),
        Column("net", "bps"),
    ]
    body = []
    for t in rows:
        colour = "good" if t["net_usd"] > 0.0 else "bad"
        cells = [
            Cell(moment(t["opened_ns"])),
            Cell("long" if t["side"] > 0 else "short"),
            Cell(duration(t["closed_ns"] - t["opened_ns"])),
            Cell(f"{t['quantity']:.6g}"),
            Cell(f"{number(t['entry_price'], digits + 1)} → {number(t['exit_price'], digits + 1)}"),
            Cell(number(t["fees_usd"], 4)),
            Cell(number(t["net_usd"], 4, sign=True), tone=colour, strength=0.35),
            Cell(number(t["net_bps"], 2, sign=True)),
        ]
        body.append(Row(cells))
    return Table(title, columns, body, folded=True)
