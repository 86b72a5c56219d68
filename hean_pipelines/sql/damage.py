"""Telling a damaged warehouse file from a faulty statement, by DuckDB's words: it has no class of its own for it."""

from __future__ import annotations

_SIGNS = ("corrupt database file", "not a valid duckdb database", "replaying wal")


def is_damage(error: BaseException) -> bool:
    """Return whether a DuckDB error says that the warehouse file itself is damaged."""
    return any(sign in str(error).lower() for sign in _SIGNS)
