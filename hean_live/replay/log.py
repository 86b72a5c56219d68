"""The log of inputs beside the journal: what the engine is told at each poll and what it answered.

Here belong when a segment begins and ends, what its head holds, and how much is kept. A log that cannot be written
raises an alarm and is tried again at the next poll; trading goes on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import zstandard

from hean_live.app.alarms import Alarms
from hean_live.app.engine import Engine, EngineRules
from hean_live.app.snapshot import Command, Memory
from hean_live.replay.codec import Memo, Tree, plain
from hean_live.replay.delta import difference
from hean_live.replay.fingerprint import engine_code
from hean_live.replay.inputs import PollInputs
from hean_live.replay.segments import SegmentWriter, segment_number, segment_paths
from models.errors import DataError

FORMAT: Final = "hean-inputs-1"
FOLDER: Final = "inputs"
ALARM: Final = "INPUTS"
HEAD: Final = "head"
POLL: Final = "poll"
DID: Final = "did"
_DAY_NS: Final = 86_400 * 1_000_000_000


@dataclass(frozen=True)
class Head:
    """What a segment begins with: an engine as it stood before the segment's first poll.

    `life` numbers the process's lives by the segment each began with.
    """

    format: str
    code: dict[str, str]
    life: int
    rules: EngineRules
    memory: Memory


@dataclass(frozen=True)
class LogRules:
    """When a segment ends, and how many bytes all of them may take; a segment ends with the day as well."""

    rotate_bytes: int = 16 << 20
    keep_bytes: int = 1 << 30


class InputLog:
    """Writes the inputs of one process's life.

    Parameters
    ----------
    home : Path
        Folder of the journal.
    engine_rules : EngineRules
        That the engine was made with.
    rules : LogRules
    alarms : Alarms

    """

    def __init__(self, home: Path, engine_rules: EngineRules, rules: LogRules, alarms: Alarms) -> None:
        self._folder = home / FOLDER
        self._engine_rules = engine_rules
        self._rules = rules
        self._alarms = alarms
        self._code = engine_code()
        self._life = 0
        self._day = -1
        self._segment: SegmentWriter | None = None
        self._tree: dict[str, Tree] = {}
        self._memo = Memo()
        self._waiting: list[Tree] = []  # an answer without commands goes out with the next poll

    def heard(self, engine: Engine, inputs: PollInputs) -> None:
        """Write down what the engine is about to be told."""
        try:
            segment = self._segment_for(engine, inputs.snapshot.now_ns)
            self._memo.turn()
            tree = plain(inputs, self._memo)
            segment.write(*self._waiting, [POLL, difference(self._tree, tree)])
        except (OSError, DataError, zstandard.ZstdError) as error:
            self._give_up(error)
            return
        self._tree, self._waiting = tree, []
        self._alarms.cleared(ALARM)

    def decided(self, commands: Sequence[Command]) -> None:
        """Write down what it answered."""
        if self._segment is None:
            return
        try:
            trees = commands_tree(commands)
            self._waiting = [[DID, digest(trees), trees] if trees else [DID]]
            if trees:
                self._segment.write(*self._waiting)
                self._waiting = []
        except (OSError, DataError, zstandard.ZstdError) as error:
            self._give_up(error)

    def close(self) -> None:
        """End the present segment."""
        segment, self._segment = self._segment, None
        if segment is None:
            return
        try:
            segment.close(*self._waiting)
        except (OSError, zstandard.ZstdError) as error:
            self._alarms.raised(ALARM, f"{segment.path.name} could not be closed: {error}")

    def _segment_for(self, engine: Engine, at_ns: int) -> SegmentWriter:
        full = self._segment is not None and self._segment.bytes_written >= self._rules.rotate_bytes
        if full or at_ns // _DAY_NS != self._day:
            self.close()
        if self._segment is None:
            self._segment = self._begin(engine, at_ns)
        return self._segment

    def _begin(self, engine: Engine, at_ns: int) -> SegmentWriter:
        self._folder.mkdir(parents=True, exist_ok=True)
        found = segment_paths(self._folder)
        self._prune(found)
        number = segment_number(found[-1]) + 1 if found else 1
        self._life = self._life or number
        head = Head(FORMAT, self._code, self._life, self._engine_rules, engine.memory())
        self._tree, self._waiting, self._day = {}, [], at_ns // _DAY_NS
        return SegmentWriter(self._folder, number, at_ns, [HEAD, plain(head)])

    def _prune(self, found: list[Path]) -> None:
        """Remove the oldest segments until there is room for one more."""
        sizes = [path.stat().st_size for path in found]
        excess = sum(sizes) + self._rules.rotate_bytes - self._rules.keep_bytes
        for path, size in zip(found, sizes, strict=True):
            if excess <= 0:
                return
            path.unlink()
            excess -= size

    def _give_up(self, error: Exception) -> None:
        """Leave the segment as it is; the next poll begins another, which stands for itself."""
        if self._segment is not None:
            self._segment.abandon()
        self._segment = None
        self._alarms.raised(ALARM, f"the inputs of a poll could not be written down: {error}")


def commands_tree(commands: Sequence[Command]) -> list[Tree]:
    """Return commands as a tree: each a dict of its name to its fields."""
    return [{type(command).__name__: plain(command)} for command in commands]


def digest(trees: list[Tree]) -> str:
    """Return the digest of commands: 16 hexadecimal digits."""
    text = json.dumps(trees, separators=(",", ":"), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
