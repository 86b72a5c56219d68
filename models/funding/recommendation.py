"""ENTER, HOLD or EXIT: what a forecast's distribution says about receiving the coming funding, after costs.

Here belongs the advice shown beside a forecast. Whether an order is sent is decided by strategies and their gates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.funding.distribution import LEVELS
from models.funding.predictor import FundingForecast


@dataclass(frozen=True)
class Recommendation:
    """Advice and its arithmetic.

    Attributes
    ----------
    action : str
        ``ENTER``, ``HOLD`` or ``EXIT``.
    side : int
        The side that would receive the expected funding: -1 short where it is positive, +1 long where negative.
    expected_net : float
        Expected funding received less the costs of a round trip, as a fraction of notional.
    probability : float
        Probability that the funding received exceeds the costs.

    """

    action: str
    side: int
    expected_net: float
    probability: float


def recommend(
    forecast: FundingForecast, round_trip_cost: float, min_probability: float = 0.6
) -> Recommendation:
    """Advise on holding the receiving side through the settlement.

    Parameters
    ----------
    forecast : FundingForecast
    round_trip_cost : float
        Fees, spread and slippage of entering and leaving, fraction of notional.
    min_probability : float
        Least probability of a net gain to say ENTER.

    Returns
    -------
    Recommendation
        EXIT where the side is more likely to pay than to receive; HOLD where it receives, but not enough to pay for entering.

    """
    side = -1 if forecast.predicted >= 0.0 else 1
    received = -side * forecast.spread.quantiles
    expected_net = float(received.mean()) - round_trip_cost
    probability = float(np.count_nonzero(received > round_trip_cost)) / len(LEVELS)
    receives = float(np.count_nonzero(received > 0.0)) / len(LEVELS)
    if expected_net > 0.0 and probability >= min_probability:
        action = "ENTER"
    elif receives < 0.5:
        action = "EXIT"
    else:
        action = "HOLD"
    return Recommendation(action, side, expected_net, probability)
