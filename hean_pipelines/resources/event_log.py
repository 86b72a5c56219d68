"""Dagster's SQLite event log, with the events of a batch in one transaction per file.

A range of partitions is one run but two events per asset and day, and Dagster's own storage opens and commits two
files for each: about ten milliseconds, half a minute for a year of six assets. Same files, same tables, same place
as the storage it derives from, so either can read the other's. Used with DAGSTER_EVENT_BATCH_SIZE in the environment;
without it nothing is batched and nothing changes. Dagster is pinned, because `_connect` is not public.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData

BATCH_SIZE = 1000


class BatchingSqliteEventLogStorage(SqliteEventLogStorage):
    """Keeps one connection per file open while a batch of events is stored."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._batch = threading.local()
        super().__init__(base_dir, inst_data)
        self._db_lock: Any = threading.RLock()  # a batch holds two files at once

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """Return no options: the place is Dagster's own, under DAGSTER_HOME."""
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> BatchingSqliteEventLogStorage:
        """Open the event log of the home Dagster was pointed at."""
        return cls(os.path.join(os.environ["DAGSTER_HOME"], "history", "runs"), inst_data)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store all events or none; Dagster stores them one by one if this raises."""
        with ExitStack() as stack:
            self._batch.stack, self._batch.connections = stack, {}
            try:
                for event in events:
                    self.store_event(event)
            finally:
                self._batch.stack = None

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Any]:
        stack = getattr(self._batch, "stack", None)
        if stack is None:
            with super()._connect(shard) as connection:
                yield connection
            return
        if shard not in self._batch.connections:
            self._batch.connections[shard] = stack.enter_context(super()._connect(shard))
        yield self._batch.connections[shard]
