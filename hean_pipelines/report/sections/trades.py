"""Section: equity and closed trades, live and shadow; orders and blocks are drawn up in `orders`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hean_pipelines.report.blocks import Block, Cell, Column, Figure, Figures, Key, Note, Row, Section, Table
from hean_pipelines.report.charts import both_widths
from hean_pipelines.report.sections.markouts import markouts
from hean_pipelines.report.sections.orders import blocked, executions, orders_by_state
from hean_pipelines.report.text import ABSENT, bps, moment, number, percent, plural
from hean_pipelines.report.time_charts import Curve, Mark, curves

if TYPE_CHECKING:
    import polars as pl

    from hean_pipelines.report.inputs import Inputs

MODES = ("live", "shadow")
LAST = 25
_Trade = dict[str, Any]


def build(inputs: Inputs) -> Section:
    """Return the section."""
    blocks: list[Block] = [*inputs.missing("equity", "trades", "orders", "fills", "events")]
    trades = trades_of(inputs)
    blocks += _equity(inputs.frame("equity"), trades)
    if trades:
        blocks += [*_cumulative(trades), *_results(trades), *_pairs(trades), _last(trades)]
    blocks += orders_by_state(inputs.frame("orders"))
    blocks += executions(inputs.frame("fills"))
    blocks += markouts(inputs)
    blocks += blocked(inputs.frame("events"))
    return Section(
        "trades",
        "Equity and trades",
        "What the executor did, from its own journal. Live trades went to the venue named above; shadow trades are the same "
        "signals booked at the touch with taker fees, whether or not an order was sent. Times are market time, UTC.",
        blocks,
    )


def trades_of(inputs: Inputs) -> list[_Trade]:
    """Return the closed trades in the order they were closed."""
    frame = inputs.frame("trades")
    return [] if frame is None else list(frame.sort("exit_ns", "trade_id").iter_rows(named=True))


def _sum(trades: Sequence[_Trade], name: str) -> float:
    return float(sum(t[name] for t in trades if t[name] is not None))


def _equity(frame: pl.DataFrame | None, trades: list[_Trade]) -> list[Block]:
    if frame is None:
        return []
    rows = frame.sort("at_ns").drop_nulls(["at_ns", "equity_usd"])
    times, values = rows["at_ns"].to_numpy(), rows["equity_usd"].to_numpy()
    if len(times) < 2:
        return [Note(f"The equity holds {plural(len(times), 'point')}; a curve needs two.")]
    marks = []
    for trade in trades:
        if trade["mode"] != "live" or not times[0] <= trade["exit_ns"] <= times[-1]:
            continue
        value = float(values[int(np.searchsorted(times, trade["exit_ns"], side="right")) - 1])
        tip = f"{trade['symbol']} closed {moment(trade['exit_ns'])}: {number(trade['pnl_usd'], 2, sign=True)} USD"
        marks.append(Mark(int(trade["exit_ns"]), value, (trade["pnl_usd"] or 0.0) > 0.0, tip))
    change = float(values[-1] - values[0])
    fall = float((1.0 - values / np.maximum.accumulate(values)).max()) if (values > 0).all() else float("nan")
    words = (
        f"{number(float(values[0]), 2)} → {number(float(values[-1]), 2)} USD ({number(change, 2, sign=True)}), largest drawdown "
        f"{percent(fall, 2)}, {moment(int(times[0]))} to {moment(int(times[-1]))}."
    )
    curve = Curve("equity", "equity", times, values)
    drawn = both_widths(
        lambda width: curves(f"Equity over time: {words}", [curve], "equity, USD", width, marks)
    )
    keys = [
        Key("equity", "equity", "line"),
        Key("gain", "live trade closed with a profit", "up"),
        Key("loss", "with a loss", "down"),
    ]
    return [Figures([Figure("", *drawn, caption=words)], keys, "Equity")]


def _cumulative(trades: list[_Trade]) -> list[Block]:
    lines = []
    for mode in MODES:
        own = [t for t in trades if t["mode"] == mode and t["pnl_usd"] is not None]
        if own:
            times = np.array([own[0]["exit_ns"] - 1, *(t["exit_ns"] for t in own)], dtype=np.int64)
            lines.append(Curve(mode, mode, times, np.cumsum([0.0, *(t["pnl_usd"] for t in own)]), steps=True))
    if not lines:
        return []
    words = "; ".join(f"{line.name} {number(float(line.values[-1]), 2, sign=True)} USD" for line in lines)
    label = f"Cumulative profit after fees and funding: {words}"
    drawn = both_widths(lambda width: curves(label, lines, "cumulative PnL, USD", width))
    keys = [Key(line.colour, line.name, "line") for line in lines]
    figure = Figure("", *drawn, caption=f"After fees and funding: {words}.")
    return [Figures([figure], keys, "Cumulative PnL, live and shadow")]


def _results(trades: list[_Trade]) -> list[Block]:
    rows = []
    for mode in MODES:
        own = [t for t in trades if t["mode"] == mode]
        if not own:
            continue
        net, fees, funding = (_sum(own, name) for name in ("pnl_usd", "fees_usd", "funding_usd"))
        returns = np.array([t["pnl_bps"] for t in own if t["pnl_bps"] is not None])
        error = float(returns.std(ddof=1) / np.sqrt(len(returns))) if len(returns) > 1 else None
        cells = [
            Cell(mode, colour=mode),
            Cell(f"{len(own):,}"),
            Cell(percent(sum(t["pnl_usd"] > 0 for t in own if t["pnl_usd"] is not None) / len(own))),
            Cell(number(net - funding + fees, 2, sign=True)),
            Cell(number(funding, 2, sign=True)),
            Cell(number(-fees, 2, sign=True)),
            _signed(net, 2),
            Cell(
                f"{number(float(returns.mean()) if len(returns) else None, 2, sign=True)} ± {number(error, 2)}"
            ),
        ]
        rows.append(Row(cells))
    columns = [
        Column("mode", is_number=False),
        Column("trades"),
        Column("won"),
        Column("from price", "USD"),
        Column("from funding", "USD"),
        Column("fees", "USD"),
        Column("net PnL", "USD"),
        Column("mean PnL a trade", "bps ± standard error"),
    ]
    return [Table("Where the result comes from", columns, rows, "Net = price + funding + fees.")]


def _pairs(trades: list[_Trade]) -> list[Block]:
    keyed = {
        mode: {t["trade_id"].removeprefix(f"{mode}-"): t for t in trades if t["mode"] == mode}
        for mode in MODES
    }
    shared = sorted(keyed["live"].keys() & keyed["shadow"].keys())
    gaps = np.array(
        [
            keyed["live"][key]["pnl_bps"] - keyed["shadow"][key]["pnl_bps"]
            for key in shared
            if keyed["live"][key]["pnl_bps"] is not None and keyed["shadow"][key]["pnl_bps"] is not None
        ]
    )
    if len(gaps) == 0:
        return []
    words = (
        f"{plural(len(gaps), 'decision was', 'decisions were')} traded both live and in shadow: live earned "
        f"{number(float(gaps.mean()), 2, sign=True)} bps a trade relative to shadow (median "
        f"{number(float(np.median(gaps)), 2, sign=True)} bps). The difference is what execution gained or cost."
    )
    return [Note(words)]


def _signed(value: float | None, digits: int) -> Cell:
    tone = "" if not value else "good" if value > 0 else "bad"
    return Cell(number(value, digits, sign=True), tone=tone, strength=0.35)


def _last(trades: list[_Trade]) -> Table:
    columns = [
        Column("closed", "UTC", is_number=False),
        Column("symbol", is_number=False),
        Column("mode", is_number=False),
        Column("side", is_number=False),
        Column("regime", is_number=False),
        Column("quantity", "base"),
        Column("entry → exit", "USD"),
        Column("fees", "USD"),
        Column("funding", "USD"),
        Column("PnL", "USD"),
        Column("PnL", "bps"),
        Column("rate forecast → paid", "bps"),
        Column("model", "version"),
    ]
    shown = trades[::-1][:LAST]
    title = f"The last {plural(len(shown), 'trade')}" + (
        f" of {len(trades):,}" if len(trades) > len(shown) else ""
    )
    caption = "Fees are paid; funding is positive when received; PnL is after both."
    return Table(title, columns, [_trade_row(t) for t in shown], caption)


def _trade_row(t: _Trade) -> Row:
    cells = [
        Cell(moment(t["exit_ns"])),
        Cell(t["symbol"]),
        Cell(t["mode"], colour=t["mode"] if t["mode"] in MODES else ""),
        Cell({1: "long", -1: "short"}.get(t["side"], ABSENT)),
        Cell(str(t["regime"] or ABSENT)),
        Cell(str(t["qty"] or ABSENT)),
        Cell(f"{_price(t['entry_price'])} → {_price(t['exit_price'])}"),
        Cell(number(t["fees_usd"], 3)),
        Cell(number(t["funding_usd"], 3, sign=True)),
        _signed(t["pnl_usd"], 3),
        Cell(number(t["pnl_bps"], 2, sign=True)),
        Cell(f"{bps(t['predicted'])} → {bps(t['realised_rate'])}"),
        Cell(str(t["model_version"] or ABSENT)),
    ]
    return Row(cells)


def _price(text: object) -> str:
    """Shorten an average price to the digits that matter: seven significant."""
    try:
        return f"{float(str(text)):.7g}"
    except ValueError:
        return ABSENT
