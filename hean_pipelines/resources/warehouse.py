"""The warehouse: one DuckDB file of tables made from SQL, opened by one process at a time.

DuckDB locks its file for one process: an open writer keeps readers of other processes out, an open reader keeps
writers out. So whoever opens it, to read or to write, first takes an operating-system lock beside it and waits a
bounded time; the kernel drops the lock when a process dies, however it dies. Connections are closed in `finally`:
`dagster_duckdb.DuckDBResource`, which this extends, closes only after success, and its lock then lives as long as a
traceback. The file holds nothing that the lake does not: it can be made again at any time.

Only SQL assets and `hean warehouse` open it. Everything else reads `<lake>/marts/<name>.parquet`.
What does not belong here: what the tables are (`hean_pipelines.sql`).
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dagster_duckdb import DuckDBResource
from pydantic import Field

from hean_pipelines.sql.damage import is_damage
from models.errors import DataError, Retryable

if TYPE_CHECKING:
    import duckdb

    from hean_pipelines.settings import PipelineSettings

POOL = "duckdb_write"
"""Dagster pool of every op that opens the warehouse; its limit is 1."""

_REBUILD = "run `hean warehouse rebuild`: it makes the file again from the lake, which holds everything"
_POLL_S = 0.1


class WarehouseBusy(Retryable):
    """Another process or thread held the warehouse for longer than we wait."""


class WarehouseUnreadable(DataError):
    """The warehouse file is absent or damaged; the lake still holds everything."""


class Warehouse(DuckDBResource):
    """The DuckDB file behind an exclusive lock.

    Parameters
    ----------
    database : str
        Path of the file.
    lake_root : str
        Folder or URL of the lake the tables are made from and the marts exported to.
    lock_timeout_s : float
        How long to wait for another holder.
    connection_config : dict
        DuckDB options, as in `DuckDBResource`.

    Examples
    --------
    >>> with warehouse.writer("asset mart_x") as connection:  # doctest: +SKIP
    ...     connection.execute("create or replace table t as select 1 as one")

    """

    lake_root: str = Field(description="Folder or URL of the lake.")
    lock_timeout_s: float = Field(
        default=120.0, description="Seconds to wait while another process holds the file."
    )

    @classmethod
    def from_settings(cls, settings: "PipelineSettings") -> Self:
        """Return the warehouse of a home folder."""
        return cls(database=str(settings.warehouse_path), lake_root=str(settings.lake_root))

    @property
    def path(self) -> Path:
        """The DuckDB file."""
        return Path(self.database)

    @contextmanager
    def writer(self, purpose: str = "") -> Iterator["duckdb.DuckDBPyConnection"]:
        """Open the warehouse to read and write, alone; make it if absent.

        Parameters
        ----------
        purpose : str
            What for; shown to whoever waits in vain.

        Raises
        ------
        WarehouseBusy
            If another holder did not let go in `lock_timeout_s`.
        WarehouseUnreadable
            If the file is damaged.

        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (
            self._locked(purpose or "writing") as deadline,
            self._open(self.path, deadline, False) as connection,
        ):
            yield connection

    @contextmanager
    def reader(self, purpose: str = "") -> Iterator["duckdb.DuckDBPyConnection"]:
        """Open the warehouse to read, alone all the same: a reader would keep writers out.

        Raises
        ------
        WarehouseBusy
            If another holder did not let go in `lock_timeout_s`.
        WarehouseUnreadable
            If the file is absent or damaged.

        """
        if not self.path.is_file():
            raise WarehouseUnreadable(f"expected a warehouse at {self.path}, was absent", remedy=_REBUILD)
        with (
            self._locked(purpose or "reading") as deadline,
            self._open(self.path, deadline, True) as connection,
        ):
            yield connection

    @contextmanager
    def fresh(self, purpose: str = "rebuild") -> Iterator["duckdb.DuckDBPyConnection"]:
        """Open an empty warehouse that takes the place of the present one when the block succeeds.

        The present file is not opened, so it may be damaged; until then it stays as it is.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(self.path.name + ".rebuild")
        with self._locked(purpose) as deadline:
            _remove(beside)
            try:
                with self._open(beside, deadline, False) as connection:
                    yield connection
            except BaseException:
                _remove(beside)
                raise
            _wal(self.path).unlink(missing_ok=True)  # it belongs to the file that is replaced
            os.replace(beside, self.path)

    @contextmanager
    def get_connection(self) -> Iterator["duckdb.DuckDBPyConnection"]:
        """Open a writer under the name `DuckDBResource` gives it, so that nothing gets around the lock."""
        with self.writer("get_connection") as connection:
            yield connection

    @contextmanager
    def _locked(self, purpose: str) -> Iterator[float]:
        import filelock

        deadline = time.monotonic() + self.lock_timeout_s
        lock = filelock.FileLock(self._beside(".lock"), timeout=self.lock_timeout_s, poll_interval=_POLL_S)
        try:
            lock.acquire()
        except filelock.Timeout:
            raise self._busy(self._holder()) from None
        try:
            self._beside(".holder").write_text(json.dumps({"pid": os.getpid(), "purpose": purpose}))
            yield deadline
        finally:
            self._beside(".holder").unlink(missing_ok=True)
            lock.release()

    @contextmanager
    def _open(self, path: Path, deadline: float, read_only: bool) -> Iterator["duckdb.DuckDBPyConnection"]:
        import duckdb

        connection = None
        try:
            connection = self._connect(path, deadline, read_only)
            yield connection
        except duckdb.Error as error:
            if is_damage(error):
                raise WarehouseUnreadable(
                    f"expected a DuckDB file at {path}, was damaged: {error}", remedy=_REBUILD
                ) from error
            raise
        finally:
            if connection is not None:
                connection.close()

    def _connect(self, path: Path, deadline: float, read_only: bool) -> "duckdb.DuckDBPyConnection":
        import duckdb

        config = {"custom_user_agent": "hean", **self.connection_config}
        while True:
            try:
                return duckdb.connect(str(path), read_only=read_only, config=config)
            except duckdb.IOException as error:
                # A foreign tool (DuckDB's shell, a notebook) holds the file without our lock.
                if "Could not set lock" not in str(error):
                    raise
                if time.monotonic() >= deadline:
                    raise self._busy(str(error).splitlines()[0]) from error
            time.sleep(_POLL_S)

    def _busy(self, holder: str) -> WarehouseBusy:
        return WarehouseBusy(
            f"waited {self.lock_timeout_s:g} s for the warehouse {self.path}, held by {holder}",
            remedy="let the holder finish or stop it; other programs should read the exported marts "
            f"({self.lake_root}/marts/) instead of opening the file",
        )

    def _holder(self) -> str:
        with suppress(OSError, ValueError, KeyError):
            note = json.loads(self._beside(".holder").read_text())
            return f"process {note['pid']} ({note['purpose']})"
        return "an unknown process"

    def _beside(self, ending: str) -> Path:
        return self.path.with_name(self.path.name + ending)


def _wal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    _wal(path).unlink(missing_ok=True)
