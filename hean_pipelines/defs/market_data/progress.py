"""Who wants to know how far an ingestion is. One list of listeners per process; without any, nothing happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """`done` of `total` parts of a dataset are stored, `rows` so far."""

    dataset: str
    done: int
    total: int
    rows: int


Listener = Callable[[Progress], None]
_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call `listener` on every step of every ingestion in this process while the block runs."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def announce(progress: Progress) -> None:
    """Tell every listener."""
    for listener in list(_listeners):
        listener(progress)
