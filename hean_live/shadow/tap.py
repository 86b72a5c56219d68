"""Events on their way from the streams' thread to the bank's: one list a symbol, taken whole.

The streams must not wait: putting an array is an append. Where the bank cannot keep up, the oldest events of a symbol are let go
and counted, and a gap is put in their place, so that no book is trusted that lost a message. The venue is then asked for the
whole book again: it sends one only when asked, and without one the symbol's shadows would stay silent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from models.market.tape import EVENT, GAP, Events

MOST_WAITING: Final = 20_000
"""Messages of one symbol: some minutes of a busy market."""


class EventTap:
    """Between two threads: one puts, one drains.

    Parameters
    ----------
    symbols : sequence of str
    ask_again : callable, optional
        Asks the venue for the whole book of a symbol, in the streams' thread; False if it cannot now, and is called again.
    on_lost : callable, optional
        Told a symbol and how many of its messages were let go, in the streams' thread.

    """

    def __init__(
        self,
        symbols: Sequence[str],
        ask_again: Callable[[str], bool] = lambda _symbol: True,
        on_lost: Callable[[str, int], None] = lambda _symbol, _count: None,
    ) -> None:
        self.symbols = tuple(symbols)
        self.lost = 0
        self._ask_again = ask_again
        self._on_lost = on_lost
        self._wants_book = [False for _ in symbols]
        self._waiting: list[deque[Events]] = [deque() for _ in symbols]

    def put(self, place: int, rows: Events) -> None:
        """Keep a copy of a message's rows for a symbol; in the streams' thread."""
        waiting = self._waiting[place]
        if len(waiting) >= MOST_WAITING:
            self.lost += len(waiting)
            self._on_lost(self.symbols[place], len(waiting))
            waiting.clear()
            waiting.append(_gap(rows))
            self._wants_book[place] = True
        # As bytes: NumPy copies structured rows field by field, ten times slower.
        waiting.append(rows.view(np.uint8).copy().view(EVENT))
        if self._wants_book[place]:
            self._wants_book[place] = not self._ask_again(self.symbols[place])

    def drain(self, place: int) -> Events | None:
        """Return everything that waits for a symbol, None if nothing does; in the bank's thread."""
        waiting = self._waiting[place]
        count = len(waiting)
        if not count:
            return None
        parts = [waiting.popleft().view(np.uint8) for _ in range(count)]
        return np.concatenate(parts).view(EVENT)


def _gap(rows: Events) -> Events:
    gap = np.zeros(1, EVENT)
    gap["local_ts"], gap["exch_ts"], gap["kind"] = rows["local_ts"][0], rows["exch_ts"][0], GAP
    return gap
