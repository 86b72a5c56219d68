"""E6 on a tape: what fading an exhausted forced flow earns at six horizons, by funding regime, at θ and two bps beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hean_pipelines.studies.collect import Collected, collect, missing
from hean_pipelines.studies.outcome import Balance, Figure, Outcome, figure_of
from hean_pipelines.studies.tapes import OnHours, Tape

if TYPE_CHECKING:
    from models.evidence.event_study import Markout
    from models.evidence.exhaustion_study import Events, ExhaustionStudy

STUDY = "E6"
HOURS = 72.0
THETA_BPS = 5.0
COST_BPS = 7.5
"""Maker fee in, taker fee out (2 + 5.5 bps of VIP 0). The entry rests at the touch: no half spread is paid for it."""
BASE_RATE = 1e-4
"""The rate funding has when nobody pushes; regimes lie above, below, or at it."""
_SEED = 1


def run(tape: Tape, on_hours: OnHours | None = None) -> Outcome:
    """Run E6 on a tape."""
    from models.evidence.event_study import EVERYTHING
    from models.evidence.exhaustion_study import THETA_STEP_BPS, exhaustion_study

    thetas = (THETA_BPS, THETA_BPS - THETA_STEP_BPS, THETA_BPS + THETA_STEP_BPS)
    collected = collect(tape, thetas, on_hours)
    cost = COST_BPS if tape.costs else 0.0
    quotes = collected.signals.quotes
    events = {theta: _events(collected.signals.exhaustions[theta]) for theta in thetas}
    study = exhaustion_study(events, THETA_BPS, quotes["at_ns"], quotes["mid"], cost_bps=cost, seed=_SEED)
    main = study.by_theta[THETA_BPS]
    everything = [m for m in main.markouts if m.group == EVERYTHING]
    rows = [_row(theta, m) for theta, own in sorted(study.by_theta.items()) for m in own.markouts]
    counts = {**collected.counts, "events": len(events[THETA_BPS].at_ns)}
    counts |= {f"events_theta_{theta:g}bps": len(own.at_ns) for theta, own in sorted(events.items())}
    return Outcome(
        STUDY,
        tape.market,
        study.verdict,
        _reason(collected, study, everything),
        _figures(study, everything),
        counts,
        _balances(study),
        {
            "markouts": rows,
            "theta_bps": THETA_BPS,
            "cost_bps": cost,
            "stable": study.stable,
            "horizon_s": study.horizon_s,
        },
    )


def regime_of(funding_rate: float) -> str:
    """Return the funding regime of a rate: above, at or below the base rate; unknown before a settlement was seen.

    Examples
    --------
    >>> regime_of(0.0003), regime_of(0.0001), regime_of(-0.0001)
    ('funding high', 'funding at base', 'funding low')

    """
    if math.isnan(funding_rate):
        return "funding unknown"
    if abs(funding_rate - BASE_RATE) < 0.5e-5:
        return "funding at base"
    return "funding high" if funding_rate > BASE_RATE else "funding low"


def _events(signals: Any) -> Events:
    import numpy as np

    from models.evidence.exhaustion_study import Events

    # Forced selling is bought, forced buying is sold.
    side = -signals["side"].astype(np.int8)
    return Events(signals["at_ns"], side, [regime_of(rate) for rate in signals["funding_rate"].tolist()])


def _figures(study: ExhaustionStudy, everything: list[Markout]) -> tuple[Figure, ...]:
    """Mean, median and 5th percentile at every horizon; the mean at the deciding one comes first."""
    first = study.horizon_s if math.isfinite(study.horizon_s) else _best_horizon(everything)
    found = []
    for markout in sorted(everything, key=lambda m: (m.horizon_s != first, m.horizon_s)):
        at = f"at {markout.horizon_s:g} s"
        found += [
            figure_of(f"mean {at}", "bps", markout.mean_bps, threshold=0.0),
            figure_of(f"median {at}", "bps", markout.median_bps),
            figure_of(f"5th percentile {at}", "bps", markout.fifth_percentile_bps),
        ]
    return tuple(found)


def _best_horizon(everything: list[Markout]) -> float:
    known = [m for m in everything if m.mean_bps is not None]
    return max(known, key=_mean_of).horizon_s if known else everything[-1].horizon_s


def _balances(study: ExhaustionStudy) -> tuple[Balance, ...]:
    from models.evidence.event_study import EVERYTHING

    found = []
    for theta, own in sorted(study.by_theta.items()):
        for horizon in sorted({m.horizon_s for m in own.markouts}):
            groups = [m for m in own.markouts if m.horizon_s == horizon and m.group != EVERYTHING]
            whole = own.at(horizon)
            words = f"θ {theta:g} bps, {horizon:g} s: "
            found.append(Balance(words + "events by regime", whole.events, tuple(m.events for m in groups)))
            found.append(
                Balance(words + "measured by regime", whole.measured, tuple(m.measured for m in groups))
            )
    return tuple(found)


def _row(theta: float, markout: Markout) -> dict[str, Any]:
    """Return a markout as a row of JSON."""
    row: dict[str, Any] = {
        "theta_bps": theta,
        "group": markout.group,
        "horizon_s": markout.horizon_s,
        "events": markout.events,
        "measured": markout.measured,
        "p_value": markout.p_value,
        "q_value": markout.q_value,
    }
    for name, interval in (
        ("mean", markout.mean_bps),
        ("median", markout.median_bps),
        ("fifth_percentile", markout.fifth_percentile_bps),
    ):
        figure = figure_of(name, "bps", interval)
        row |= {f"{name}_bps": figure.estimate, f"{name}_low": figure.low, f"{name}_high": figure.high}
    return row


def _reason(collected: Collected, study: ExhaustionStudy, everything: list[Markout]) -> str:
    from models.evidence.verdict import NOT_ENOUGH_DATA, PASSED

    if lacking := missing(collected) or _lacks(collected):
        return lacking
    events = everything[0].events
    known = [m for m in everything if m.mean_bps is not None and m.median_bps is not None]
    if not known:
        return _too_few(collected, events)
    if study.verdict == PASSED:
        words = f"at {study.horizon_s:g} s in every regime, and at both neighbouring thresholds"
        return f"positive after costs {words}; n = {events}"
    if math.isfinite(study.horizon_s):
        beside = (
            "too few events at a neighbouring"
            if study.verdict == NOT_ENOUGH_DATA
            else "not at both neighbouring"
        )
        return f"positive after costs at {study.horizon_s:g} s, but {beside} thresholds; n = {events}"
    best = max(known, key=_mean_of)
    return (
        "at no horizon are mean (adjusted) and median positive after costs in every regime; the best mean is "
        f"{_mean_of(best):+.1f} bps at {best.horizon_s:g} s; n = {events}"
    )


def _lacks(collected: Collected) -> str:
    counts = collected.signals.counts
    if not counts.lpi:
        least = collected.features.z_least_count
        return (
            f"the pressure index is never defined: its z-scores need {least} ticks after the first ten minutes, the tape "
            f"has {counts.ticks}"
        )
    if not counts.oi_fall and not collected.counts.get("events_liquidation"):
        return "neither open interest nor liquidation prints: forced flow cannot be told from informed"
    return ""


def _too_few(collected: Collected, events: int) -> str:
    from models.evidence.intervals import BLOCKS, LEAST_PER_BLOCK

    forced = collected.signals.counts.forced
    return f"{events} exhaustions in {forced} ticks of forced flow; {BLOCKS * LEAST_PER_BLOCK} are needed"


def _mean_of(markout: Markout) -> float:
    return markout.mean_bps.estimate if markout.mean_bps is not None else -math.inf


def draw(outcome: Outcome) -> bytes:
    """Draw mean, median and 5th percentile by horizon, and the mean by regime and by threshold; PNG."""
    from hean_pipelines.studies.pictures import picture, title_of

    figure = picture(outcome, 12.0, 4.0)
    axes = figure.subplots(1, 3)
    rows = outcome.details["markouts"]
    theta = outcome.details["theta_bps"]
    own = [r for r in rows if r["theta_bps"] == theta]
    whole = [r for r in own if r["group"] == "ALL"]
    for name, words in (("mean", "mean"), ("median", "median"), ("fifth_percentile", "5th percentile")):
        _line(axes[0], whole, name, words)
    for group in sorted({r["group"] for r in own} - {"ALL"}):
        _line(axes[1], [r for r in own if r["group"] == group], "mean", group)
    for other in sorted({r["theta_bps"] for r in rows}):
        _line(
            axes[2],
            [r for r in rows if r["theta_bps"] == other and r["group"] == "ALL"],
            "mean",
            f"θ {other:g} bps",
        )
    for axis, words in zip(
        axes, ("after costs, bps", "mean by funding regime, bps", "mean by threshold, bps"), strict=True
    ):
        axis.set_xscale("log")
        axis.set_xlabel("seconds after exhaustion")
        axis.set_ylabel(words)
        axis.axhline(0.0, lw=0.6, color="black")
        if len(axis.lines) > 1:
            axis.legend(fontsize=7)
    return title_of(figure, outcome)


def _line(axis: Any, rows: list[dict[str, Any]], name: str, words: str) -> None:
    known = [r for r in rows if math.isfinite(r[f"{name}_bps"])]
    if not known:
        return
    at, value = [r["horizon_s"] for r in known], [r[f"{name}_bps"] for r in known]
    (line,) = axis.plot(at, value, marker="o", ms=3, label=words)
    ends = [[r[f"{name}_low"] for r in known], [r[f"{name}_high"] for r in known]]
    if all(math.isfinite(end) for row in ends for end in row):
        axis.fill_between(at, *ends, alpha=0.15, color=line.get_color())
