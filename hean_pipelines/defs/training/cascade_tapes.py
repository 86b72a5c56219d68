"""Tapes the cascade predictor learns from, and their samples with labels.

In order of preference: the folder named by the setting `recordings`, and what the executor's recorder left in the lake. Only when
asked for, a synthetic market with a planted precursor, with its null beside it: a model of it has no business with real money, so
nothing recorded means nothing trained. Here belongs choosing and sampling; labels are `models.cascade.labels`.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of what it wraps.
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from models.errors import DataError

if TYPE_CHECKING:
    from hean_pipelines.settings import PipelineSettings
    from hean_pipelines.studies.tapes import Tape
    from models.cascade.labels import CascadeTable, LabelParams
    from models.market.tape import Events
    from models.simulation.order_flow.parameters import OrderFlowParameters

_DATASET = "raw_bybit__tape"
_INSTRUMENTS = "raw_bybit__snapshot_instruments"


@dataclass(frozen=True)
class Sources:
    """Tapes to learn from, what they are in one word, and the null beside a planted truth."""

    kind: str
    tapes: "list[Tape]"
    null: "Tape | None" = None


def light_market(crowding: float) -> "OrderFlowParameters":
    """Return the market of `crowded_cascades` with a light book and a thin crowd, so that days are affordable.

    Parameters
    ----------
    crowding : float
        0: nothing precedes cascades.

    """
    from models.simulation.order_flow.scenarios import crowded_cascades

    return crowded_cascades()._replace(
        cascade_crowding=crowding,
        cascades_per_hour=4.0,
        cascade_orders=30.0,
        book_updates=2.0,
        refreshed_levels=1,
        levels=8,
        background_rate=0.5,
    )


def recorded(settings: "PipelineSettings", days: int) -> Sources:
    """Return what was recorded: of the lake the newest `days`; no tapes where nothing was."""
    from hean_pipelines.studies.session import recorded_tapes

    if settings.recordings is not None:
        return Sources("recorded", recorded_tapes([settings.recordings])[0])
    return Sources("recorded", _lake_tapes(settings, days))


def synthetic(seed: int, hours: float) -> Sources:
    """Return a market with a planted precursor, and the same without one."""
    from hean_pipelines.studies.tapes import synthetic_tape
    from models.simulation.order_flow.scenarios import crowded_cascades

    crowding = crowded_cascades().cascade_crowding
    return Sources(
        "synthetic",
        [
            synthetic_tape(
                light_market(crowding), seed, hours, "planted truth: cascades follow a crowded premium"
            )
        ],
        synthetic_tape(light_market(0.0), seed, hours, "planted null: nothing precedes cascades"),
    )


def sample(tape: "Tape", every_s: float, labels: "LabelParams") -> "CascadeTable":
    """Run a tape through the market record and label its samples."""
    from models.cascade.labels import label_samples
    from models.cascade.observe import CascadeFollower

    follower = CascadeFollower(tape.tick_size, round(every_s * 1e9), tape.features())
    for events in tape.chunks():
        follower.take(events)
    return label_samples(follower.tape(), labels)


def _lake_tapes(settings: "PipelineSettings", days: int) -> "list[Tape]":
    root = settings.lake_root / _DATASET / "venue=bybit"
    if not root.is_dir():
        return []
    tapes = []
    for folder in sorted(root.glob("symbol=*")):
        stamps = sorted(date.fromisoformat(day.name.removeprefix("date=")) for day in folder.glob("date=*"))
        if stamps:
            tapes.append(_lake_tape(settings, folder.name.removeprefix("symbol="), stamps[-days:]))
    return tapes


def _lake_tape(settings: "PipelineSettings", symbol: str, days: list[date]) -> "Tape":
    from hean_pipelines.defs.market_data.tape_ingest import read_tape
    from hean_pipelines.resources.lake import Lake
    from hean_pipelines.studies.outcome import Market
    from hean_pipelines.studies.tapes import Tape

    frame = Lake(settings.lake_root).scan(_INSTRUMENTS, [symbol]).collect()
    if not frame.height:
        raise DataError(
            f"{symbol}: a snapshot of its contract was expected beside its tape, is missing",
            remedy=f"materialise {_INSTRUMENTS}",
        )
    tick_size, lot_size = (float(frame.get_column(name)[-1]) for name in ("tick_size", "qty_step"))

    def chunks() -> "Iterator[Events]":
        for day in days:
            yield from read_tape(settings.lake_root, symbol, day)

    name = f"{symbol} of the lake, {days[0]} to {days[-1]}"
    return Tape(Market("recorded", name, symbol, None, (), 24.0 * len(days)), tick_size, lot_size, chunks)
