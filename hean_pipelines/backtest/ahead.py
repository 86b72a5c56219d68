"""Making the next chunks of a tape while the present one is traded.

Here belongs one thread and its orderly end. It gains where making chunks lets go of Python's lock, as the synthetic tape does.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
_DEPTH = 2
_LOOK_UP_S = 0.2


class _Maker(threading.Thread, Generic[T]):
    """Puts items, then its end or its error, into a queue until the reader gives up."""

    def __init__(self, items: Iterable[T], depth: int) -> None:
        super().__init__(name="tape", daemon=True)
        self._items = items
        self.made: queue.Queue[tuple[T] | BaseException | None] = queue.Queue(depth)
        self.given_up = threading.Event()

    def run(self) -> None:
        end: BaseException | None = None
        try:
            for item in self._items:
                if not self._put((item,)):
                    return
        except BaseException as error:
            end = error  # raised again where the items are read
        self._put(end)

    def _put(self, what: tuple[T] | BaseException | None) -> bool:
        while not self.given_up.is_set():
            try:
                self.made.put(what, timeout=_LOOK_UP_S)
            except queue.Full:
                continue
            return True
        return False


def ahead(items: Iterable[T], depth: int = _DEPTH) -> Iterator[T]:
    """Yield the items in order, made by another thread, at most `depth` of them waiting.

    Parameters
    ----------
    items : iterable
        Iterated by the other thread only. Its errors are raised here.
    depth : int

    """
    maker = _Maker(items, depth)
    maker.start()
    try:
        while isinstance(found := maker.made.get(), tuple):
            yield found[0]
        if found is not None:
            raise found
    finally:
        maker.given_up.set()
        maker.join()
