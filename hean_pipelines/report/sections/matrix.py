"""Section: the regime–performance matrix as a heat map of cells in words and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hean_pipelines.report.blocks import Block, Cell, Column, Row, Section, Table
from hean_pipelines.report.text import number, percent
from models.portfolio.regime_matrix import LAST_TRADES
from models.regimes.rules import REGIMES

if TYPE_CHECKING:
    from hean_pipelines.report.inputs import Inputs

_FEW = 10


def build(inputs: Inputs) -> Section:
    """Return the section."""
    blocks: list[Block] = [*inputs.missing("matrix")]
    frame = inputs.frame("matrix")
    if frame is not None:
        blocks.append(_heat([dict(row) for row in frame.iter_rows(named=True)]))
    return Section(
        "matrix",
        "Regime–performance matrix",
        f"What each strategy earned in each regime over at most its last {LAST_TRADES} trades there: the probability that its "
        "true mean profit is positive, the mean profit shrunk toward the strategy's other regimes with its standard error, and "
        "the win rate with its 90 % interval.",
        blocks,
        "Regime matrix",
    )


def _heat(cells: list[dict[str, Any]]) -> Table:
    strategies = sorted({str(c["strategy"]) for c in cells})
    seen = {str(c["regime"]) for c in cells}
    regimes = [*REGIMES, *sorted(seen - set(REGIMES))]
    found = {(str(c["strategy"]), str(c["regime"])): c for c in cells}
    rows = [
        Row([Cell(regime), *(_cell(found.get((strategy, regime))) for strategy in strategies)])
        for regime in regimes
    ]
    columns = [Column("regime", is_number=False), *(Column(s, is_number=False) for s in strategies)]
    caption = (
        "Green: probably earns; red: probably loses; the paler, the less is known. "
        f"Cells of fewer than {_FEW} trades are marked; where nothing was traded nothing is claimed."
    )
    return Table("Probability of a positive expected value, P(EV > 0)", columns, rows, caption, compact=True)


def _cell(cell: dict[str, Any] | None) -> Cell:
    if cell is None:
        return Cell("no trade", tone="neutral", strength=0.3)
    p = float(cell["p_ev_positive"])
    detail = (
        f"n = {int(cell['n']):,}" + (" (few)" if cell["n"] < _FEW else ""),
        f"EV {number(cell['ev_shrunk_usd'], 3, sign=True)} ± {number(cell['ev_sd_usd'], 3)} USD a trade",
        f"won {percent(cell['win_rate'], 0)} ({percent(cell['win_rate_low'], 0)} to {percent(cell['win_rate_high'], 0)})",
    )
    return Cell(
        number(p, 2), tone="good" if p >= 0.5 else "bad", strength=min(abs(p - 0.5) * 2.0, 1.0), detail=detail
    )
