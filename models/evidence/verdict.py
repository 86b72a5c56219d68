"""The three things a study can say, and the one rule by which an estimate with an interval earns its verdict.

Here belongs nothing else: figures and intervals are made by the studies.
"""

from __future__ import annotations

PASSED = "passed"
FAILED = "failed"
NOT_ENOUGH_DATA = "not enough data"


def judge(estimate: float, low: float, threshold: float) -> str:
    """Judge an effect that must exceed a positive threshold.

    Parameters
    ----------
    estimate : float
        The figure of the study.
    low : float
        Lower end of its 95 % interval.
    threshold : float
        What the figure must exceed; positive, same unit.

    Returns
    -------
    str
        ``failed`` where the figure does not exceed the threshold; ``passed`` where it does and its interval lies above zero;
        ``not enough data`` where it does but no effect at all is still possible.

    """
    if not estimate > threshold:
        return FAILED
    return PASSED if low > 0.0 else NOT_ENOUGH_DATA


def worst(*verdicts: str) -> str:
    """Combine verdicts that must all pass: one failure fails, else one open question leaves the whole open."""
    for verdict in (FAILED, NOT_ENOUGH_DATA):
        if verdict in verdicts:
            return verdict
    return PASSED
