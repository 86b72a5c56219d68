"""Before anything is imported: compiled kernels are cached by the state of the sources they were compiled from.

Numba's cache looks at a function's own file only. A kernel that calls another file's keeps the old code when that file changes,
so the cache folder is named by a hash of all of `models`.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def _state_of_models() -> str:
    digest = hashlib.sha256()
    for path in sorted((_ROOT / "models").rglob("*.py")):
        digest.update(path.relative_to(_ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


os.environ.setdefault("NUMBA_CACHE_DIR", str(_ROOT / ".pytest_cache" / "numba" / _state_of_models()))
