"""Where compiled kernels are kept: a folder named by the state of the sources they were compiled from.

Numba's cache looks at a function's own file only. A kernel that calls another file's keeps the old code when that file
changes, so every process of ours names its cache before Numba is imported. Here belongs that and nothing that imports Numba.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

_MODELS = Path(__file__).resolve().parents[1] / "models"
# The packages whose kernels call each other. A kernel elsewhere stands in its own file, which Numba watches itself.
_PACKAGES = ("gates", "market", "regimes", "simulation", "strategies")
_KEPT = 6


def state_of_kernels() -> str:
    """Return 16 hex digits that change with any source a kernel may depend on."""
    digest = hashlib.sha256()
    for package in _PACKAGES:
        for path in sorted((_MODELS / package).rglob("*.py")):
            digest.update(path.relative_to(_MODELS).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def name_kernel_cache(root: Path | None = None) -> None:
    """Set ``NUMBA_CACHE_DIR`` unless it is set; to be called before Numba is imported.

    Parameters
    ----------
    root : Path, optional
        Folder of caches; by default the service's ``CACHE_DIRECTORY``, else the user's cache folder. Only the newest few states
        are kept there.

    """
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    folder = root or _default_root()
    state = state_of_kernels()
    os.environ["NUMBA_CACHE_DIR"] = str(folder / state)
    _prune(folder, state)


def _default_root() -> Path:
    service = os.environ.get("CACHE_DIRECTORY", "").split(":")[0]
    if service:
        return Path(service) / "numba"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hean" / "numba"


def _prune(folder: Path, state: str) -> None:
    if (folder / state).is_dir() or not folder.is_dir():
        return  # only a new state makes an old one superfluous
    others = sorted((p for p in folder.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime)
    for old in others[: -_KEPT + 1]:
        shutil.rmtree(old, ignore_errors=True)
