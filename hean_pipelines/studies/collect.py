"""One pass over a tape: the signals the studies take, with the counts that say what the tape allows.

Here belong the pass, counting and the words for what is missing; the pass itself is compiled in `models.evidence.tape_signals`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hean_pipelines.studies.outcome import Market
from hean_pipelines.studies.tapes import OnHours, Tape

if TYPE_CHECKING:
    from models.evidence.signal_records import TapeSignals
    from models.market.feature_params import FeatureParams

_HOUR_NS = 3_600_000_000_000


@dataclass(frozen=True)
class Collected:
    """A tape's signals.

    Attributes
    ----------
    market : Market
    features : FeatureParams
        What they were computed with.
    signals : TapeSignals
    counts : dict of str to int
        Events by kind, and ticks by what was known at them.

    """

    market: Market
    features: FeatureParams
    signals: TapeSignals
    counts: dict[str, int]


def collect(tape: Tape, thetas_bps: Sequence[float], on_hours: OnHours | None = None) -> Collected:
    """Run a tape through the market record and keep what the studies need.

    Parameters
    ----------
    tape : Tape
    thetas_bps : sequence of float
        Thresholds of impact selling at which exhaustions are looked for; the first is that of everything else.
    on_hours : callable, optional

    Returns
    -------
    Collected

    """
    from models.evidence.tape_signals import TapeFollower
    from models.market.tape_report import TapeCheck

    features = tape.features()
    follower, check = TapeFollower(tape.tick_size, features, thetas_bps), TapeCheck()
    last_ns: int | None = None
    for events in tape.chunks():
        follower.take(events)
        check.update(events)
        if len(events) and on_hours is not None:
            now_ns = int(events["local_ts"][-1])
            on_hours((now_ns - (last_ns if last_ns is not None else int(events["local_ts"][0]))) / _HOUR_NS)
            last_ns = now_ns
    signals = follower.signals()
    counts = {f"events_{kind}": number for kind, number in check.report().counts.items()}
    counts |= {
        f"ticks_{name}" if name != "ticks" else name: n for name, n in signals.counts._asdict().items()
    }
    return Collected(tape.market, features, signals, counts)


def missing(collected: Collected) -> str:
    """Say what every study would need and the tape does not hold; empty when nothing is missing."""
    counts = collected.signals.counts
    if collected.signals.off_grid:
        return f"{collected.signals.off_grid} prices lie between ticks: the book is not to be trusted"
    if not counts.ticks:
        return "the tape is shorter than a tick"
    if not counts.quoted:
        return f"no valid book at any of {counts.ticks} ticks: the tape holds no snapshot"
    if not collected.counts.get("events_trade"):
        return "the tape holds no trades"
    return ""


def minutes(nanoseconds: float) -> float:
    """Return nanoseconds as minutes."""
    return nanoseconds / 60e9
