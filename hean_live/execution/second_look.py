"""Doubt after a lost journal: whether the venue may know more than it has told, and when it has been asked often enough.

An order of ours that the journal does not know says that the journal was lost. Listings lag behind, so what they show of the time
before is believed only a while later. What does not belong here: asking the venue, and what is not done meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

_LAG_S: Final = 10.0  # longer than the venue's listings lag behind
_WORDS: Final = (
    "orders of ours were found that the journal did not know; the venue is asked again before entries"
)


class SecondLook:
    """In doubt from the last unknown order until a look that began ten seconds of `monotonic` later."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._unknown_at: float | None = None

    @property
    def doubt(self) -> str:
        """Why there may be more at the venue than it has told, an empty string if that is not so."""
        return "" if self._unknown_at is None else _WORDS

    def unknown(self) -> None:
        """Note that an order of ours was found that the journal did not know."""
        self._unknown_at = self._monotonic()

    def looked(self, began_s: float) -> None:
        """Note that everything was listed, by a look that began then."""
        if self._unknown_at is not None and began_s - self._unknown_at >= _LAG_S:
            self._unknown_at = None
