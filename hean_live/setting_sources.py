"""Where settings come from besides arguments: environment, systemd credentials and ``<home>/hean.toml``. Reads only.

Secrets in the file are refused. What a setting may be is `settings.py`'s.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from models.errors import ConfigError

PREFIX = "HEAN_LIVE_"
HOME_VARIABLE = "HEAN_HOME"
SECRETS = ("api_key", "api_secret", "alert_webhook_url", "alert_smtp_password")
_TABLES = frozenset({"live", "pipelines"})


def home_of(given: Mapping[str, Any]) -> Path:
    """Return the home folder: as given, from the environment, or the default."""
    return Path(given.get("home") or os.environ.get(HOME_VARIABLE) or "var")


def refuse_unknown_variables(names: Iterable[str]) -> None:
    """Refuse variables of ours that name no setting; raises `ConfigError`."""
    known = {f"{PREFIX}{name}".upper() for name in names if name != "home"}
    unknown = sorted(
        name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known
    )
    if unknown:
        raise ConfigError(
            f"environment variables should name settings, unknown: {', '.join(unknown)}",
            remedy=f"unset them; the home folder is {HOME_VARIABLE}, `hean doctor` lists all settings",
        )


def credentials() -> dict[str, str]:
    """Return the secrets the service manager hands over."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    if not folder:
        return {}
    files = {name: Path(folder) / name for name in SECRETS}
    return {name: path.read_text().strip() for name, path in files.items() if path.is_file()}


def table_of(home: Path) -> dict[str, Any]:
    """Return the table of the home's file, empty without one; raises `ConfigError`."""
    path = home / "hean.toml"
    if not path.is_file():
        return {}
    try:
        tables = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: should be TOML, was not: {error}") from error
    unknown = sorted(set(tables) - _TABLES)
    if unknown:
        raise ConfigError(f"{path}: tables should be among {sorted(_TABLES)}, unknown: {', '.join(unknown)}")
    table = tables.get("live", {})
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: 'live' should be a table, was {type(table).__name__}")
    secret = sorted(set(table) & set(SECRETS))
    if secret:
        raise ConfigError(
            f"{path}: secrets do not belong in the file, found {', '.join(secret)}",
            remedy=f"use {' and '.join(PREFIX + name.upper() for name in secret)} or systemd credentials",
        )
    return table
