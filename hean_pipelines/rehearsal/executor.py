"""The executor of a rehearsal: a process that is started, stopped, killed and watched, and what its journal says of it.

When any of this happens is the business of `run` and `drill`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from hean_pipelines.demo.children import ChildFailed, Children
from hean_pipelines.rehearsal import results
from models.errors import HeanError

NAME = "live"
_READY_S = 300.0  # a cold machine compiles first
_NOTHING = 1e-9

OnStage = Callable[[str], None]


class RehearsalFailed(HeanError):
    """Something that must hold did not."""


class Executor:
    """`hean live` in a folder, one life after another.

    Parameters
    ----------
    home : Path
    children : Children
    on_stage : callable
        Told what begins.

    """

    def __init__(self, home: Path, children: Children, on_stage: OnStage) -> None:
        self.home = home
        self.restarts: dict[str, int] = {}
        self.peak_mb = 0.0
        self._children = children
        self._on_stage = on_stage
        self._past_cpu_s = 0.0
        self._cpu_s = 0.0

    @property
    def cpu_s(self) -> float:
        """CPU seconds of all lives so far, as of the last `watch`."""
        return self._past_cpu_s + self._cpu_s

    def start(self, words: str, *options: str, why: str = "") -> None:
        """Start it; `why` counts as a restart."""
        self._on_stage(words)
        self._children.start(NAME, ["live", *options], _READY_S)
        if why:
            self.restarts[why] = self.restarts.get(why, 0) + 1

    def stop(self) -> None:
        """End it by SIGTERM.

        Raises
        ------
        ChildFailed
            If it ends with an error.

        """
        self._measure()
        self._past_cpu_s, self._cpu_s = self.cpu_s, 0.0
        code = self._children.stop(NAME, grace_s=30.0)
        if code != 0:
            raise ChildFailed(
                f"the executor ended with exit code {code}", remedy=f"see {self._children.log_of(NAME)}"
            )

    def crash(self) -> None:
        """End it by SIGKILL."""
        self._measure()
        self._past_cpu_s, self._cpu_s = self.cpu_s, 0.0
        self._children.kill(NAME)

    def watch(self) -> None:
        """Measure it.

        Raises
        ------
        RehearsalFailed
            If it is gone.

        """
        if not self._children.alive(NAME):
            raise RehearsalFailed(
                "the executor should run, has ended", remedy=f"see {self._children.log_of(NAME)}"
            )
        self._measure()

    def await_reconciled(self) -> None:
        """Wait for a reconciliation after this moment."""
        query = "SELECT count(*) FROM equity"
        before = results.count(self.home, query)
        self.await_(lambda: results.count(self.home, query) > before, "the account to be reconciled")

    def await_(self, done: Callable[[], bool], what: str, timeout_s: float = 90.0) -> None:
        """Wait until something is so.

        Raises
        ------
        RehearsalFailed
            If it does not happen in time.

        """
        deadline = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > deadline or not self._children.alive(NAME):
                raise RehearsalFailed(
                    f"within {timeout_s:g} s {what} was expected, was not seen",
                    remedy=f"see {self._children.log_of(NAME)}",
                )
            time.sleep(0.1)

    def held(self) -> dict[str, float]:
        """Return what its own orders add up to, by symbol; flat ones are absent."""
        query = "SELECT symbol, sum(side * CAST(filled_qty AS REAL)) FROM orders GROUP BY symbol"
        return self._nets(query)

    def closed_since(self, seq: int) -> dict[str, float]:
        """Return what exits sent since an event have filled, signed by their side, by symbol."""
        query = (
            "SELECT symbol, sum(side * CAST(filled_qty AS REAL)) FROM orders WHERE reduce_only = 1"
            " AND created_ns >= (SELECT at_ns FROM events WHERE seq = ?) GROUP BY symbol"
        )
        return self._nets(query, seq)

    def entries(self) -> int:
        """Return how many entry orders it has made."""
        return results.count(self.home, "SELECT count(*) FROM orders WHERE leg = 'entry'")

    def newest_event(self, kind: str) -> int:
        """Return the number of its newest event of a kind, 0 without one."""
        return results.count(self.home, "SELECT coalesce(max(seq), 0) FROM events WHERE kind = ?", kind)

    def started_with(self) -> str:
        """Why the kill switch was off when it last started, empty if it was on."""
        query = (
            "SELECT json_extract(body, '$.kill_switch') FROM events WHERE kind = 'start' ORDER BY seq DESC"
        )
        rows = results.ask(self.home / results.JOURNAL, query)
        return str(rows[0][0] or "") if rows else ""

    def _measure(self) -> None:
        self.peak_mb = max(self.peak_mb, self._children.peak_mb(NAME))
        self._cpu_s = max(self._cpu_s, self._children.cpu_s(NAME))

    def _nets(self, query: str, *values: object) -> dict[str, float]:
        rows = results.ask(self.home / results.JOURNAL, query, *values)
        return {str(symbol): float(net) for symbol, net in rows if abs(net) > _NOTHING}
