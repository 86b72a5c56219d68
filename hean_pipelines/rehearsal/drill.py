"""The kill switch drill: tripped by its file, everything closed, off across a restart, armed again."""

from __future__ import annotations

import time
from collections.abc import Callable

from hean_pipelines.demo.children import Children
from hean_pipelines.rehearsal import results
from hean_pipelines.rehearsal.executor import Executor, RehearsalFailed

_KILL = "KILL"


def kill_switch_drill(
    executor: Executor, children: Children, on_stage: Callable[[str], None]
) -> dict[str, float]:
    """Trip the switch and see that everything it promises holds.

    Returns
    -------
    dict of str to float
        What was closed, by symbol, signed by the side of the exits; empty where nothing was held.

    Raises
    ------
    RehearsalFailed
        If something stays open, an entry is made while killed, or the switch does not survive a restart.

    """
    on_stage("kill switch: by the file; everything is to be closed")
    children.run("kill", ["live", "--kill"], 60.0)
    said = (
        "SELECT count(*) FROM events WHERE kind = 'kill_progress' AND body LIKE '%nothing of ours is open%'"
        " AND seq > (SELECT coalesce(max(seq), 1 << 62) FROM events WHERE kind = 'kill_switch'"
        " AND json_extract(body, '$.state') = 'tripped')"
    )
    executor.await_(
        lambda: results.count(executor.home, said) > 0, "the venue to confirm that nothing is open"
    )
    if held := executor.held():
        raise RehearsalFailed(f"nothing should be held after the kill switch, was {held}")
    closed = executor.closed_since(executor.newest_event("kill_switch"))
    executor.stop()
    before = executor.entries()
    executor.start("kill switch: off across a restart", why="killed")
    executor.await_reconciled()
    if not executor.started_with():
        raise RehearsalFailed("the kill switch should stay off across a restart, was armed")
    time.sleep(1.0)
    executor.stop()
    if executor.entries() != before:
        raise RehearsalFailed(f"no entry should be made while killed, {executor.entries() - before} were")
    (executor.home / _KILL).unlink()
    executor.start("kill switch: armed again", "--re-arm", why="re-armed")
    executor.await_reconciled()
    if words := executor.started_with():
        raise RehearsalFailed(f"the kill switch should be armed again, was off: {words}")
    return closed
