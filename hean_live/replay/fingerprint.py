"""Which code decides: a digest of every module the engine's decisions pass through.

The modules are found from the engine's by their import lines. Storage, wire and reconciliation are left out: the engine
uses only records of theirs, and what those hold is in the inputs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

_FIRST = "hean_live.app.engine"
_RECORDS_ONLY = ("hean_live.execution.order_manager", "hean_live.execution.reconcile", "hean_live.venues")
_IMPORT = re.compile(r"^from ((?:hean_live|models)[\w.]*) import (\([^)]*\)|[^\n]*)", re.MULTILINE)
_DIGITS = 16


def engine_code() -> dict[str, str]:
    """Return the digest of each deciding module's source, by name, in order of the names."""
    found: dict[str, str] = {}
    waiting = [_FIRST]
    while waiting:
        name = waiting.pop()
        path = None if name in found or name.startswith(_RECORDS_ONLY) else _source(name)
        if path is None:
            continue
        text = path.read_text()
        found[name] = hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
        for package, names in _IMPORT.findall(text):
            parts = re.findall(r"(\w+)(?: as \w+)?", re.sub(r"#.*", "", names))
            waiting += [package, *(f"{package}.{part}" for part in parts)]
    return dict(sorted(found.items()))


def changed_modules(recorded: Mapping[str, str], present: Mapping[str, str]) -> list[str]:
    """Return the modules that differ, also those only one of the two has."""
    return sorted(name for name in {*recorded, *present} if recorded.get(name) != present.get(name))


def _source(name: str) -> Path | None:
    """Return the file of a module, None for what is none (a class, a package of only a docstring)."""
    root = find_spec(name.partition(".")[0])
    if root is None or root.origin is None:
        return None
    path = Path(root.origin).parent.joinpath(*name.split(".")[1:]).with_suffix(".py")
    return path if path.is_file() else None
