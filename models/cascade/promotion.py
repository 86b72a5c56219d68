"""Whether a challenger takes the champion's place, by the losses of both on what neither had seen.

Here belongs the decision, as a function of what was measured; the same for the cascade predictor and the regime model. Reading
the registry and moving the alias is the business of the pipelines.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.evidence.intervals import block_mean
from models.funding.promotion import Decision

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def decide_paired(
    challenger_loss: Floats,
    champion_loss: Floats,
    times_ns: Ints,
    horizon_ns: int,
    *,
    level: float,
    same: bool,
    expired: bool,
) -> Decision:
    """Decide between a challenger that passed its checks and the champion.

    Parameters
    ----------
    challenger_loss, champion_loss : ndarray of float64, shape (n,)
        Of the same samples, out of sample for both, in order of time.
    times_ns : ndarray of int64, shape (n,)
    horizon_ns : int
        How far a sample's label looks ahead: overlapping ones are not independent.
    level : float
        Of the one-sided test on contiguous blocks.
    same : bool
        Whether both say the same.
    expired : bool
        Whether the champion may no longer be used.

    Returns
    -------
    Decision
        Promotion where the challenger loses less; renewal where it says the same, or where the champion expired and the
        challenger is not worse. Otherwise the champion stays.

    """
    if same:
        return Decision(
            True, "renewal: the challenger says the same with a newer expiry", None, len(times_ns)
        )
    found = block_mean(champion_loss - challenger_loss, times_ns, horizon_ns)
    if found is None:
        words = f"only {len(times_ns)} samples neither was trained on, too few for ten blocks"
        if expired:
            return Decision(
                True, f"the champion expired and cannot be compared: {words}", None, len(times_ns)
            )
        return Decision(False, f"the champion stays: {words}", None, len(times_ns))
    p = found.p_not_above(0.0)
    figures = f"loss saved {found.estimate:.5f} ({found.low:.5f} to {found.high:.5f}), p = {p:.4f}, {found.n} samples"
    if p < level:
        return Decision(True, f"the challenger forecasts better: {figures}", p, found.n)
    if expired and p < 1.0 - level:
        return Decision(True, f"the champion expired and the challenger is not worse: {figures}", p, found.n)
    return Decision(False, f"the champion stays: {figures}", p, found.n)
