"""Chance that can be replayed: numbers drawn from a hash of what they are for, never from a generator with a state.

The same seed, time and name give the same number on every machine, in any order of asking. What does not belong here: what is
decided with them.
"""

from __future__ import annotations

import hashlib
from statistics import NormalDist
from typing import Final

_STEPS: Final = 1 << 53
_NORMAL: Final = NormalDist()


def uniform(seed: int, at_ns: int, *names: str) -> float:
    """Draw from the open interval 0 to 1.

    Parameters
    ----------
    seed, at_ns : int
    *names : str
        What the number is for, for example a strategy and a symbol.

    Returns
    -------
    float

    """
    text = "\x1f".join((str(seed), str(at_ns), *names))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return ((int.from_bytes(digest, "big") >> 11) + 0.5) / _STEPS


def normal(seed: int, at_ns: int, *names: str) -> float:
    """Draw from the standard normal distribution; see `uniform`."""
    return _NORMAL.inv_cdf(uniform(seed, at_ns, *names))
