"""M2's losses for L5: what the executor journalled, labelled by what the recorder's tape says happened; and those out of sample.

The label is that of training (`models.cascade.labels`): no other rule may say what a cascade is. A forecast during a cascade,
or with a hole of the tape in its horizon, has no label and does not count. Here belongs reading; the test is
`models.learning.drift`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hean_pipelines.defs.training.cascade_promotion import products_of
from models.learning.drift import DriftRules, mean_by_instant

if TYPE_CHECKING:
    from datetime import date

    from hean_pipelines.resources.products import Products

KIND = "cascade_forecast"
"""Of the journal's events."""
_EVENTS = "mart_hean__events"

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Said(NamedTuple):
    """Probabilities whose outcome is known, in time order, one a horizon: log losses in nats, and label less probability."""

    losses: Floats
    gaps: Floats


class CascadeLosses(NamedTuple):
    """Out of sample before the first live forecast, and live."""

    before: Said
    live: Said


def cascade_losses(products: Products) -> CascadeLosses:
    """Return M2's losses before and live; empty where there is no champion, no forecast or no tape.

    Parameters
    ----------
    products : Products
        Of the lake with the recorder's tapes.

    """
    nothing = CascadeLosses(_said(*_NONE, 1), _said(*_NONE, 1))
    _, champion_path, tested_path = products_of(products)
    champion = products.read_json(champion_path)
    if champion is None or "version" not in champion or not tested_path.is_file():
        return nothing
    forecasts = _forecasts(products, str(champion["version"]))
    if not forecasts.height:
        return nothing
    horizon_ns = round(1e9 * float(forecasts.get_column("horizon_s")[-1]))
    parts = [_labelled(products, own, horizon_ns) for own in forecasts.partition_by("symbol")]
    times, label, probability = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    first_ns = int(forecasts.get_column("at_ns").min())  # type: ignore[arg-type]
    before = _tested(pl.read_parquet(tested_path), first_ns, horizon_ns)
    return CascadeLosses(_said(*before, horizon_ns), _said(times, label, probability, horizon_ns))


_NONE = (np.empty(0, np.int64), np.empty(0), np.empty(0))


def _forecasts(products: Products, version: str) -> pl.DataFrame:
    """Return the newest forecasts of one version: of twice as many horizons as are looked at, since not all have a label."""
    path = products.mart(_EVENTS)
    shape = {
        "symbol": pl.String(),
        "at_ns": pl.Int64(),
        "probability": pl.Float64(),
        "horizon_s": pl.Float64(),
        "version": pl.String(),
    }
    if not path.is_file():
        return pl.DataFrame(schema=shape)
    bodies = pl.scan_parquet(path).filter(pl.col("kind") == KIND).select("body").collect().get_column("body")
    rows = (
        bodies.str.json_decode(pl.Struct(shape)).struct.unnest()
        if len(bodies)
        else pl.DataFrame(schema=shape)
    )
    own = rows.filter(pl.col("version") == version).unique(["symbol", "at_ns"]).sort("at_ns")
    if not own.height:
        return own
    reach_ns = round(2e9 * DriftRules().look * float(own.get_column("horizon_s")[-1]))
    return own.filter(pl.col("at_ns") > own.get_column("at_ns")[-1] - reach_ns)


def _labelled(products: Products, own: pl.DataFrame, horizon_ns: int) -> tuple[Ints, Floats, Floats]:
    """Return time, label and probability of one symbol's forecasts, without those whose outcome is not known."""
    from models.cascade.labels import LabelParams, label_samples
    from models.cascade.observe import WIDTH, CascadeTape

    times = own.get_column("at_ns").to_numpy()
    marks, last_ns = _marks(products, str(own.get_column("symbol")[0]), int(times[0]), int(times[-1]))
    if not last_ns:
        return _NONE
    tape = CascadeTape(times, np.empty((len(times), WIDTH)), marks, last_ns)
    table = label_samples(tape, LabelParams(horizon_s=horizon_ns / 1e9))
    rows = np.searchsorted(times, table.made_at_ns)
    return table.made_at_ns, table.label, own.get_column("probability").to_numpy()[rows]


def _marks(products: Products, symbol: str, first_ns: int, last_ns: int) -> tuple[NDArray[np.void], int]:
    """Return forced orders and holes of the recorder's tape around some forecasts, and until when it goes; 0 without one."""
    from hean_pipelines.defs.market_data.tape_ingest import partition_path, read_tape
    from models.cascade.observe import FORCED, HOLE, MARK
    from models.market.tape import GAP, LIQUIDATION

    found, end_ns = [np.zeros(0, MARK)], 0
    for day in _days(first_ns - _RUN_NS, last_ns + _DAY_NS // 2):
        if not partition_path(products.root, symbol, day).is_file():
            # A day that was not recorded is a hole from its first instant on.
            found.append(_mark_rows(np.array([_begin_ns(day)]), HOLE, 0))
            continue
        for events in read_tape(products.root, symbol, day):
            forced, holes = events[events["kind"] == LIQUIDATION], events[events["kind"] == GAP]
            found.append(_mark_rows(forced["local_ts"], FORCED, forced["side"]))
            found.append(_mark_rows(holes["local_ts"], HOLE, 0))
            end_ns = max(end_ns, int(events["local_ts"][-1])) if len(events) else end_ns
    marks = np.concatenate(found)
    return marks[np.argsort(marks["at_ns"], kind="stable")], end_ns


_DAY_NS = 86_400_000_000_000
_RUN_NS = 3_600_000_000_000
"""A cascade that is under way at a forecast began within the hour before."""


def _mark_rows(at_ns: NDArray[np.int64], kind: int, side: NDArray[np.int64] | int) -> NDArray[np.void]:
    from models.cascade.observe import MARK

    rows: NDArray[np.void] = np.zeros(len(at_ns), MARK)
    rows["at_ns"], rows["kind"], rows["side"] = at_ns, kind, side
    return rows


def _days(first_ns: int, last_ns: int) -> list[date]:
    return [
        datetime.fromtimestamp(day * 86_400, tz=UTC).date()
        for day in range(first_ns // _DAY_NS, last_ns // _DAY_NS + 1)
    ]


def _begin_ns(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000_000


def _tested(frame: pl.DataFrame, before_ns: int, horizon_ns: int) -> tuple[Ints, Floats, Floats]:
    """Return what was said out of sample, the first sample of each horizon: as often as the executor keeps one."""
    horizon = pl.col("made_at_ns") // horizon_ns
    own = frame.filter(
        (pl.col("known_ns") <= before_ns) & (pl.col("made_at_ns") == pl.col("made_at_ns").min().over(horizon))
    ).sort("made_at_ns")
    label = (own.get_column("onset_ns").to_numpy() > 0).astype(np.float64)
    return own.get_column("made_at_ns").to_numpy(), label, own.get_column("probability").to_numpy()


def _said(times: Ints, label: Floats, probability: Floats, horizon_ns: int) -> Said:
    from models.cascade.scores import log_losses

    horizon = np.asarray(times // horizon_ns, np.int64)
    _, losses = mean_by_instant(horizon, log_losses(label, probability))
    _, gaps = mean_by_instant(horizon, label - probability)
    return Said(losses, gaps)
