"""Where the frames of a Zstandard file begin and end, read from their headers alone. Source: RFC 8878, section 3.1.

A segment is a row of frames, each one flush. After a crash the last may be cut short: everything before it is whole.
What does not belong here: compressing, files.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

MAGIC: Final = b"\x28\xb5\x2f\xfd"
_HEADER_BYTES: Final = 3
_RLE: Final = 1
_RESERVED: Final = 3
_CHECKSUM_BYTES: Final = 4
_DICTIONARY_BYTES: Final = (0, 1, 2, 4)
_SIZE_BYTES: Final = (0, 2, 4, 8)


def whole_frames(data: memoryview) -> Iterator[tuple[int, int]]:
    """Yield start and end of every whole frame from the beginning, stopping at the first that is not.

    Parameters
    ----------
    data : memoryview
        Of bytes.

    """
    start = 0
    while True:
        end = _end_of_frame(data, start)
        if end < 0:
            return
        yield start, end
        start = end


def _end_of_frame(data: memoryview, start: int) -> int:
    """Return the position after the frame at `start`, -1 when it is not whole."""
    if bytes(data[start : start + 4]) != MAGIC or start + 5 > len(data):
        return -1
    descriptor = data[start + 4]
    single_segment = descriptor >> 5 & 1
    size_bytes = _SIZE_BYTES[descriptor >> 6] or single_segment
    at = start + 5 + (1 - single_segment) + _DICTIONARY_BYTES[descriptor & 3] + size_bytes
    last = 0
    while not last:
        if at + _HEADER_BYTES > len(data):
            return -1
        header = int.from_bytes(data[at : at + _HEADER_BYTES], "little")
        last, kind, size = header & 1, header >> 1 & 3, header >> 3
        if kind == _RESERVED:
            return -1
        at += _HEADER_BYTES + (1 if kind == _RLE else size)
    at += _CHECKSUM_BYTES * (descriptor >> 2 & 1)
    return at if at <= len(data) else -1
