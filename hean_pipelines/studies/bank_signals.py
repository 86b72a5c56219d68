"""One pass of a strategy over a tape: when it wanted to enter, and the market's course beside it.

Entries are read from the bank's intents, before costs and fills; of strategies that make markets it is the fill that counts, as
everywhere. What they were worth is the business of `first_step`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hean_pipelines.studies.tapes import OnHours, Tape

if TYPE_CHECKING:
    from models.evidence.signal_worth import Course, Signals
    from models.simulation.bank.run import BankRun

_HOUR_NS = 3_600_000_000_000
CAPITAL_USD = 100_000.0
"""Enough that no lot of a contract is more than the smallest share a strategy trades."""
_LEGS = {
    "spot": ("spot_bid", "spot_ask"),
    "pair": ("pair_bid", "pair_ask"),
    "other": ("other_bid", "other_ask"),
}
_SEEN = (
    "at_ns",
    "settlement_ns",
    "current_rate",
    "pair_beta",
    "other_settlement_ns",
    "other_rate_per_h",
    "other_interval_h",
)


@dataclass(frozen=True)
class Followed:
    """What one pass found.

    Attributes
    ----------
    course : Course
    signals : Signals
        Every entry, however near to the one before.
    counts : dict of str to int

    """

    course: Course
    signals: Signals
    counts: dict[str, int]


def follow(
    tape: Tape, name: str, tick_ns: int, step_ns: int, fills: bool, on_hours: OnHours | None = None
) -> Followed:
    """Run a strategy over a tape.

    Parameters
    ----------
    tape : Tape
    name : str
        Of the strategy.
    tick_ns : int
        Alpha tick.
    step_ns : int
        From row to row of the course, a multiple of the tick.
    fills : bool
        Signals are the fills that open a position, at their prices, instead of orders to enter.
    on_hours : callable, optional

    Returns
    -------
    Followed

    """
    import numpy as np

    from models.market.feature_params import FeatureParams, params_record
    from models.simulation.backtest.records import BacktestParameters
    from models.simulation.bank.records import BankParameters
    from models.simulation.bank.run import BankRun
    from models.simulation.fills.parameters import FillParameters
    from models.strategies.catalogue import CATALOGUE

    leg, features = CATALOGUE[name].leg, tape.features(FeatureParams(tick_ns=tick_ns))
    features = features._replace(cvd_period_ns=max(features.cvd_period_ns, tick_ns))
    run = BankRun(
        [name],
        FillParameters(tape.tick_size, tape.lot_size, seed=tape.market.seed or 1),
        BankParameters(BacktestParameters(CAPITAL_USD, step_ns)),
        feature_params=params_record(features),
    )
    told: dict[str, list[Any]] = {key: [] for key in (*_SEEN, *_LEGS.get(leg, ()))}
    for events, outlooks in tape.stretches():
        before_ns = run.last_ns or (int(events["local_ts"][0]) if len(events) else 0)
        if len(outlooks):
            run.tell(outlooks)
            for key, parts in told.items():
                parts.append(outlooks[key].copy())
        run.take(events)
        if on_hours is not None:
            on_hours((run.last_ns - before_ns) / _HOUR_NS)
    known = {key: np.concatenate(parts) if parts else np.zeros(0) for key, parts in told.items()}
    # Of bars only settled rates are known: the rate of a settlement is the one shown after it.
    return _followed(run, name, known, step_ns, fills, settled=tape.bar_s > 0.0)


def _followed(
    run: BankRun, name: str, known: dict[str, Any], step_ns: int, fills: bool, *, settled: bool
) -> Followed:
    import numpy as np

    from models.evidence.signal_worth import Signals
    from models.simulation.bank.steps import NAMES
    from models.strategies.catalogue import CATALOGUE
    from models.strategies.intent import PLACE

    place = NAMES.index(name)
    intents = run.bank.sessions[place].intents[: int(run.bank.shared.counts["intents"][place])]
    record = run.finish()[name]
    course = _course(record.results.equity, known, CATALOGUE[name].leg, step_ns, settled)
    if fills:
        own = record.results.fills
        own = own[(own["maker"] == 1) & np.isclose(own["position"], own["side"] * own["quantity"])]
        at_ns, price = own["local_ns"], own["price"].copy()
    else:
        own = intents[(intents["action"] == PLACE) & (intents["reduce_only"] == 0)]
        at_ns, price = own["at_ns"], np.full(len(own), np.nan)
    ratio = _ratio(CATALOGUE[name].leg, at_ns, known)
    rows = course.rows_from(at_ns)
    counts = {"events": run.events, "intents": len(intents), "fills": len(record.results.fills)}
    return Followed(course, Signals(rows, own["side"].astype(np.float64), ratio, price), counts)


def _ratio(leg: str, at_ns: Any, known: dict[str, Any]) -> Any:
    """Value of the other market held per unit of the own one, as the signal's terms say."""
    import numpy as np

    from models.evidence.as_of import as_of

    if leg == "none":
        return np.zeros(len(at_ns))
    if leg != "pair":
        return np.ones(len(at_ns))
    return as_of(known["at_ns"], known["pair_beta"], at_ns)


def _course(equity: Any, known: dict[str, Any], leg: str, step_ns: int, settled: bool) -> Course:
    import numpy as np

    from models.evidence.as_of import as_of
    from models.evidence.signal_worth import Course

    if not len(equity):
        nothing = np.zeros(0)
        return Course(0, step_ns, nothing, nothing, nothing, nothing)
    # Equity is written at multiples of the step: a grid beside them would read prices of before the instant, even of before the
    # signal whose first row it is.
    start_ns = -(-int(equity["at_ns"][0]) // step_ns) * step_ns
    grid = np.arange(start_ns, int(equity["at_ns"][-1]) + 1, step_ns, dtype=np.int64)
    mid = as_of(equity["at_ns"], equity["mid"], grid)
    nothing = np.zeros(len(grid))
    if not len(known["at_ns"]):
        return Course(start_ns, step_ns, mid, nothing, np.full(len(grid), np.nan), nothing)
    paid = _paid(
        known["settlement_ns"], known["current_rate"], np.ones(len(known["at_ns"])), grid, settled=True
    )
    leg_mid, leg_paid = np.full(len(grid), np.nan), nothing
    if leg in _LEGS:
        bid, ask = (known[key] for key in _LEGS[leg])
        leg_mid = as_of(known["at_ns"], 0.5 * (bid + ask), grid)
    if leg == "other":
        rate, hours = known["other_rate_per_h"], known["other_interval_h"]
        leg_paid = _paid(known["other_settlement_ns"], rate, hours, grid, settled=settled)
    return Course(start_ns, step_ns, mid, paid, leg_mid, leg_paid)


def _paid(settlement_ns: Any, rate: Any, units: Any, grid: Any, *, settled: bool) -> Any:
    """Funding a long position has received by each instant, fraction: minus the rates settled by then.

    A settlement is over where the next one is another; its rate is the one shown from then on (`settled`), or the last one
    shown before it. It is for the units shown before it: hours of its interval, or 1 where rates are of a whole interval.
    """
    import numpy as np

    over = np.flatnonzero((settlement_ns[1:] != settlement_ns[:-1]) & (settlement_ns[:-1] > 0))
    rates = rate[over + settled] * units[over]
    total = np.r_[0.0, np.cumsum(np.where(np.isfinite(rates), rates, 0.0))]
    return -total[np.searchsorted(settlement_ns[over], grid, side="right")]
