"""Many markets at once, each in one of some processes: progress while they run, and what is finished put by.

Here belong processes and the order of things. What happens in a market is `run.py`, files of finished ones `parts.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from queue import Empty
from typing import Any

from hean_pipelines.tournament.parts import Parts
from hean_pipelines.tournament.run import Done, Task, trade
from models.errors import ConfigError

OnProgress = Callable[[str, float], None]
"""Told what is being done, and how much of everything is done, 0 to 1."""

_LOOK_UP_S = 0.5
_WARM_DAYS = 0.001
# Spawned: a fork would copy the threads of a progress bar in the middle of what they do.
_CONTEXT = get_context("spawn")

_told: Any = None
"""In a worker: the queue its progress goes into."""


def run_tournament(
    tasks: Sequence[Task],
    processes: int,
    on_progress: OnProgress = lambda _what, _share: None,
    parts: Parts | None = None,
) -> list[Done]:
    """Trade every market.

    Parameters
    ----------
    tasks : sequence of Task
    processes : int
    on_progress : callable, optional
    parts : Parts, optional
        Where markets that are done are kept: those found there are not traded again, and an interrupted run loses what was
        under way only.

    Returns
    -------
    list of Done
        In the order of the tasks, whatever came first.

    Raises
    ------
    ConfigError
        When there is no process to run in.
    Overflow
        When more was under way in a market than there is room for.
    DataError
        When a finished market cannot be kept.

    """
    if processes < 1:
        raise ConfigError(f"processes: expected at least 1, was {processes}")
    found = {task: done for task in tasks if parts is not None and (done := parts.load(task)) is not None}
    progress = _Progress(tasks, found, on_progress)
    todo = [task for task in tasks if task not in found]
    for done in _traded(todo, processes, progress) if todo else ():
        found[done.task] = done
        if parts is not None:
            parts.save(done)
        progress.finished(done.task)
    return [found[task] for task in tasks]


class _Progress:
    """How far every market is, told as one share of what all of them cost."""

    def __init__(self, tasks: Sequence[Task], found: dict[Task, Done], on_progress: OnProgress) -> None:
        self._shares = {task: float(task in found) for task in tasks}
        self._total = sum(task.cost for task in tasks) or 1.0
        self._done = len(found)
        self._on_progress = on_progress

    def tell(self, task: Task, share: float) -> None:
        self._shares[task] = max(share, self._shares[task])
        so_far = sum(task.cost * share for task, share in self._shares.items())
        what = f"{self._done} of {len(self._shares)} markets; {task.symbol} {task.scenario}"
        self._on_progress(what, so_far / self._total)

    def finished(self, task: Task) -> None:
        self._done += 1
        self.tell(task, 1.0)


def _traded(tasks: Sequence[Task], processes: int, progress: _Progress) -> Iterator[Done]:
    if processes == 1:
        for task in tasks:
            yield trade(task, lambda share, task=task: progress.tell(task, share))  # type: ignore[misc]
        return
    _compile(tasks[0])
    queue = _CONTEXT.Queue()
    with _pool(processes, queue) as pool:
        waiting: set[Future[Done]] = {pool.submit(_trade, number, task) for number, task in enumerate(tasks)}
        while waiting:
            finished, waiting = wait(waiting, _LOOK_UP_S, FIRST_COMPLETED)
            while (told := _next(queue)) is not None:
                progress.tell(tasks[told[0]], told[1])
            for future in finished:
                yield future.result()


def _compile(task: Task) -> None:
    """Compile, or find everything compiled, in a process that ends: compiling takes a gigabyte that is not given back."""
    with ProcessPoolExecutor(1, mp_context=_CONTEXT) as pool:
        pool.submit(trade, replace(task, days=_WARM_DAYS)).result()


@contextmanager
def _pool(processes: int, queue: Any) -> Iterator[ProcessPoolExecutor]:
    pool = ProcessPoolExecutor(processes, mp_context=_CONTEXT, initializer=_begin, initargs=(queue,))
    try:
        yield pool
    except BaseException:
        # Whoever interrupts does not wait for markets not begun.
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _next(queue: Any) -> tuple[int, float] | None:
    try:
        return queue.get_nowait()  # type: ignore[no-any-return]
    except Empty:
        return None


def _begin(queue: Any) -> None:
    global _told
    _told = queue


def _trade(number: int, task: Task) -> Done:
    last_s = time.monotonic()

    def told(share: float) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= _LOOK_UP_S:
            last_s = time.monotonic()
            _told.put((number, share))

    return trade(task, told)
