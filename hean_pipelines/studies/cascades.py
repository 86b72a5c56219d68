"""E3 on a tape: what the mid did after each cascade F11 saw, against the same moves with their signs thrown anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hean_pipelines.studies.collect import Collected, collect, missing
from hean_pipelines.studies.outcome import Balance, Outcome, figure_of
from hean_pipelines.studies.tapes import OnHours, Tape

if TYPE_CHECKING:
    from models.evidence.cascade_study import CascadeStudy

STUDY = "E3"
HOURS = 24.0
_BPS = 1e4
_SEED = 1


def run(tape: Tape, on_hours: OnHours | None = None) -> Outcome:
    """Run E3 on a tape."""
    import numpy as np

    from models.evidence.cascade_study import OVERSHOOT_ABOVE, REVERSAL_ABOVE, cascade_study
    from models.evidence.signal_records import CASCADE

    collected = collect(tape, (5.0,), on_hours)
    cascades, quotes = collected.signals.of_kind(CASCADE), collected.signals.quotes
    side = cascades["side"].astype(np.int8)
    study = cascade_study(cascades["at_ns"], side, quotes["at_ns"], quotes["mid"], seed=_SEED)
    path = _paths(cascades["at_ns"], side, quotes)
    unknown = int((~np.isfinite(path).all(axis=1)).sum())
    figures = (
        figure_of("overshoot", "bps", study.overshoot, threshold=_BPS * OVERSHOOT_ABOVE, factor=_BPS),
        figure_of("reversal", "bps", study.reversal, threshold=_BPS * REVERSAL_ABOVE, factor=_BPS),
        figure_of("overshoot beyond chance", "bps", study.overshoot_excess, threshold=0.0, factor=_BPS),
        figure_of("reversal beyond chance", "bps", study.reversal_excess, threshold=0.0, factor=_BPS),
    )
    raw = all(figure.estimate > figure.threshold for figure in figures[:2])
    return Outcome(
        STUDY,
        tape.market,
        study.verdict,
        _reason(collected, study, raw),
        figures,
        {**collected.counts, "cascades": study.events, "measured": study.measured},
        (
            Balance(
                "cascades: measured, price not known throughout", len(cascades), (study.measured, unknown)
            ),
        ),
        {"path": _mean_path(path), "specified_thresholds_pass": raw},
    )


def _paths(at_ns: Any, side: Any, quotes: Any) -> Any:
    """Log mid along each cascade's own direction on the study's grid, bps from its start."""
    import numpy as np

    from models.evidence.as_of import as_of
    from models.evidence.cascade_study import OVERSHOOT_S, REVERSAL_S, STEP_S

    grid = np.arange(round((OVERSHOOT_S + REVERSAL_S) / STEP_S) + 1, dtype=np.int64) * round(STEP_S * 1e9)
    with np.errstate(invalid="ignore", divide="ignore"):
        path = np.log(as_of(quotes["at_ns"], quotes["mid"], at_ns[:, None] + grid))
    return _BPS * (path - path[:, :1]) * side[:, None]


def _mean_path(path: Any) -> list[dict[str, float]]:
    import numpy as np

    from models.evidence.cascade_study import STEP_S

    known = path[np.isfinite(path).all(axis=1)]
    if not len(known):
        return []
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75], axis=0)
    return [
        {
            "s": STEP_S * i,
            "mean": float(mean),
            "low": float(low[i]),
            "median": float(middle[i]),
            "high": float(high[i]),
        }
        for i, mean in enumerate(known.mean(axis=0))
    ]


def _reason(collected: Collected, study: CascadeStudy, raw: bool) -> str:
    from models.evidence.cascade_study import OVERSHOOT_S, REVERSAL_S
    from models.evidence.intervals import BLOCK_HORIZONS, BLOCKS, LEAST_PER_BLOCK

    if lacking := missing(collected):
        return lacking
    if study.overshoot is None or study.overshoot_excess is None or study.reversal_excess is None:
        hours = BLOCKS * BLOCK_HORIZONS * (OVERSHOOT_S + REVERSAL_S) / 3600.0
        return (
            f"{study.measured} of {study.events} cascades with a known price throughout: {BLOCKS * LEAST_PER_BLOCK} over at "
            f"least {hours:.0f} h are needed"
        )
    specified = "both specified thresholds are passed" if raw else "a specified threshold is not passed"
    ends = [_BPS * study.overshoot_excess.low, _BPS * study.reversal_excess.low]
    return f"{specified}; beyond chance at least {ends[0]:.1f} and {ends[1]:.1f} bps; n = {study.measured}"


def draw(outcome: Outcome) -> bytes:
    """Draw the path after a cascade, and the four figures; PNG."""
    from hean_pipelines.studies.pictures import intervals, picture, title_of

    figure = picture(outcome)
    axes = figure.subplots(1, 2)
    path = outcome.details["path"]
    seconds = [row["s"] for row in path]
    axes[0].fill_between(
        seconds, [row["low"] for row in path], [row["high"] for row in path], alpha=0.25, label="middle half"
    )
    axes[0].plot(seconds, [row["mean"] for row in path], label="mean")
    axes[0].axhline(0.0, lw=0.6, color="black")
    axes[0].set_xlabel("seconds after the cascade was seen")
    axes[0].set_ylabel("move in its direction, bps")
    if path:
        axes[0].legend(fontsize=7)
    intervals(axes[1], outcome.figures)
    return title_of(figure, outcome)
