"""What the studies' pictures share: size, title, and a row of intervals.

Here belongs drawing that more than one study needs; what a study draws is in its own file.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hean_pipelines.studies.outcome import Figure, Outcome

_WIDTH = 120


def picture(outcome: Outcome, width_in: float = 9.0, height_in: float = 4.0) -> Any:
    """Return an empty figure, headed by what the study says and of which market."""
    from hean_pipelines.plots import new_figure

    figure = new_figure(width_in, height_in)
    lines = [
        f"{outcome.study}: {outcome.verdict}. {outcome.reason}",
        f"{outcome.market.kind}: {outcome.market.name}",
    ]
    figure.suptitle("\n".join(textwrap.fill(line, _WIDTH) for line in lines), fontsize=8)
    return figure


def title_of(figure: Any, outcome: Outcome) -> bytes:
    """Say "not enough data" where nothing was drawn, and render; PNG."""
    from hean_pipelines.plots import png_bytes

    for axis in figure.axes:
        axis.tick_params(labelsize=7)
        axis.xaxis.label.set_size(8)
        axis.yaxis.label.set_size(8)
        if not axis.has_data() or not _has_points(axis):
            axis.text(
                0.5, 0.5, "nothing to draw", ha="center", va="center", transform=axis.transAxes, fontsize=8
            )
    return png_bytes(figure)


def _has_points(axis: Any) -> bool:
    lines = any(len(line.get_xdata()) > 2 for line in axis.lines)
    return bool(lines or axis.patches or axis.collections or axis.containers)


def bars_by(axis: Any, at: Sequence[float], values: Sequence[float], x_label: str, y_label: str) -> None:
    """Draw a bar a group, labelled by where the group lies."""
    axis.bar(range(len(values)), values, width=0.8)
    axis.set_xticks(range(len(at)), [f"{x:.3g}" for x in at], rotation=45)
    axis.axhline(0.0, lw=0.6, color="black")
    axis.set_xlabel(x_label)
    axis.set_ylabel(y_label)


def intervals(axis: Any, figures: Sequence[Figure]) -> None:
    """Draw figures of one unit as points with their intervals and thresholds."""
    known = [f for f in figures if f.is_known]
    for row, figure in enumerate(known):
        ends = [[figure.estimate - figure.low], [figure.high - figure.estimate]]
        axis.errorbar([figure.estimate], [row], xerr=[[abs(e) for e in end] for end in ends], fmt="o", ms=4)
        if math.isfinite(figure.threshold):
            axis.plot([figure.threshold], [row], marker="|", ms=14, color="black")
    axis.set_yticks(range(len(known)), [f.name for f in known])
    if known:
        axis.set_ylim(len(known) - 0.5, -0.5)
        axis.set_xlabel(f"{known[0].unit}; | is the threshold")
