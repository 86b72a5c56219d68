"""Writing unit files, checking them with the service manager's own tools, and saying what to do next.

Here belongs what touches the machine. The units' text is `units.py`.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hean_live.deploy.units import CREDENTIALS, SYSTEM_HOME, Place, Scope, render
from models.errors import ConfigError

_SYSTEM_UNITS = Path("/etc/systemd/system")
_SYSTEM_SETTINGS = Path("/etc/hean")


@dataclass(frozen=True)
class Written:
    """A unit, where it lies, and whether its text differs from what was there."""

    path: Path
    text: str
    changed: bool


def place_of(scope: Scope, home: Path | None = None) -> Place:
    """Return where this installation's files lie.

    Parameters
    ----------
    scope : str
    home : Path, optional
        HEAN_HOME of a user's service; ``~/.local/state/hean`` by default.

    Raises
    ------
    ConfigError
        If the command `hean` lies nowhere beside this interpreter, or a system service is given a home.

    """
    hean = Path(sys.executable).parent / "hean"
    if not hean.is_file():
        raise ConfigError(
            f"the command should be installed beside {sys.executable}, was not",
            remedy="make install, or pip install '.[live]'",
        )
    if scope == "system":
        if home is not None:
            raise ConfigError(
                f"--home should be left out with --system: the service manager keeps {SYSTEM_HOME}"
            )
        settings, state = _SYSTEM_SETTINGS, SYSTEM_HOME
    else:
        settings = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "hean"
        state = home or Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "hean"
    checkout = Path(__file__).resolve().parents[2]
    return Place(
        scope=scope,
        hean=hean.absolute(),
        home=state.absolute(),
        credentials=settings / "credentials",
        environment_file=settings / "live.env",
        documentation=checkout / "README.md",
        program=tuple(dict.fromkeys((Path(sys.prefix), Path(sys.base_prefix), checkout))),
    )


def units_folder(scope: Scope) -> Path:
    """Return the folder the service manager reads."""
    if scope == "system":
        return _SYSTEM_UNITS
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def write_units(names: tuple[str, ...], place: Place, folder: Path, *, dry_run: bool) -> list[Written]:
    """Write units whole or not at all.

    Parameters
    ----------
    names : tuple of str
    place : Place
    folder : Path
    dry_run : bool
        Compare only.

    Raises
    ------
    ConfigError
        If the folder cannot be written.

    """
    written = []
    for name in names:
        path, text = folder / name, render(name, place)
        before = path.read_text(encoding="utf-8") if path.is_file() else None
        written.append(Written(path, text, changed=text != before))
    if dry_run:
        return written
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if place.scope == "user":
            place.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        place.credentials.mkdir(parents=True, exist_ok=True, mode=0o700)
        for unit in written:
            if unit.changed:
                fresh = unit.path.with_suffix(".new")
                fresh.write_text(unit.text, encoding="utf-8")
                fresh.replace(unit.path)
    except OSError as error:
        raise ConfigError(
            f"{folder} and {place.credentials} should be writable, were not: {error}",
            remedy="run it as root for --system, or use --user",
        ) from error
    return written


def credential_problems(place: Place) -> list[str]:
    """Say which secrets are missing or readable by others."""
    problems = []
    for name in CREDENTIALS:
        path = place.credentials / name
        if not path.is_file():
            problems.append(f"{path} is missing: the service does not start without it")
        elif stat.S_IMODE(path.stat().st_mode) & 0o077:
            problems.append(f"{path} can be read by others: chmod 600 {path}")
    return problems


def exposure(path: Path) -> float | None:
    """Return the exposure `systemd-analyze security --offline` finds, 0 (sealed) to 10; None where it cannot judge."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        return None
    command = [tool, "security", "--offline=true", "--no-pager", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    for line in reversed(done.stdout.splitlines()):
        if "Overall exposure level" in line:
            return float(line.rpartition(": ")[2].split()[0])
    return None


def verify(path: Path) -> str:
    """Return what `systemd-analyze verify` objects to in a unit, ``""`` if nothing or without that tool."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        return ""
    command = [tool, "verify", "--man=no", "--recursive-errors=no", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    # The tool also reports on other units of the machine; only ours matter here.
    own = [line for line in done.stderr.splitlines() if path.name in line]
    return "\n".join(own)
