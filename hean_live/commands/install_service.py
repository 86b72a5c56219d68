"""`hean install-service`: arguments and what is printed. The units are in `hean_live.deploy`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hean_live.deploy.units import Place, Scope

_DESCRIPTION = """\
Write the unit files of the executor and the recorder, for your own service manager (--user, the default) or the
system's (--system). Nothing is started: the commands to do so are printed. Secrets stay in files that only their
owner reads and reach the service as systemd credentials; they are in no unit, no environment and no process list.
"""
_EPILOG = """\
examples:
  hean install-service --dry-run              show the units, change nothing
  hean install-service --user                 ~/.config/systemd/user; state in ~/.local/state/hean
  sudo .venv/bin/hean install-service --system     /etc/systemd/system; state in /var/lib/hean
  hean install-service --only executor        without the recorder

afterwards: put the key's two parts into the credential files named at the end, then
  systemctl --user daemon-reload && systemctl --user enable --now hean-executor
  journalctl --user -fu hean-executor         what it says
  systemctl --user stop hean-executor         entries end, our orders are cancelled, stops stay with the venue
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `hean install-service`."""
    parser = subparsers.add_parser(
        "install-service",
        help="write the systemd units of executor and recorder",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    scope = parser.add_mutually_exclusive_group()
    scope.add_argument(
        "--user", dest="scope", action="store_const", const="user", default="user", help="for you"
    )
    scope.add_argument("--system", dest="scope", action="store_const", const="system", help="for the machine")
    parser.add_argument("--only", choices=("executor", "recorder"), help="one of the two")
    parser.add_argument("--home", type=Path, help="HEAN_HOME of a user's service")
    parser.add_argument("--dry-run", action="store_true", help="show, change nothing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the units; returns the exit code."""
    from hean_live.deploy.install import credential_problems, place_of, units_folder, write_units
    from hean_live.deploy.units import EXECUTOR, RECORDER, UNITS

    scope: Scope = arguments.scope
    names = {"executor": (EXECUTOR,), "recorder": (RECORDER,)}.get(arguments.only, UNITS)
    place = place_of(scope, arguments.home)
    written = write_units(names, place, units_folder(scope), dry_run=arguments.dry_run)
    for unit in written:
        if arguments.dry_run:
            print(f"# {unit.path}{'' if unit.changed else ' (as it is already)'}\n{unit.text}")
        else:
            print(f"{'wrote' if unit.changed else 'unchanged'} {unit.path}")
            _judge(unit.path)
    for problem in credential_problems(place):
        sys.stderr.write(f"note: {problem}\n")
    if not arguments.dry_run:
        _next_steps(place, [unit.path.stem for unit in written])
    return 0


def _judge(path: Path) -> None:
    from hean_live.deploy.install import exposure, verify

    found = exposure(path)
    if found is not None:
        print(f"  systemd-analyze security: exposure {found:.1f} of 10")
    objections = verify(path)
    if objections:
        sys.stderr.write(f"note: systemd-analyze verify: {objections}\n")


def _next_steps(place: Place, names: list[str]) -> None:
    manager = "systemctl" if place.scope == "system" else "systemctl --user"
    print(
        f"settings: {place.environment_file} (HEAN_LIVE_...=value lines) or [live] in {place.home}/hean.toml"
    )
    print(f"credentials: {place.credentials}/api_key and api_secret, chmod 600")
    print(f"then: {manager} daemon-reload && {manager} enable --now {' '.join(names)}")
    if place.scope == "user":
        print("to run while you are logged out: loginctl enable-linger")
