"""`hean`: finds the subcommands each shell registers as entry points of the group ``hean.commands`` and calls one.

Here belong dispatch, exit codes and the way errors are shown. A command lives with its shell; neither shell
imports the other, and a shell that is not installed is named with the extra that brings it.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from pathlib import Path

from hean_live.kernel_cache import name_kernel_cache
from models.errors import HeanError

GROUP = "hean.commands"
INTERRUPTED = 130
_OURS = ("models", "hean_live", "hean_pipelines", "dbt_like_sql")
_EXTRAS = {"hean_live": "live", "hean_pipelines": "pipelines"}
_DESCRIPTION = """\
From raw market data of crypto perpetual futures to a model that has earned its right to trade.

`hean demo` shows the whole road in a few minutes; `hean doctor` checks this machine; `hean <command> --help`
teaches one command. State lives in one folder, HEAN_HOME (default: var/).
"""


def main(argv: Sequence[str] | None = None, commands: Iterable[EntryPoint] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the program's name; those of the process by default.
    commands : iterable of EntryPoint, optional
        The subcommands; those installed by default.

    Returns
    -------
    int
        Exit code: 0 success, 2 usage or configuration, 130 interrupted, others by the class of the error.

    """
    name_kernel_cache()
    parser = _parser(discover() if commands is None else commands)
    arguments = parser.parse_args(argv)
    if "run" not in arguments:
        parser.print_help()
        return 2
    try:
        return int(arguments.run(arguments))
    except HeanError as error:
        sys.stderr.write(f"error: {error}\n")
        if error.remedy:
            sys.stderr.write(f"remedy: {error.remedy}\n")
        return error.exit_code
    except ModuleNotFoundError as error:
        shell = str(arguments.run.__module__).split(".")[0]
        if error.name is None or error.name.split(".")[0] in _OURS:
            raise
        sys.stderr.write(f"error: this command needs {error.name}, which is not installed\n")
        sys.stderr.write(f"remedy: pip install '.[{_EXTRAS.get(shell, 'live')}]'\n")
        return HeanError.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED


def discover() -> list[EntryPoint]:
    """Return the subcommands of the installed distribution, or of the checkout this file lies in, by name."""
    found = list(entry_points(group=GROUP)) or _of_checkout()
    return sorted(found, key=lambda point: point.name)


def _of_checkout() -> list[EntryPoint]:
    # A checkout run without installation has no metadata; its pyproject.toml says the same.
    path = Path(__file__).resolve().parents[1] / "pyproject.toml"
    if not path.is_file():
        return []
    declared = tomllib.loads(path.read_text())["project"]["entry-points"].get(GROUP, {})
    return [EntryPoint(name, value, GROUP) for name, value in declared.items()]


def _parser(commands: Iterable[EntryPoint]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hean", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"hean {_version()}")
    subparsers = parser.add_subparsers(title="commands", metavar="command")
    missing: list[tuple[EntryPoint, str]] = []
    for point in commands:
        try:
            point.load()(subparsers)
        except ImportError as error:
            missing.append((point, error.name or str(error)))
    if missing:
        parser.epilog = "not installed here:\n" + "".join(_hint(*item) for item in missing)
        for item in missing:
            _add_missing(subparsers, *item)
    return parser


def _add_missing(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], point: EntryPoint, needs: str
) -> None:
    """Make a command that cannot be loaded say why, instead of being unknown."""

    def run(_arguments: argparse.Namespace) -> int:
        raise HeanError(
            f"the command {point.name} needs {needs}, which is not installed",
            remedy=f"pip install '.[{_extra(point)}]'",
        )

    # Its own options cannot be known, so every argument is let through to the message.
    parser = subparsers.add_parser(point.name, add_help=False, prefix_chars="\0")
    parser.add_argument("rest", nargs="*")
    parser.set_defaults(run=run)


def _hint(point: EntryPoint, needs: str) -> str:
    return f"  {point.name:<12} needs {needs}: pip install '.[{_extra(point)}]'\n"


def _extra(point: EntryPoint) -> str:
    return _EXTRAS.get(point.module.split(".")[0], "live")


def _version() -> str:
    try:
        return version("hean")
    except PackageNotFoundError:
        return "(not installed, run from a checkout)"


if __name__ == "__main__":
    raise SystemExit(main())
