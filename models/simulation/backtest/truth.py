"""What a strategy did about the episodes planted in a synthetic market.

A trade answers the episode that began last before it and was still felt: until its transient part has faded to a twentieth
after its last order. Here belongs the matching; nothing a strategy may read is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.simulation.backtest.figures import Estimate, net_bps_of, trade_mean
from models.simulation.order_flow.labels import FORCED, INFORMED, WHALE
from models.simulation.order_flow.parameters import OrderFlowParameters

CAUSES: Final = {WHALE: "whale", FORCED: "cascade", INFORMED: "trend"}
NOTHING: Final = "nothing planted"
_FADED: Final = float(np.log(20.0))


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
    felt_ns = {
        WHALE: _FADED * parameters.whale_reversion_s,
        FORCED: _FADED * parameters.cascade_reversion_s,
        INFORMED: 0.0,
    }
    began = np.full((len(CAUSES), len(trades)), np.iinfo(np.int64).min)
    matched = np.full((len(CAUSES), len(trades)), -1)
    own = []
    for k, cause in enumerate(CAUSES):
        rows = episodes[episodes["cause"] == cause]
        own.append(rows[np.argsort(rows["start_ns"], kind="stable")])
        at = np.searchsorted(own[k]["start_ns"], trades["opened_ns"], side="right") - 1
        inside = at >= 0
        ends = own[k]["end_ns"][at[inside]] + np.int64(1e9 * felt_ns[cause])
        inside[inside] = trades["opened_ns"][inside] <= ends
        began[k, inside] = own[k]["start_ns"][at[inside]]
        matched[k, inside] = at[inside]
    answered = (matched >= 0).any(axis=0)
    latest = np.where(answered, began.argmax(axis=0), -1)
    found = []
    for k, name in enumerate(CAUSES.values()):
        mine = trades[latest == k]
        numbers = matched[k, latest == k]
        against = mine["side"] != own[k]["side"][numbers]
        found.append(
            TruthRow(
                name,
                len(own[k]),
                len(np.unique(numbers[against])),
                len(np.unique(numbers[~against])),
                len(mine),
                trade_mean(net_bps_of(mine), mine),
            )
        )
    rest = trades[latest == -1]
    return [*found, TruthRow(NOTHING, 0, 0, 0, len(rest), trade_mean(net_bps_of(rest), rest))]
