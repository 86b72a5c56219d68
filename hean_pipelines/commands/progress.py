"""How a job's steps are shown on the terminal: a bar where somebody looks, a line a step where not."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def step_progress(title: str) -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function told (step, done, total)."""
    started = time.monotonic()
    if not sys.stderr.isatty():

        def line(step: str, done: int, total: int) -> None:
            print(f"{title}: {done}/{total} {step} ({time.monotonic() - started:.1f} s)", file=sys.stderr)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=None)
        yield lambda step, done, total: bars.update(
            task, completed=done, total=total, description=f"{title}: {step}"
        )
