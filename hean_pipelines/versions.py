"""Which code and which data made a model: two short strings that go with everything trained."""

from __future__ import annotations

import hashlib
import subprocess
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.funding.table import FeatureTable


def code_version() -> str:
    """Return the release, with the revision where the code runs from a checkout."""
    try:
        release = metadata.version("hean")
    except metadata.PackageNotFoundError:
        release = "uninstalled"
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607 - git is looked up like everywhere else
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    revision = found.stdout.strip()
    return f"{release}+{revision}" if found.returncode == 0 and revision else release


def data_version(table: FeatureTable) -> str:
    """Return the SHA-256 of a training table's rows, first 16 digits."""
    digest = hashlib.sha256()
    for name in table.__dataclass_fields__:
        digest.update(getattr(table, name).tobytes())
    return digest.hexdigest()[:16]
