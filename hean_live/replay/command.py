"""`hean live --replay`: arguments into a replay, and what is printed of it. The work is in `replay.py`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from hean_live.replay.comparison import Difference
from hean_live.replay.replay import Outcome, replay
from hean_live.replay.session import find_segments, in_span
from models.errors import ConfigError

DIFFERENT = 7
_LAST_NS = (1 << 63) - 1


def run_replay(arguments: argparse.Namespace) -> int:
    """Replay what was recorded; returns 0 if every command is the same, `DIFFERENT` otherwise."""
    if arguments.replay is None:
        raise ConfigError("--from, --until and --force belong to --replay, which was not given")
    from_ns = 0 if arguments.from_time is None else arguments.from_time
    until_ns = _LAST_NS if arguments.until is None else arguments.until
    path = Path(arguments.replay)
    paths = in_span(find_segments(path), from_ns, until_ns)
    outcome = replay(_shown(paths), from_ns=from_ns, until_ns=until_ns, force=arguments.force)
    if not outcome.polls + outcome.unanswered:
        raise ConfigError(
            f"{path}: polls between --from and --until were expected, none were found",
            remedy="leave both out for everything that was recorded",
        )
    sys.stdout.write(json.dumps(_summary(path, outcome)) + "\n")
    if outcome.first is None:
        return 0
    sys.stderr.write(_words(outcome.first) + "\n")
    return DIFFERENT


def read_time(text: str) -> int:
    """Read a time of the command line: ISO 8601, UTC unless it says otherwise, or nanoseconds since 1970.

    Raises
    ------
    argparse.ArgumentTypeError
        If it is neither.

    """
    if text.isdecimal():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a time such as 2025-06-01T08:00:00, was {text}") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    # By whole microseconds: a float of seconds has not all digits.
    past = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return ((past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds) * 1000


def _shown(paths: list[Path]) -> Iterable[Path]:
    """Show how far the replay is, on a terminal."""
    if len(paths) == 1 or not sys.stderr.isatty():
        return paths
    from rich.console import Console
    from rich.progress import track

    return track(paths, "replaying", console=Console(stderr=True))


def _summary(path: Path, outcome: Outcome) -> dict[str, object]:
    first = outcome.first
    return {
        "replayed": str(path),
        "identical": first is None,
        **{name: value for name, value in asdict(outcome).items() if name != "first"},
        "first": None if first is None else asdict(first),
    }


def _words(difference: Difference) -> str:
    at = datetime.fromtimestamp(difference.at_ns // 1_000_000_000, tz=UTC).isoformat()
    lines = [f"first difference: {difference.segment}, poll {difference.number}, market time {at}"]
    for field in difference.fields:
        lines.append(f"  {field.name}: recorded {field.recorded}, replayed {field.replayed}")
    return "\n".join(lines)
