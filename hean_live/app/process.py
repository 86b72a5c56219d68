"""The executor as a process: light imports, one instance a home folder, logs, the service manager's protocol.

Here belongs what concerns the operating system. Nothing of trading does.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from models.errors import ConfigError

HEAVY_MODULES = ("pandas", "sklearn", "matplotlib", "graphviz", "pyarrow", "dask", "cffi")

_LEVELS = ((logging.ERROR, "<3>"), (logging.WARNING, "<4>"), (logging.INFO, "<6>"))


def hold_back_heavy_imports(names: tuple[str, ...] = HEAVY_MODULES) -> None:
    """Keep LightGBM (or MLflow) from importing pandas, scikit-learn and others that the executor never uses.

    They are imported where they are installed, as they are beside the pipelines: LightGBM then takes 234 MB
    instead of 83 MB. A ``None`` in `sys.modules` makes an import fail as if the module were absent, and the
    importer goes on without it. To be called before anything imports them, and only in the executor's own
    processes.
    """
    for name in names:
        if name not in sys.modules:
            sys.modules[name] = None  # type: ignore[assignment]


@contextmanager
def single_instance(home: Path) -> Iterator[None]:
    """Hold the lock of a home folder: two executors on one journal would fight over the same orders.

    Raises
    ------
    ConfigError
        If another process holds it, or the folder cannot be written.

    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        handle = (home / "live.lock").open("a+")
    except OSError as error:
        raise ConfigError(f"{home} should be writable, was not: {error}", remedy="set HEAN_HOME") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                f"{home}: no other executor should be running, one is",
                remedy="stop it, or give this one its own HEAN_HOME",
            ) from error
        yield


class _JournaldFormatter(logging.Formatter):
    """Prefix lines with the priority the service manager's log understands; it adds time and process itself."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = next((text for level, text in _LEVELS if record.levelno >= level), "<7>")
        return prefix + super().format(record).replace("\n", f"\n{prefix}")


class _JsonFormatter(logging.Formatter):
    """One JSON object a line: ``at`` (UTC), ``level``, ``logger``, ``text``, and ``error`` with a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        body = {
            "at": f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            "level": record.levelname,
            "logger": record.name,
            "text": record.getMessage(),
        }
        if record.exc_info:
            body["error"] = self.formatException(record.exc_info)
        return json.dumps(body)


def set_up_logging(verbose: bool = False, *, as_json: bool = False) -> None:
    """Log to stderr: as JSON lines on demand, for journald where it listens, with the time otherwise."""
    handler = logging.StreamHandler(sys.stderr)
    if as_json:
        handler.setFormatter(_JsonFormatter())
    elif os.environ.get("JOURNAL_STREAM"):
        handler.setFormatter(_JournaldFormatter("%(name)s: %(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    for chatty in ("urllib3", "pybit", "requests"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def notify(message: str) -> None:
    """Tell the service manager, if there is one: ``READY=1``, ``WATCHDOG=1``, ``STOPPING=1``, ``STATUS=…``."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    target = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(message.encode(), target)
    except OSError as error:
        logging.getLogger(__name__).warning("the service manager could not be told %r: %s", message, error)
