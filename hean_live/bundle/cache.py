"""Bundles on disk: ``<home>/bundles/<name>/<version>/`` and ``current.json`` beside the versions.

Written to a temporary folder, verified, then renamed, so no reader sees half a bundle. Here belongs the disk;
verification is `models.bundle`'s, the registry `fetch.py`'s.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from models.bundle import verify_bundle
from models.errors import BundleError

_CURRENT = "current.json"


@dataclass(frozen=True)
class Pointer:
    """Which version is in use and the run it came from."""

    version: str
    run_id: str


class BundleCache:
    """The cached versions of one registered model.

    Parameters
    ----------
    root : Path
        ``<home>/bundles/<name>``; created when something is stored.

    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def pointer(self) -> Pointer | None:
        """Return the version in use, or None if none has ever been stored or the pointer is unreadable."""
        try:
            body = json.loads((self.root / _CURRENT).read_text())
            return Pointer(str(body["version"]), str(body["run_id"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def versions(self) -> list[str]:
        """Return the cached versions, newest first."""
        if not self.root.is_dir():
            return []
        folders = [path for path in self.root.iterdir() if path.is_dir() and not path.name.startswith(".")]
        return [path.name for path in sorted(folders, key=lambda path: path.stat().st_mtime_ns, reverse=True)]

    def read(self, version: str) -> dict[str, bytes]:
        """Return all files of a version by relative path.

        Raises
        ------
        BundleError
            If the version is not there or cannot be read.

        """
        folder = self.root / version
        if not folder.is_dir():
            raise BundleError(f"bundle {self.root.name} version {version} should be cached, was not")
        try:
            return read_folder(folder)
        except OSError as error:
            raise BundleError(f"bundle {self.root.name} version {version} cannot be read: {error}") from error

    def store(self, version: str, contents: Mapping[str, bytes]) -> None:
        """Verify and store a version, replacing a stored one of the same name.

        Raises
        ------
        BundleError
            If the contents do not agree with their manifest, or the disk refuses; nothing is changed then.

        """
        verify_bundle(contents)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.root, prefix=".incoming-") as name:
                incoming = Path(name) / version
                for path, data in contents.items():
                    target = incoming / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(data)
                final = self.root / version
                if final.exists():
                    os.replace(final, Path(name) / "replaced")
                os.replace(incoming, final)
        except OSError as error:
            raise BundleError(
                f"bundle {self.root.name} version {version} could not be stored: {error}",
                remedy="free disk space and check the rights of the home folder",
            ) from error

    def point_to(self, pointer: Pointer) -> None:
        """Make a stored version the one in use; atomic."""
        temporary = self.root / f".{_CURRENT}.tmp"
        temporary.write_text(json.dumps({"version": pointer.version, "run_id": pointer.run_id}))
        os.replace(temporary, self.root / _CURRENT)

    def discard(self, version: str) -> None:
        """Remove a damaged version so that it is fetched again."""
        shutil.rmtree(self.root / version, ignore_errors=True)


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder by relative POSIX path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
