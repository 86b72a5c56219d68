"""Orders on their way to the wire, durable before it: a small ring of slots beside the journal.

An order must be on the disk before its bytes are on the wire. A commit of the database costs several pages and locks;
overwriting one sector of a file that is already there costs one write, and one flush of the disk's data. What is
written here is put into the database right after the order is sent, or at the next opening.

Here belongs the file: numbered records that are whole or not there. What they say is the journal's.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import Final

SLOT: Final = 512
"""Bytes of a slot: what disks write in one piece."""
SLOTS: Final = 64
_HEAD: Final = struct.Struct(
    "<16sQIH"
)  # journal's id, number, checksum of number and text, length of the text
LONGEST: Final = SLOT - _HEAD.size
"""Bytes a record may have."""


class IntentFile:
    """The ring.

    Parameters
    ----------
    path : Path
        Made, all zeros, if absent or of another size.
    journal_id : bytes
        16 bytes; records of another journal are not there.
    fsync : bool
        Whether a record survives a power cut when `write` returns; a crash of the process it survives either way.

    Raises
    ------
    OSError
        If the file cannot be made or written.

    """

    def __init__(self, path: Path, journal_id: bytes, *, fsync: bool) -> None:
        self._journal_id = journal_id
        self._fsync = fsync
        # Opened for the user alone, as orders are nobody else's business.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if os.fstat(self._file).st_size != SLOT * SLOTS:
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, bytes(SLOT * SLOTS), 0)
            os.fsync(self._file)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def write(self, number: int, text: bytes) -> None:
        """Write a record over the one `SLOTS` before it.

        Parameters
        ----------
        number : int
            Of the record; each is greater than the one before.
        text : bytes
            At most `LONGEST`.

        """
        head = _HEAD.pack(self._journal_id, number, _checksum(number, text), len(text))
        slot = (head + text).ljust(SLOT, b"\0")
        os.pwrite(self._file, slot, number % SLOTS * SLOT)
        if self._fsync:
            os.fdatasync(self._file)

    def after(self, number: int) -> list[tuple[int, bytes]]:
        """Return the records with a greater number, in order; a torn one is not there: its order was never sent."""
        data = os.pread(self._file, SLOT * SLOTS, 0)
        found = []
        for start in range(0, len(data) - SLOT + 1, SLOT):
            journal_id, own, checksum, length = _HEAD.unpack_from(data, start)
            text = data[start + _HEAD.size : start + _HEAD.size + length]
            if journal_id == self._journal_id and own > number and checksum == _checksum(own, text):
                found.append((own, text))
        return sorted(found)


def _checksum(number: int, text: bytes) -> int:
    return zlib.crc32(text, zlib.crc32(number.to_bytes(8, "little")))
