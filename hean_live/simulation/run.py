"""Many seeds one after another, or side by side in processes. What one seed is, is `session.py`'s."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from hean_live.simulation import faults
from hean_live.simulation.session import Outcome, Session
from models.errors import ConfigError

# Journals live in memory: a commit is the same code path without a disk's waiting.
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of ours is made in it
_CHUNK = 25


def run_seed(seed: int, allowed: tuple[str, ...] = faults.ALL, *, trace: bool = False) -> Outcome:
    """Run one seed.

    Parameters
    ----------
    seed : int
    allowed : tuple of str
        Faults that may be drawn, names of `faults.ALL`.
    trace : bool
        Whether the outcome carries the history line by line.

    Returns
    -------
    Outcome

    """
    with tempfile.TemporaryDirectory(prefix="hean-simulation-", dir=_folder()) as home:
        return Session(seed, Path(home), allowed, trace=trace).run()


def run_seeds(
    first: int, count: int, allowed: tuple[str, ...] = faults.ALL, *, jobs: int = 1
) -> Iterator[Outcome]:
    """Run `count` seeds from `first` on, in `jobs` processes; yields outcomes as they are done, in no order."""
    spans = [(at, min(at + _CHUNK, first + count)) for at in range(first, first + count, _CHUNK)]
    if jobs == 1:
        for span in spans:
            yield from _run_span(*span, allowed)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_be_quiet) as pool:
        for done in as_completed([pool.submit(_run_span, *span, allowed) for span in spans]):
            yield from done.result()


def parse_faults(text: str) -> tuple[str, ...]:
    """Read a comma-separated list of faults; raises `ConfigError` for an unknown one."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = sorted(set(names) - set(faults.ALL))
    if unknown:
        raise ConfigError(
            f"faults should be among {', '.join(faults.ALL)}, were {', '.join(unknown)}",
            remedy="leave the option out for all of them",
        )
    return names


def _run_span(first: int, end: int, allowed: tuple[str, ...]) -> list[Outcome]:
    return [run_seed(seed, allowed) for seed in range(first, end)]


def _be_quiet() -> None:
    # What the executor would log of thousands of seeds says nothing; a trace says it of one.
    logging.disable(logging.CRITICAL)


def _folder() -> str | None:
    return str(_MEMORY) if _MEMORY.is_dir() else None
