"""Whether a symbol's features may be believed, and if not, why: pure bookkeeping, one object a symbol.

A connection lost, a message that could not be read: from then on trades may be missing. They are complete again when
the venue's recent trades reach back over the gap; where these do not, the symbol is doubtful until what was lost has
left the windows of the features. What does not belong here: asking for the trades, the book (which knows itself).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Completeness:
    """State of one symbol.

    Attributes
    ----------
    connected : bool
    since_ms : int or None
        Venue time of the newest trade before an open gap; None while there is none.
    doubtful_until_ns : int
        Receive time until which features are doubtful because of a gap that was not filled.
    losses : int
        How often trades may have been lost.
    gaps, filled, unfilled : int
        Of trades, so far; a gap may have several losses.

    """

    connected: bool = False
    since_ms: int | None = None
    doubtful_until_ns: int = 0
    why_doubtful: str = ""
    losses: int = 0
    gaps: int = 0
    filled: int = 0
    unfilled: int = 0

    def lost_trades(self, newest_ms: int) -> None:
        """Note that trades after `newest_ms` may be missing; an open gap keeps its earlier beginning."""
        self.losses += 1
        if self.since_ms is None:
            self.since_ms = newest_ms
            self.gaps += 1

    def fill(self, covers: bool, now_ns: int, doubt_ns: int) -> None:
        """Note that recent trades were taken in; where they do not cover the gap, doubt lasts `doubt_ns`."""
        if self.since_ms is None:
            return
        self.since_ms = None
        if covers:
            self.filled += 1
        else:
            self.unfilled += 1
            self.doubt("trades were lost and could not be read again", now_ns + doubt_ns)

    def doubt(self, why: str, until_ns: int) -> None:
        """Doubt the features until a receive time."""
        if until_ns >= self.doubtful_until_ns:
            self.doubtful_until_ns, self.why_doubtful = until_ns, why

    def problem(self, now_ns: int, book_is_valid: bool) -> str:
        """Return why nothing may be traded on this symbol's state now, an empty string if it may."""
        if not self.connected:
            return "the market stream is down"
        if not book_is_valid:
            return "the order book is not valid"
        if self.since_ms is not None:
            return "trades since a gap are not read yet"
        if now_ns < self.doubtful_until_ns:
            return self.why_doubtful
        return ""
