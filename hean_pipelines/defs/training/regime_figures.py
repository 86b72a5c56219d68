"""Pictures of the regime model: what each number of states is worth, and states beside the rules.

Here belongs drawing; what is measured, to `models.regimes.selection`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hean_pipelines.plots import new_figure, png_bytes
from models.regimes.kernel import REGIME_NAMES
from models.regimes.selection import Agreement, Selected


def states_figure(many: Mapping[str, Selected]) -> bytes:
    """Draw out-of-sample log density and information criterion by number of states, a line a symbol; PNG."""
    figure = new_figure(8.0, 3.2)
    left, right = figure.subplots(1, 2)
    for symbol, own in many.items():
        states = [s.states for s in own.scores]
        left.plot(
            states, [s.out_of_sample - own.scores[0].out_of_sample for s in own.scores], "o-", label=symbol
        )
        right.plot(states, [s.bic - own.scores[0].bic for s in own.scores], "o-")
        left.plot(
            len(own.model.start),
            next(s.out_of_sample for s in own.scores if s.states == len(own.model.start))
            - own.scores[0].out_of_sample,
            "k*",
        )
    left.set_xlabel("states (star: chosen)")
    left.set_ylabel("log density gained, nats a minute")
    right.set_xlabel("states")
    right.set_ylabel("information criterion, change")
    left.legend(fontsize=7)
    return png_bytes(figure)


def agreement_figure(many: Mapping[str, Agreement]) -> bytes:
    """Draw, for each symbol, the share of each state's minutes in each regime of the rules; PNG."""
    figure = new_figure(1.5 + 2.6 * max(len(many), 1), 3.6)
    axes = np.atleast_1d(figure.subplots(1, max(len(many), 1), sharey=True))
    names = list(REGIME_NAMES.values())
    for axis, (symbol, own) in zip(axes, many.items(), strict=False):
        share = own.table / np.maximum(own.table.sum(axis=1, keepdims=True), 1)
        axis.imshow(share.T, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
        for state, row in enumerate(share):
            for regime, value in enumerate(row):
                axis.text(state, regime, f"{value:.0%}", ha="center", va="center", fontsize=7)
        dwell = [f"{k}\n{own.state_dwell_min[k]:.0f} min" for k in range(len(share))]
        axis.set_xticks(range(len(share)), dwell, fontsize=7)
        axis.set_title(symbol, fontsize=8)
    axes[0].set_yticks(range(len(names)), names, fontsize=7)
    return png_bytes(figure)
