"""E5 on a tape: the mid after whale trades, from half a second after them on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hean_pipelines.studies.collect import Collected, collect, missing
from hean_pipelines.studies.outcome import Balance, Outcome, figure_of
from hean_pipelines.studies.tapes import OnHours, Tape

if TYPE_CHECKING:
    from models.evidence.whale_study import WhaleStudy

STUDY = "E5"
HOURS = 4.0
PATH_S = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0)
"""Where the picture reads the mid."""


def run(tape: Tape, on_hours: OnHours | None = None) -> Outcome:
    """Run E5 on a tape."""
    import numpy as np

    from models.evidence.event_study import markouts_bps
    from models.evidence.signal_records import WHALE
    from models.evidence.whale_study import ENTRY_DELAY_S, HORIZON_S, PASSES_ABOVE_BPS, whale_study

    collected = collect(tape, (5.0,), on_hours)
    whales, quotes = collected.signals.of_kind(WHALE), collected.signals.quotes
    side = whales["side"].astype(np.int8)
    study = whale_study(whales["at_ns"], side, quotes["at_ns"], quotes["mid"], path_s=PATH_S)
    moves = markouts_bps(
        whales["at_ns"], -side, quotes["at_ns"], quotes["mid"], (HORIZON_S,), entry_delay_s=ENTRY_DELAY_S
    )
    unknown = int((~np.isfinite(moves[:, 0])).sum())
    return Outcome(
        STUDY,
        tape.market,
        study.verdict,
        _reason(collected, study),
        (figure_of("move back after 5 s", "bps", study.reversion_bps, threshold=PASSES_ABOVE_BPS),),
        {**collected.counts, "whales": study.events, "measured": study.measured},
        (Balance("whales: measured, price unknown", len(whales), (study.measured, unknown)),),
        {
            "path": [{"s": s, "mean": mean} for s, mean in study.path_bps],
            "p_value": study.p_value,
            "block_means": list(study.reversion_bps.block_means) if study.reversion_bps else [],
        },
    )


def _reason(collected: Collected, study: WhaleStudy) -> str:
    from models.evidence.intervals import BLOCK_HORIZONS, BLOCKS, LEAST_PER_BLOCK
    from models.evidence.whale_study import HORIZON_S, PASSES_ABOVE_BPS

    if lacking := missing(collected):
        return lacking
    mean = study.reversion_bps
    if mean is None:
        least = BLOCK_HORIZONS * HORIZON_S
        needed = f"{BLOCKS} stretches of equally many, at least {LEAST_PER_BLOCK} and {least:.0f} s long each, are needed"
        return f"{study.measured} of {study.events} whale trades with known prices: {needed}"
    words = "above" if mean.estimate > PASSES_ABOVE_BPS else "not above"
    return (
        f"mean move back {mean.estimate:+.2f} bps is {words} {PASSES_ABOVE_BPS:g} bp, interval from {mean.low:+.2f} to "
        f"{mean.high:+.2f}; n = {mean.n}, worth about {mean.effective_n:.0f} independent ones"
    )


def draw(outcome: Outcome) -> bytes:
    """Draw the mean way back, and the block means the interval comes from; PNG."""
    from hean_pipelines.studies.pictures import bars_by, picture, title_of

    figure = picture(outcome)
    axes = figure.subplots(1, 2)
    path: list[dict[str, Any]] = outcome.details["path"]
    axes[0].plot([row["s"] for row in path], [row["mean"] for row in path], marker="o", ms=3)
    for level, style in ((0.0, "-"), (outcome.figures[0].threshold, "--")):
        axes[0].axhline(level, lw=0.6, color="black", ls=style)
    axes[0].set_xlabel("seconds after the whale")
    axes[0].set_ylabel("mean move back since 0.5 s, bps")
    blocks = outcome.details["block_means"]
    bars_by(axes[1], list(range(1, len(blocks) + 1)), blocks, "stretch of time", "mean move back, bps")
    return title_of(figure, outcome)
