"""The first step of a strategy on a tape: what its signals were worth beside like times, before costs of trading and fills.

Here belongs turning one pass (`bank_signals`) into a verdict and its picture. Statistics are `models.evidence.first_step`; what
is asked of whom is `questions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hean_pipelines.studies.bank_signals import Followed, follow
from hean_pipelines.studies.outcome import NOT_KNOWN, Balance, Figure, Outcome, figure_of
from hean_pipelines.studies.questions import (
    CARRY,
    EQUAL_MOVES,
    FOLLOWING,
    NOTHING,
    QUESTIONS,
    RANDOM,
    Question,
)
from hean_pipelines.studies.tapes import OnHours, Tape

if TYPE_CHECKING:
    from models.evidence.first_step import FirstStep
    from models.evidence.signal_worth import Course, Signals

PATH = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5)
"""Where the picture reads the price, in horizons."""
BAR_TICK_S, BAR_STEP_S = 12.0, 60.0
"""Alpha tick and distance of the instants at which the price is read on a tape of bars: nothing happens in between."""
_SEED = 1


def run(name: str, tape: Tape, on_hours: OnHours | None = None) -> Outcome:
    """Run a strategy's first step on a tape."""
    import numpy as np

    from models.evidence.signal_worth import Signals, apart
    from models.strategies.catalogue import CATALOGUE

    question, system = QUESTIONS[name], CATALOGUE[name].system
    if lacking := _lacking(name, tape):
        return _unanswered(name, tape, lacking)
    tick_s, step_s = (BAR_TICK_S, BAR_STEP_S) if tape.bar_s else (question.tick_s, question.step_s)
    followed = follow(tape, name, round(1e9 * tick_s), round(1e9 * step_s), question.fills, on_hours)
    found, course = followed.signals, followed.course
    keep = apart(found.row * course.step_ns, round(1e9 * question.horizon_s))
    price = found.price[keep] if question.at_fill_price else np.full(int(keep.sum()), np.nan)
    signals = Signals(found.row[keep], found.side[keep], found.ratio[keep], price)
    judged = judge_signals(question, course, signals)
    counts = {
        **followed.counts,
        "entries": len(keep),
        "signals": judged.step.signals,
        "measured": judged.step.measured,
    }
    return Outcome(
        system,
        tape.market,
        judged.step.verdict,
        _reason(question, judged),
        judged.figures,
        counts,
        _balances(followed, judged),
        judged.details | {"strategy": name, "asks": question.asks},
    )


@dataclass(frozen=True)
class Judged:
    """What was found: the deciding step, every figure, signals by what is known of them, and what the picture shows."""

    step: FirstStep
    figures: tuple[Figure, ...]
    without_price: int
    without_control: int
    details: dict[str, Any]


def judge_signals(question: Question, course: Course, signals: Signals) -> Judged:
    """Hold signals against what their question names."""
    import numpy as np

    from models.evidence.first_step import first_step
    from models.evidence.signal_worth import Controls, equal_move_rows, random_rows

    steps = course.steps(question.horizon_s)
    chance = random_rows(course, len(signals.row), steps, _SEED)
    rows = chance
    if question.control == EQUAL_MOVES:
        rows = equal_move_rows(course, signals, course.steps(question.back_s), steps)
    gain, control = (_worth(question, course, signals, steps, at) for at in (None, rows))
    against = None if question.control == NOTHING else Controls(rows, control)
    step = first_step(
        course,
        signals,
        gain,
        against,
        steps,
        cost_bps=question.cost_bps,
        threshold_bps=question.threshold_bps,
    )
    by_chance = Controls(chance, _worth(question, course, signals, steps, chance))
    random = first_step(course, signals, gain, by_chance, steps)
    known = np.isfinite(gain)
    has_control = known if against is None else known & np.isfinite(control).any(axis=1)
    figures = [_deciding(question, step), figure_of("worth of a signal", "bps", step.gain)]
    if question.control != RANDOM:
        figures.append(figure_of("beyond random times", "bps", random.beyond))
    if question.worth == CARRY:
        figures += _parts(course, signals, steps)
    details = {
        "control": question.control,
        "horizon_s": question.horizon_s,
        "control_bps": step.control_bps,
        "random_bps": random.control_bps,
        "least_found_bps": step.least_found_bps,
        "path": _path(question, course, signals, rows),
        "block_means": list(step.beyond.block_means) if step.beyond else [],
        "sides": {"bought": int((signals.side > 0).sum()), "sold": int((signals.side < 0).sum())},
    }
    return Judged(
        step, tuple(figures), int((~known).sum()), int(known.sum()) - int(has_control.sum()), details
    )


def _deciding(question: Question, step: FirstStep) -> Figure:
    words = f"beyond {question.control}"
    if question.control == NOTHING and question.cost_bps == 0.0:
        words = "worth beyond nothing"
    return figure_of(words, "bps", step.beyond, threshold=question.threshold_bps)


def _parts(course: Course, signals: Signals, steps: int) -> list[Figure]:
    """Return what of the worth is price and what is funding."""
    import numpy as np

    from models.evidence.intervals import block_mean
    from models.evidence.signal_worth import gains_bps, received_bps

    price, funding = gains_bps(course, signals, steps), received_bps(course, signals, steps)
    known = np.isfinite(price)
    times = course.start_ns + course.step_ns * signals.row[known]
    return [
        figure_of(name, "bps", block_mean(values[known], times, steps * course.step_ns))
        for name, values in (("of it price", price), ("of it funding", funding))
    ]


def _worth(question: Question, course: Course, signals: Signals, steps: int, rows: Any) -> Any:
    from models.evidence.signal_worth import following_bps, gains_bps, received_bps

    if question.worth == FOLLOWING:
        return following_bps(course, signals.row if rows is None else rows, steps)
    worth = gains_bps(course, signals, steps, rows)
    return worth + received_bps(course, signals, steps, rows) if question.worth == CARRY else worth


def _path(question: Question, course: Course, signals: Signals, rows: Any) -> list[dict[str, float]]:
    """Mean worth of signals, with its interval, and of their controls at several horizons."""
    from models.evidence.first_step import first_step
    from models.evidence.signal_worth import Controls

    found = []
    for share in PATH:
        steps = course.steps(share * question.horizon_s)
        gain, control = (_worth(question, course, signals, steps, at) for at in (None, rows))
        step = first_step(course, signals, gain, Controls(rows, control), steps)
        mean = figure_of("", "bps", step.gain)
        found.append(
            {
                "s": steps * course.step_ns / 1e9,
                "mean": mean.estimate,
                "low": mean.low,
                "high": mean.high,
                "control": step.control_bps,
            }
        )
    return found


def _balances(followed: Followed, judged: Judged) -> tuple[Balance, ...]:
    parts = (judged.step.measured, judged.without_price, judged.without_control)
    words = "signals: measured, price not known throughout, without a time to compare with"
    return (Balance(words, judged.step.signals, parts),)


def _reason(question: Question, judged: Judged) -> str:
    from models.evidence.intervals import BLOCKS, LEAST_PER_BLOCK

    step, mean = judged.step, judged.step.beyond
    if mean is None:
        return (
            f"{step.measured} of {step.signals} signals with known prices and times to compare with: "
            f"{BLOCKS * LEAST_PER_BLOCK} are needed"
        )
    less = f" after {question.cost_bps:g} bps of costs" if question.cost_bps else ""
    beside = "" if question.control == NOTHING else f" beyond {question.control}"
    return (
        f"a signal is worth {mean.estimate:+.1f} bps{beside}{less} in {_duration(question.horizon_s)}, interval from "
        f"{mean.low:+.1f} to {mean.high:+.1f}; n = {mean.n}; a true {step.least_found_bps:.1f} bps would have been found in "
        "four of five cases"
    )


def _duration(seconds: float) -> str:
    unit, size = _unit(seconds)
    return f"{seconds / size:.3g} {unit}"


def _unit(seconds: float) -> tuple[str, float]:
    """Return the largest unit a duration holds once."""
    return ("h", 3600.0) if seconds >= 3600.0 else ("min", 60.0) if seconds >= 60.0 else ("s", 1.0)


def _lacking(name: str, tape: Tape) -> str:
    """Say what a strategy needs that no recording holds; empty where nothing."""
    from models.strategies.catalogue import BOOK, CATALOGUE, FUNDING, LIQUIDATIONS, OPEN_INTEREST, TRADES

    if tape.holds is None and tape.market.kind != "recorded":
        return ""
    messages = (TRADES, BOOK, OPEN_INTEREST, LIQUIDATIONS, FUNDING)
    held = messages if tape.holds is None else tape.holds
    absent = [need for need in CATALOGUE[name].needs if need not in held]
    holder = "a recording of one market's messages" if tape.holds is None else "the lake"
    return f"{holder} holds no {', no '.join(absent)}" if absent else ""


def _unanswered(name: str, tape: Tape, why: str) -> Outcome:
    from models.evidence.verdict import NOT_ENOUGH_DATA
    from models.strategies.catalogue import CATALOGUE

    question = QUESTIONS[name]
    details: dict[str, Any] = {"strategy": name, "asks": question.asks, "control": question.control}
    details |= {"path": [], "block_means": [], "least_found_bps": NOT_KNOWN}
    figures = (figure_of(f"beyond {question.control}", "bps", None, threshold=question.threshold_bps),)
    return Outcome(
        CATALOGUE[name].system, tape.market, NOT_ENOUGH_DATA, why, figures, {"signals": 0}, (), details
    )


def draw(outcome: Outcome) -> bytes:
    """Draw the worth after a signal beside its controls, the ten stretches, and every figure; PNG."""
    from hean_pipelines.studies.pictures import bars_by, intervals, picture, title_of

    figure = picture(outcome, 11.0, 4.2)
    axes = figure.subplots(1, 3, width_ratios=(1.3, 1.0, 1.0))
    path = outcome.details["path"]
    known = [row for row in path if row["mean"] == row["mean"]]
    unit, size = _unit(outcome.details["horizon_s"]) if known else ("s", 1.0)
    after = [row["s"] / size for row in known]
    if known:
        spread = [[row["mean"] - row["low"] for row in known], [row["high"] - row["mean"] for row in known]]
        axes[0].errorbar(
            after,
            [row["mean"] for row in known],
            yerr=[[max(e, 0.0) for e in end] for end in spread],
            marker="o",
            ms=3,
            capsize=2,
            label="signals, 95 %",
        )
        beside = outcome.details["control"]
        label = f"{beside}, same side" if beside != NOTHING else "random times, same side"
        axes[0].plot(after, [row["control"] for row in known], marker="s", ms=3, ls="--", label=label)
        axes[0].axvline(outcome.details["horizon_s"] / size, lw=0.6, ls=":", color="black")
        axes[0].legend(fontsize=7)
    axes[0].axhline(0.0, lw=0.6, color="black")
    axes[0].set_xlabel(f"{unit} after the signal; the dotted line decides")
    axes[0].set_ylabel("mean worth, bps")
    blocks = outcome.details["block_means"]
    bars_by(axes[1], list(range(1, len(blocks) + 1)), blocks, "stretch of time", "worth that decides, bps")
    intervals(axes[2], outcome.figures)
    return title_of(figure, outcome)
