"""Reading inputs back: segments with their heads, and polls one after another as the engine was told them.

Here belong finding the files and turning lines into records. What the engine makes of them is `replay.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hean_live.replay.codec import Tree, build
from hean_live.replay.delta import applied
from hean_live.replay.inputs import PollInputs
from hean_live.replay.log import DID, FOLDER, FORMAT, HEAD, POLL, Head
from hean_live.replay.segments import END, SUFFIX, first_poll_ns, read_lines, segment_paths
from models.errors import ConfigError, DataError


@dataclass(frozen=True)
class Answer:
    """What the engine answered: the digest of its commands and, if there were any, the commands as a tree."""

    digest: str
    commands: list[Tree]


@dataclass(frozen=True)
class RecordedPoll:
    """One poll; `answer` is None if the process died before the engine's answer was written."""

    inputs: PollInputs
    answer: Answer | None


class Segment:
    """One segment being read.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataError
        If it is no segment of inputs or one of another format; reading polls raises it for lines that contradict
        those before.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ended = False
        self._lines = read_lines(path)
        first = next(self._lines, None)
        if first is None:
            self.head: Head | None = None  # the process died before its first line was on the disk
            return
        if first[0] != HEAD or first[1].get("format") != FORMAT:
            raise DataError(f"{path.name}: the head of a segment of {FORMAT} was expected, was {first[0]!r}")
        self.head = build(Head, first[1])

    def polls(self) -> Iterator[RecordedPoll]:
        """Yield the polls; afterwards `ended` says whether the segment was closed properly."""
        tree: dict[str, Tree] = {}
        asked: PollInputs | None = None
        try:
            for line in self._lines:
                if line[0] == POLL:
                    if asked is not None:
                        yield RecordedPoll(asked, None)
                    tree = applied(tree, line[1])
                    asked = build(PollInputs, tree)
                elif line[0] == DID and asked is not None:
                    yield RecordedPoll(asked, _answer(line))
                    asked = None
                elif line[0] == END:
                    self.ended = True
                else:
                    raise DataError(f"{self.path.name}: {line[0]!r} was not expected here")
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{self.path.name}: a change of what came before was expected, was {error}"
            ) from error
        if asked is not None:
            yield RecordedPoll(asked, None)


def find_segments(path: Path) -> list[Path]:
    """Return the segments under a path, oldest first.

    Parameters
    ----------
    path : Path
        A segment, a folder of segments, a home folder, or a journal beside which the folder lies.

    Raises
    ------
    ConfigError
        If there are none.

    """
    if path.name.endswith(SUFFIX) and path.is_file():
        return [path]
    home = path if path.is_dir() else path.parent
    found = (segment_paths(home) or segment_paths(home / FOLDER)) if path.exists() else []
    if not found:
        raise ConfigError(
            f"{path}: a journal with the folder {FOLDER} beside it was expected, none with *{SUFFIX} in it was found",
            remedy="give a home folder, its journal, the folder of inputs or one segment of it",
        )
    return found


def in_span(paths: list[Path], from_ns: int, until_ns: int) -> list[Path]:
    """Leave out segments that end before a span of market time or begin after it.

    The market time of two lives need not follow on: another venue may have been asked.
    """
    kept = []
    for at, path in enumerate(paths):
        begins = first_poll_ns(path)
        ends = first_poll_ns(paths[at + 1]) if at + 1 < len(paths) else until_ns
        if begins <= until_ns and not begins <= ends <= from_ns:
            kept.append(path)
    return kept


def _answer(line: list[Tree]) -> Answer:
    if len(line) == 1:
        return Answer("", [])
    _, digest, commands = line
    return Answer(digest, commands)
