"""What a strategy did about the episodes planted in a synthetic market.

A trade answers the episode that began last before it and was still felt: until its transient part has faded to a twentieth
after its last order. Here belongs the matching, also for the slow market (`slow_market/truth.py`); nothing a strategy may read
is here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.simulation.backtest.figures import Estimate, net_bps_of, trade_mean
from models.simulation.order_flow.labels import FORCED, INFORMED, WHALE
from models.simulation.order_flow.parameters import OrderFlowParameters

CAUSES: Final = {WHALE: "whale", FORCED: "cascade", INFORMED: "trend"}
NOTHING: Final = "nothing planted"
FADED: Final = float(np.log(20.0))
"""Time constants until a twentieth is left."""


@dataclass(frozen=True)
class TruthRow:
    """One sort of episode, or trades in which nothing was planted.

    Attributes
    ----------
    cause : str
    episodes : int
    traded_against, traded_with : int
        Episodes with at least one trade against, or in, their direction.
    trades : int
    net_bps : Estimate or None
        Of those trades, after fees.

    """

    cause: str
    episodes: int
    traded_against: int
    traded_with: int
    trades: int
    net_bps: Estimate | None


class Sort(NamedTuple):
    """Episodes of one sort, by their start.

    Attributes
    ----------
    name : str
    start_ns, felt_until_ns : ndarray of int64
    side : ndarray of int64
        Where they moved the price.

    """

    name: str
    start_ns: NDArray[np.int64]
    felt_until_ns: NDArray[np.int64]
    side: NDArray[np.int64]


def truth_rows(
    trades: NDArray[np.void], episodes: NDArray[np.void], parameters: OrderFlowParameters
) -> list[TruthRow]:
    """Hold trades against what was planted.

    Parameters
    ----------
    trades : array of TRADE
        In order of opening.
    episodes : array of EPISODE
        Those that ended within the tape.
    parameters : OrderFlowParameters

    Returns
    -------
    list of TruthRow
        One a cause, then the trades in which nothing was planted.

    """
    felt_s = {
        WHALE: FADED * parameters.whale_reversion_s,
        FORCED: FADED * parameters.cascade_reversion_s,
        INFORMED: 0.0,
    }
    sorts = []
    for cause, name in CAUSES.items():
        rows = np.sort(episodes[episodes["cause"] == cause], order="start_ns", kind="stable")
        felt = rows["end_ns"] + np.int64(1e9 * felt_s[cause])
        sorts.append(Sort(name, rows["start_ns"], felt, rows["side"]))
    return rows_of_sorts(trades, sorts)


def rows_of_sorts(
    trades: NDArray[np.void], sorts: Sequence[Sort], otherwise: str = NOTHING
) -> list[TruthRow]:
    """Hold trades against sorts of episodes.

    Parameters
    ----------
    trades : array of TRADE
        In order of opening.
    sorts : sequence of Sort
    otherwise : str
        Name of the row of trades that answer none.

    Returns
    -------
    list of TruthRow
        One a sort, then the rest.

    """
    began = np.full((len(sorts) + 1, len(trades)), np.iinfo(np.int64).min)
    matched = np.full((len(sorts), len(trades)), -1)
    for k, own in enumerate(sorts):
        at = np.searchsorted(own.start_ns, trades["opened_ns"], side="right") - 1
        inside = at >= 0
        inside[inside] = trades["opened_ns"][inside] <= own.felt_until_ns[at[inside]]
        began[k, inside] = own.start_ns[at[inside]]
        matched[k, inside] = at[inside]
    latest = np.where((matched >= 0).any(axis=0), began.argmax(axis=0), -1)
    found = []
    for k, own in enumerate(sorts):
        mine = trades[latest == k]
        numbers = matched[k, latest == k]
        against = mine["side"] != own.side[numbers]
        found.append(
            TruthRow(
                own.name,
                len(own.start_ns),
                len(np.unique(numbers[against])),
                len(np.unique(numbers[~against])),
                len(mine),
                trade_mean(net_bps_of(mine), mine),
            )
        )
    rest = trades[latest == -1]
    return [*found, TruthRow(otherwise, 0, 0, 0, len(rest), trade_mean(net_bps_of(rest), rest))]
