"""Unit files as text: templates filled for one machine, once for a user's own manager, once for the system's.

Here belongs what stands in a unit and why. Writing it anywhere is `install.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal

from models.errors import ConfigError

Scope = Literal["user", "system"]
EXECUTOR = "hean-executor.service"
RECORDER = "hean-recorder.service"
UNITS = (EXECUTOR, RECORDER)
CREDENTIALS = ("api_key", "api_secret")
SYSTEM_HOME = Path("/var/lib/hean")
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))

# A user's manager can build this sandbox too, because of PrivateUsers (systemd 251 or newer). MemoryDenyWriteExecute is missing
# on purpose: compiled kernels are mapped writable first and executable after.
_SANDBOX = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=$protect_home
$paths
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
PrivateIPC=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
RemoveIPC=yes
DevicePolicy=closed
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictNamespaces=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
LimitCORE=0
MemoryMax=2G
"""


@dataclass(frozen=True)
class Place:
    """Where things lie on the machine a unit is written for.

    Attributes
    ----------
    scope : str
        ``user`` or ``system``.
    hean : Path
        The installed command.
    home : Path
        HEAN_HOME of the service; a system service has one of its own, kept by the service manager.
    credentials : Path
        Folder with the files ``api_key`` and ``api_secret``, readable by their owner alone.
    environment_file : Path
        ``KEY=value`` lines, settings only.
    documentation : Path
        The README.
    program : tuple of Path
        Folders the program is read from: environment, interpreter, checkout.

    """

    scope: Scope
    hean: Path
    home: Path
    credentials: Path
    environment_file: Path
    documentation: Path
    program: tuple[Path, ...]


def render(unit: str, place: Place) -> str:
    """Return the text of a unit.

    Parameters
    ----------
    unit : str
        One of `UNITS`.
    place : Place

    Raises
    ------
    ConfigError
        If the name is unknown, or a path holds what a unit file cannot: blanks, quotes, percent signs.

    """
    if unit not in UNITS:
        raise ConfigError(f"unit should be one of {', '.join(UNITS)}, was {unit!r}")
    for path in (
        place.hean,
        place.home,
        place.credentials,
        place.environment_file,
        place.documentation,
        *place.program,
    ):
        if any(character in str(path) for character in " \t\n\"'\\%$"):
            raise ConfigError(
                f"{path}: a unit file cannot hold blanks, quotes, backslashes, % or $ in a path",
                remedy="install to a folder with a plain name",
            )
    template = Template(files("hean_live.deploy").joinpath(unit).read_text(encoding="utf-8"))
    system = place.scope == "system"
    text = template.substitute(
        scope_flag="--system" if system else "--user",
        documentation=place.documentation,
        hean=place.hean,
        home=place.home,
        environment_file=place.environment_file,
        identity=_identity(place),
        credentials="\n".join(f"LoadCredential={name}:{place.credentials / name}" for name in CREDENTIALS),
        sandbox=_sandbox(place),
        wanted_by="multi-user.target" if system else "default.target",
    )
    return "\n".join(_without_gaps(text.splitlines())) + "\n"


def _identity(place: Place) -> str:
    if place.scope == "user":
        return f"Environment=XDG_CACHE_HOME={place.home}/cache"
    # One name for both units, so that they share the folder of state.
    return "\n".join(
        (
            "DynamicUser=yes",
            "User=hean",
            "StateDirectory=hean",
            "StateDirectoryMode=0700",
            "CacheDirectory=hean",
            "WorkingDirectory=%S/hean",
        )
    )


def _sandbox(place: Place) -> str:
    if place.scope == "user":
        # A user's own home is readable and, but for the state, not writable.
        return Template(_SANDBOX).substitute(protect_home="read-only", paths=f"ReadWritePaths={place.home}")
    # Homes are hidden, but for the program itself where it is installed in one.
    inside = [path for path in place.program if any(path.is_relative_to(folder) for folder in _HOMES)]
    paths = "\n".join(f"BindReadOnlyPaths={path}" for path in inside)
    return Template(_SANDBOX).substitute(protect_home="tmpfs" if inside else "yes", paths=paths)


def _without_gaps(lines: list[str]) -> list[str]:
    return [
        line
        for i, line in enumerate(lines)
        if line or lines[i + 1 : i + 2] == ["[Service]"] or lines[i + 1 : i + 2] == ["[Install]"]
    ]
