"""Pictures of the cascade predictor: calibration, precision on recall, log loss saved against the base rate.

Here belongs drawing; what is measured, to `models.cascade.scores`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hean_pipelines.plots import new_figure, png_bytes
from models.cascade.labels import CascadeTable
from models.cascade.scores import Score, calibration_bins, precision_recall
from models.cascade.walk_forward import Predictions


def calibration_figure(table: CascadeTable, many: Mapping[str, Predictions]) -> bytes:
    """Draw, for each candidate, the share of samples before a cascade on the probability said; PNG."""
    figure = new_figure(5.0, 4.6)
    axis = figure.subplots()
    axis.plot([0.0, 1.0], [0.0, 1.0], color="black", linewidth=0.8)
    for name, said in many.items():
        bins = calibration_bins(table.take(said.rows).label, said.probability)
        axis.plot([b.said for b in bins], [b.seen for b in bins], marker="o", markersize=4, label=name)
    axis.set_xlim(0.0, 1.0)
    axis.set_ylim(0.0, 1.0)
    axis.set_xlabel("probability said, mean of a tenth of the samples")
    axis.set_ylabel("share before a cascade")
    axis.legend(fontsize=8)
    return png_bytes(figure)


def precision_figure(table: CascadeTable, many: Mapping[str, Predictions]) -> bytes:
    """Draw precision on recall of each candidate with the base rate; PNG."""
    figure = new_figure(5.0, 4.6)
    axis = figure.subplots()
    for name, said in many.items():
        label = table.take(said.rows).label
        if len(label) and label.any():
            precision, recall = precision_recall(label, said.probability)
            axis.step(recall, precision, where="post", label=name)
            axis.axhline(float(label.mean()), color="black", linewidth=0.5)
    axis.set_xlabel("recall")
    axis.set_ylabel("precision (line: base rate)")
    axis.set_ylim(0.0, 1.0)
    axis.legend(fontsize=8)
    return png_bytes(figure)


def gain_figure(scores: Sequence[Score], null: Sequence[Score]) -> bytes:
    """Draw the log loss each candidate saves, with its interval, where trained and on the null; PNG."""
    figure = new_figure(6.0, 3.2)
    axis = figure.subplots()
    for shift, own, words in ((-0.1, scores, "trained on"), (0.1, null, "null: nothing precedes")):
        places = [k + shift for k in range(len(own))]
        gains = [s.gain for s in own]
        reach = [[s.gain - s.gain_low for s in own], [s.gain_high - s.gain for s in own]]
        if own:
            axis.errorbar(places, gains, yerr=reach, fmt="o", capsize=3, label=words)
    axis.axhline(0.0, color="black", linewidth=0.8)
    axis.set_xticks(range(len(scores)), [s.model for s in scores])
    axis.set_ylabel("log loss saved, nats")
    axis.legend(fontsize=8)
    return png_bytes(figure)
