"""Commands recorded against commands decided again: whether they are the same, and if not, in which fields. Pure."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from hean_live.replay.codec import Tree
from hean_live.replay.log import digest
from hean_live.replay.session import RecordedPoll

ABSENT = "absent"


@dataclass(frozen=True)
class Field:
    """One field that differs; values as JSON, `ABSENT` where there is none."""

    name: str
    recorded: str
    replayed: str


@dataclass(frozen=True)
class Difference:
    """The poll `number` (from 0) of a segment, at market time `at_ns`, and every field that differs."""

    segment: str
    number: int
    at_ns: int
    fields: tuple[Field, ...]


def compare(segment: str, number: int, poll: RecordedPoll, commands: list[Tree]) -> Difference | None:
    """Compare commands with those recorded.

    Parameters
    ----------
    segment : str
    number : int
    poll : RecordedPoll
    commands : list of Tree
        Decided now.

    Returns
    -------
    Difference or None
        None if they are the same or nothing was recorded to compare with.

    """
    answer = poll.answer
    if answer is None or answer.digest == (digest(commands) if commands else ""):
        return None
    fields = tuple(_fields("commands", answer.commands, commands))
    return Difference(segment, number, poll.inputs.snapshot.now_ns, fields)


def _fields(name: str, recorded: Tree, replayed: Tree) -> Iterator[Field]:
    if type(recorded) is dict and type(replayed) is dict:
        for key in {**recorded, **replayed}:
            yield from _fields(f"{name}.{key}", recorded.get(key, _Absent), replayed.get(key, _Absent))
    elif type(recorded) is list and type(replayed) is list:
        for at in range(max(len(recorded), len(replayed))):
            before = recorded[at] if at < len(recorded) else _Absent
            after = replayed[at] if at < len(replayed) else _Absent
            yield from _fields(f"{name}[{at}]", before, after)
    elif type(recorded) is str and type(replayed) is str and recorded != replayed:
        yield from _texts(name, recorded, replayed)
    elif type(recorded) is not type(replayed) or recorded != replayed:
        yield Field(name, _shown(recorded), _shown(replayed))


def _texts(name: str, recorded: str, replayed: str) -> Iterator[Field]:
    """Look into texts of JSON, such as the engine's state: the part that differs says more than both texts."""
    inside: list[Field] = []
    if recorded[:1] == replayed[:1] == "{":
        with contextlib.suppress(ValueError):  # a sentence may begin with a brace
            inside = list(_fields(name, json.loads(recorded), json.loads(replayed)))
    yield from inside or [Field(name, _shown(recorded), _shown(replayed))]


class _Absent:
    """Stands for a value that is not there."""


def _shown(value: Tree) -> str:
    return ABSENT if value is _Absent else json.dumps(value)
