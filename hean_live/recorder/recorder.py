"""Keeps raw messages: `write` from the streams' loop never blocks, a thread of its own compresses and writes.

Flushes every second or megabyte, rotates by time and size, holds the folder under a limit by removing its oldest closed
segments. Trouble with the disk stops the recording, said once, never the streams; it is tried again while messages are
counted as dropped. What does not belong here: the file format (`segments.py`), which messages are written.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from hean_live.recorder.segments import (
    OPEN,
    SUFFIX,
    VENUE,
    SegmentWriter,
    closed_segments,
    index_path,
    recover,
)
from models.errors import ConfigError

log = logging.getLogger(__name__)

NS_PER_S: Final = 1_000_000_000
DISK: Final = "RECORDER_DISK"
DROPPED: Final = "RECORDER_DROPPED"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_MOST_WAITING: Final = 64 << 20  # bytes in memory before messages are dropped
_FLUSH_BYTES: Final = 1 << 20

Alert = Callable[[str, str], None]
"""Told a code and words when a trouble begins, and the code with no words when it is over; from any thread."""


@dataclass(frozen=True)
class RecorderRules:
    """How a recorder behaves.

    Attributes
    ----------
    rotate_s : int
        Length of a segment; a divisor of a day, so that no segment holds two.
    rotate_bytes : int
        Size on disk after which a segment is closed before its time.
    keep_bytes : int
        Most bytes of closed segments; the oldest go first.
    least_free_bytes : int
        Free space on the disk below which nothing is written.
    flush_s, retry_s : float
        Between flushes, and between attempts after trouble with the disk.
    durable : bool
        Whether flushes are forced to the disk.

    """

    rotate_s: int = 900
    rotate_bytes: int = 256 << 20
    keep_bytes: int = 50 << 30
    least_free_bytes: int = 1 << 30
    flush_s: float = 1.0
    retry_s: float = 30.0
    durable: bool = True


@dataclass
class RecorderCounts:
    """What happened so far."""

    written: int = 0
    dropped: int = 0
    segments: int = 0
    removed: int = 0
    recovered: int = 0


class Recorder:
    """Writes messages of some symbols under a folder.

    Parameters
    ----------
    folder : Path
        Created when absent; one recorder a folder.
    symbols : tuple of str
    rules : RecorderRules
    alert : callable
    monotonic : callable
        Seconds that only grow.

    """

    def __init__(
        self,
        folder: Path,
        symbols: tuple[str, ...],
        rules: RecorderRules,
        alert: Alert,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock_ns: Callable[[], int] = time.time_ns  # of receive times; its owner may set another
        self.folder = folder
        self.rules = rules
        self.counts = RecorderCounts()
        self._symbols = symbols
        self._alert = alert
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._waiting: list[tuple[int, bytes]] = []
        self._waiting_bytes = 0
        self._wake = threading.Event()
        self._stopping = False
        self._troubled: set[str] = set()
        self._held: IO[str] | None = None
        self._retry_at = 0.0
        self._segment: SegmentWriter | None = None
        self._ends_ns = 0
        self._dropped_before = 0
        self._dropped_at_open = 0
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)

    @property
    def is_stopped(self) -> bool:
        """Whether trouble with the disk keeps it from writing now."""
        return DISK in self._troubled

    def start(self) -> None:
        """Mend what a crash left behind, and begin.

        Raises
        ------
        ConfigError
            If another process records into the folder, or it cannot be written.

        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._held = (self.folder / "recorder.lock").open("a+")
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                f"{self.folder}: expected a folder no other recorder writes to, was not ({error.strerror})",
                remedy="record in the executor or with `hean record`, not both, or give each its own folder",
            ) from error
        self._thread.start()

    def write(self, payload: bytes, received_ns: int) -> None:
        """Keep a message; drops it, counted, when the disk cannot keep up or is in trouble."""
        line = b"%d %b\n" % (received_ns, payload)
        with self._lock:
            if self.is_stopped or self._waiting_bytes > _MOST_WAITING:
                self.counts.dropped += 1
                return
            self._waiting.append((received_ns, line))
            self._waiting_bytes += len(line)
            full = self._waiting_bytes >= _FLUSH_BYTES
        if full:
            self._wake.set()

    def close(self) -> None:
        """Write what is waiting, close the segment and end the thread."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._held is not None:
            self._held.close()
            self._held = None

    # --- the writing thread

    def _work(self) -> None:
        self._guarded(self._prepare)
        while not self._stopping:
            self._wake.wait(self.rules.flush_s)
            self._wake.clear()
            self._guarded(self._flush)
        self._guarded(self._flush)
        self._guarded(self._close_segment)

    def _guarded(self, step: Callable[[], None]) -> None:
        """Do a step; trouble with the disk is said once and stops the recording until a later step succeeds."""
        if self.is_stopped and self._monotonic() < self._retry_at and not self._stopping:
            return
        try:
            step()
        except OSError as error:
            self._retry_at = self._monotonic() + self.rules.retry_s
            words = "the disk is full" if error.errno in _FULL else (error.strerror or str(error))
            self._trouble(DISK, f"recording to {self.folder} stopped: {words}; trading goes on")
            self._abandon_segment()

    def _prepare(self) -> None:
        for path in sorted(self.folder.glob(f"{VENUE}-*{SUFFIX}{OPEN}")):
            index = recover(path)
            if index is not None:
                self.counts.recovered += 1
                log.warning("%s: closed after a crash, %d messages", index.file, index.messages)

    def _flush(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < self.rules.least_free_bytes:
            words = f"expected {self.rules.least_free_bytes} bytes free, was {free}"
            raise OSError(errno.ENOSPC, words)
        with self._lock:
            batch, self._waiting = self._waiting, []
            self._waiting_bytes = 0
        start = 0
        while start < len(batch):
            start = self._write_some(batch, start)
        self._rotate_if_due()
        self._over(DISK)
        if self.counts.dropped > self._dropped_before:
            self._dropped_before = self.counts.dropped
            self._trouble(DROPPED, f"{self.counts.dropped} messages in all were not recorded")
        else:
            self._over(DROPPED)

    def _write_some(self, batch: list[tuple[int, bytes]], start: int) -> int:
        """Write messages from `start` as far as the present segment goes; returns the first that was not written."""
        first_ns = batch[start][0]
        if self._segment is None or first_ns >= self._ends_ns:
            self._close_segment()
            self._open_segment(first_ns)
        segment = self._segment
        if segment is None:
            raise OSError(errno.EIO, "no segment")
        stop = start
        while stop < len(batch) and batch[stop][0] < self._ends_ns:
            stop += 1
        try:
            segment.append(b"".join(line for _, line in batch[start:stop]), stop - start, batch[stop - 1][0])
        except OSError:
            self.counts.dropped += len(batch) - start
            raise
        self.counts.written += stop - start
        return stop

    def _open_segment(self, first_ns: int) -> None:
        period = self.rules.rotate_s * NS_PER_S
        self._segment = SegmentWriter(self.folder, first_ns, self._symbols, durable=self.rules.durable)
        self._ends_ns = (first_ns // period + 1) * period
        self._dropped_at_open = self.counts.dropped

    def _rotate_if_due(self) -> None:
        if self._segment is None:
            return
        # A quiet market brings no message that would end a segment.
        past = self.clock_ns() >= self._ends_ns + NS_PER_S
        if past or self._segment.file_bytes >= self.rules.rotate_bytes:
            self._close_segment()

    def _close_segment(self) -> None:
        segment, self._segment = self._segment, None
        if segment is None:
            return
        index = segment.close(self.counts.dropped - self._dropped_at_open)
        if index is not None:
            self.counts.segments += 1
            log.info("%s: %d messages, %d bytes", index.file, index.messages, index.file_bytes)
            self._hold_limit()

    def _abandon_segment(self) -> None:
        """Close what can still be closed after trouble; what cannot is mended by the next start."""
        try:
            self._close_segment()
        except OSError as error:
            log.warning("a segment stays open until the next start: %s", error.strerror)

    def _hold_limit(self) -> None:
        sizes = [(path, path.stat().st_size) for path in closed_segments(self.folder)]
        total = sum(size for _, size in sizes)
        for path, size in sizes[:-1]:
            if total <= self.rules.keep_bytes:
                return
            path.unlink()
            index_path(path).unlink(missing_ok=True)
            total -= size
            self.counts.removed += 1
            log.warning("%s: removed, the folder held more than %d bytes", path.name, self.rules.keep_bytes)

    def _trouble(self, code: str, words: str) -> None:
        if code not in self._troubled:
            self._troubled.add(code)
            log.error("%s: %s", code, words)
            self._alert(code, words)

    def _over(self, code: str) -> None:
        if code in self._troubled:
            self._troubled.discard(code)
            self._alert(code, "")
