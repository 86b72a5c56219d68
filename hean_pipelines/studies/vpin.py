"""E2 on a tape: readings of VPIN every ten seconds against the change of the mid over the next five minutes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hean_pipelines.studies.collect import Collected, collect, minutes, missing
from hean_pipelines.studies.outcome import Balance, Figure, Outcome, figure_of
from hean_pipelines.studies.tapes import OnHours, Tape

if TYPE_CHECKING:
    from models.evidence.vpin_study import VpinStudy

STUDY = "E2"
HOURS = 24.0
_BINS = 10


def run(tape: Tape, on_hours: OnHours | None = None) -> Outcome:
    """Run E2 on a tape."""
    import numpy as np

    from models.evidence.vpin_study import PASSES_ABOVE, vpin_study

    collected = collect(tape, (5.0,), on_hours)
    readings, quotes = collected.signals.readings, collected.signals.quotes
    study = vpin_study(readings["at_ns"], readings["vpin"], quotes["at_ns"], quotes["mid"])
    change = _next_change(collected)
    known = np.isfinite(readings["vpin"])
    both = known & np.isfinite(change)
    counts = {**collected.counts, "readings": len(readings), "measured": study.n}
    balances = (
        Balance(
            "readings: measured, VPIN undefined, price unknown",
            len(readings),
            (study.n, int((~known).sum()), int((known & ~both).sum())),
        ),
    )
    signed = figure_of("correlation with the next change", "", study.signed, threshold=PASSES_ABOVE)
    size = figure_of("correlation with its size", "", study.size)
    details = _bins(readings["vpin"][both], change[both])
    return Outcome(
        STUDY,
        tape.market,
        study.verdict,
        _reason(collected, study, signed, PASSES_ABOVE),
        (signed, size),
        counts,
        balances,
        details,
    )


def _next_change(collected: Collected) -> Any:
    import numpy as np

    from models.evidence.as_of import as_of
    from models.evidence.vpin_study import HORIZON_S

    at, quotes = collected.signals.readings["at_ns"], collected.signals.quotes
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.log(
            as_of(quotes["at_ns"], quotes["mid"], at + round(HORIZON_S * 1e9))
            / as_of(quotes["at_ns"], quotes["mid"], at)
        )


def _bins(vpin: Any, change: Any) -> dict[str, Any]:
    """Mean change and mean size of the change by tenth of VPIN."""
    import numpy as np

    if len(vpin) < _BINS:
        return {"bins": []}
    order = np.argsort(vpin, kind="stable")
    rows = []
    for own in np.array_split(order, _BINS):
        moves = 1e4 * change[own]
        rows.append(
            {
                "vpin": float(vpin[own].mean()),
                "change_bps": float(moves.mean()),
                "size_bps": float(np.abs(moves).mean()),
                "n": len(own),
            }
        )
    return {"bins": rows}


def _reason(collected: Collected, study: VpinStudy, signed: Figure, threshold: float) -> str:
    from models.evidence.intervals import BLOCK_HORIZONS, BLOCKS
    from models.evidence.vpin_study import HORIZON_S

    if lacking := missing(collected):
        return lacking
    if not collected.signals.counts.vpin:
        params = collected.features
        volume = params.vpin_buckets * params.vpin_bucket_usd
        return f"VPIN is never defined: its {params.vpin_buckets} buckets need {volume:,.0f} USD of trades"
    if not signed.is_known:
        least = BLOCKS * BLOCK_HORIZONS * HORIZON_S / 60.0
        span = minutes(_span_ns(collected))
        return (
            f"{study.n} readings over {span:.0f} min cannot be cut into {BLOCKS} blocks twice as long as five minutes and as "
            f"VPIN's own memory: at least {least:.0f} min are needed"
        )
    words = "above" if abs(signed.estimate) > threshold else "not above"
    zero = "excludes" if signed.low * signed.high > 0.0 else "holds"
    return f"|{signed.estimate:+.3f}| is {words} {threshold}, the interval {zero} zero; n = {study.n}"


def _span_ns(collected: Collected) -> float:
    import numpy as np

    readings = collected.signals.readings
    at = readings["at_ns"][np.isfinite(readings["vpin"])]
    return float(at[-1] - at[0]) if len(at) else math.nan


def draw(outcome: Outcome) -> bytes:
    """Draw the next change by tenth of VPIN, and its size; PNG."""
    from hean_pipelines.studies.pictures import bars_by, picture, title_of

    figure = picture(outcome)
    axes = figure.subplots(1, 2)
    bins = outcome.details["bins"]
    at = [row["vpin"] for row in bins]
    bars_by(
        axes[0], at, [row["change_bps"] for row in bins], "VPIN, by tenths", "next 5 min, mean change, bps"
    )
    bars_by(axes[1], at, [row["size_bps"] for row in bins], "VPIN, by tenths", "its mean size, bps")
    return title_of(figure, outcome)
