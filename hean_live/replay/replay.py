"""A recorded session decided on again, without venue, key or network, and compared command by command. Reads only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hean_live.app.engine import Engine
from hean_live.replay.comparison import Difference, compare
from hean_live.replay.fingerprint import changed_modules, engine_code
from hean_live.replay.inputs import decide
from hean_live.replay.log import Head, commands_tree
from hean_live.replay.session import RecordedPoll, Segment
from hean_live.shadow.records import BankNews
from models.errors import ConfigError

_LAST_NS = (1 << 63) - 1
_LAGGING_S = 60.0


@dataclass
class Shadowed:
    """What the bank of shadows had told, in the polls compared.

    Attributes
    ----------
    polls : int
        At which it was at work.
    signals, trips : int
    lagging_polls : int
        At which it was more than a minute of market time behind.
    most_lagging_s, mean_lagging_s : float
        How far behind it was, seconds of market time.

    """

    polls: int = 0
    signals: int = 0
    trips: int = 0
    lagging_polls: int = 0
    most_lagging_s: float = 0.0
    mean_lagging_s: float = 0.0

    def count(self, news: BankNews) -> None:
        """Add a poll's news."""
        self.signals += len(news.signals)
        self.trips += len(news.trips)
        if news.running:
            self.polls += 1
            self.lagging_polls += news.lagging_s > _LAGGING_S
            self.most_lagging_s = max(self.most_lagging_s, news.lagging_s)
            self.mean_lagging_s += (news.lagging_s - self.mean_lagging_s) / self.polls


@dataclass
class Outcome:
    """What a replay came to.

    Attributes
    ----------
    segments, lives : int
        Files read, and starts of the process among them.
    unfinished : list of str
        Segments without their end: of a process that was killed, or still runs.
    polls, commands : int
        Compared.
    unanswered : int
        Polls whose answer was not recorded, because the process died while deciding; nothing to compare with.
    differences : int
        Polls with other commands than recorded.
    first : Difference or None
    first_ns, last_ns : int
        Market times of the first and last poll compared; 0 without one.
    changed : list of str
        Modules of the engine that are not those of the recording.
    shadows : Shadowed

    """

    segments: int = 0
    lives: int = 0
    unfinished: list[str] = field(default_factory=list)
    polls: int = 0
    commands: int = 0
    unanswered: int = 0
    differences: int = 0
    first: Difference | None = None
    first_ns: int = 0
    last_ns: int = 0
    changed: list[str] = field(default_factory=list)
    shadows: Shadowed = field(default_factory=Shadowed)


def replay(
    paths: Iterable[Path], *, from_ns: int = 0, until_ns: int = _LAST_NS, force: bool = False
) -> Outcome:
    """Decide again on every poll of these segments.

    Parameters
    ----------
    paths : iterable of Path
        Segments, oldest first; each stands for itself.
    from_ns, until_ns : int
        Market times between which polls are compared, both included. What comes before in the same segment is
        decided on all the same: the engine remembers it.
    force : bool
        Whether to go on although the engine's code is another.

    Returns
    -------
    Outcome

    Raises
    ------
    ConfigError
        If the engine's code is another and `force` is not given.
    DataError
        If a segment contradicts itself.

    """
    outcome = Outcome()
    present = engine_code()
    lives: set[int] = set()
    for path in paths:
        segment = Segment(path)
        outcome.segments += 1
        if segment.head is None:
            outcome.unfinished.append(path.name)
            continue
        changed = changed_modules(segment.head.code, present)
        if changed and not force:
            raise _other_code(path, changed)
        outcome.changed = sorted({*outcome.changed, *changed})
        lives.add(segment.head.life)
        _replay_segment(segment, segment.head, outcome, from_ns, until_ns)
        if not segment.ended:
            outcome.unfinished.append(path.name)
    outcome.lives = len(lives)
    return outcome


def _replay_segment(segment: Segment, head: Head, outcome: Outcome, from_ns: int, until_ns: int) -> None:
    engine = Engine.recall(head.memory, head.rules)
    for number, poll in enumerate(segment.polls()):
        at_ns = poll.inputs.snapshot.now_ns
        commands = commands_tree(decide(engine, poll.inputs))
        if not from_ns <= at_ns <= until_ns:
            continue
        outcome.first_ns = outcome.first_ns or at_ns
        outcome.last_ns = at_ns
        _count(outcome, poll, len(commands))
        outcome.shadows.count(poll.inputs.snapshot.bank)
        found = compare(segment.path.name, number, poll, commands)
        if found is not None:
            outcome.differences += 1
            outcome.first = outcome.first or found


def _count(outcome: Outcome, poll: RecordedPoll, commands: int) -> None:
    if poll.answer is None:
        outcome.unanswered += 1
    else:
        outcome.polls += 1
        outcome.commands += commands


def _other_code(path: Path, changed: list[str]) -> ConfigError:
    return ConfigError(
        f"{path.name}: the engine that recorded it was expected, was another one: {', '.join(changed)} differ",
        remedy="check the release out that recorded it, or give --force to see what this one would have done",
    )
