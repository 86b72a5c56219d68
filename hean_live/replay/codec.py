"""Records as JSON trees and back, exactly: every digit of a Decimal, every bit of a float, None apart from NaN. Pure.

Reading goes by the type hints of the record, so a new field of a `Snapshot` needs nothing here. A tree holds only
dicts, lists, strings, whole numbers, booleans, None, and finite floats other than minus zero; the other floats are
strings, because JSON has no name for some and comparison no difference for others.
"""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from models.errors import DataError

Tree = Any  # dict, list, str, int, float, bool or None
_AS_THEY_ARE = frozenset({str, int, bool, type(None)})
T = TypeVar("T")


class Memo:
    """Trees of the records met last time: most of what a poll tells has not changed since the one before.

    Only frozen records of single values are kept; such a record cannot have changed.
    """

    def __init__(self) -> None:
        self._before: dict[int, tuple[object, Tree]] = {}
        self._now: dict[int, tuple[object, Tree]] = {}

    def turn(self) -> None:
        """Forget what was not met since the last turn."""
        self._before, self._now = self._now, {}

    def find(self, value: object) -> Tree | None:
        """Return the tree of this very record, None if it was not met."""
        known = self._before.get(id(value))
        if known is None or known[0] is not value:
            return None
        self._now[id(value)] = known
        return known[1]

    def keep(self, value: object, tree: Tree) -> None:
        """Keep the tree of a record."""
        self._now[id(value)] = (value, tree)


def plain(value: object, memo: Memo | None = None) -> Tree:
    """Return a value as a tree.

    Parameters
    ----------
    value : object
        A dataclass, a named tuple, a mapping, a sequence, a frozen set, an enumeration of texts, a number, text or None, nested
        at will. Scalars of NumPy become Python's.
    memo : Memo, optional
        Trees to use again; what is returned may share them, and must not be changed.

    Raises
    ------
    DataError
        For anything else.

    """
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    writer = _WRITERS.get(kind)
    if writer is None:
        writer = _WRITERS[kind] = _writer(kind)
    return writer(value, memo)


def build(kind: type[T], tree: Tree) -> T:
    """Return the record that `plain` made a tree of.

    Parameters
    ----------
    kind : type
        Of the record.
    tree : Tree

    Raises
    ------
    DataError
        If the tree is not one of this record; fields it lacks take their defaults.

    """
    try:
        return cast(T, _reader(cast(Any, kind))(tree))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"the fields of {kind.__name__} were expected, was: {error}") from error


# --- writing


def _float(value: Any, _memo: Memo | None) -> Tree:
    return value if math.isfinite(value) and (value or math.copysign(1.0, value) > 0) else repr(value)


def _decimal(value: Any, _memo: Memo | None) -> Tree:
    return str(value)


def _sequence(value: Any, memo: Memo | None) -> Tree:
    return [plain(item, memo) for item in value]


def _mapping(value: Any, memo: Memo | None) -> Tree:
    return {
        key if type(key) is str else json.dumps(plain(key)): plain(item, memo) for key, item in value.items()
    }


def _fields(names: tuple[str, ...], *, frozen: bool) -> Writer:
    def write(value: Any, memo: Memo | None) -> Tree:
        if frozen and memo is not None and (known := memo.find(value)) is not None:
            return known
        found: dict[str, Tree] = {}
        single = frozen
        for name in names:
            part = getattr(value, name)
            kind = type(part)
            if kind in _AS_THEY_ARE:
                found[name] = part
            else:
                found[name] = plain(part, memo)
                single = single and kind in _NUMBERS
        if single and memo is not None:
            memo.keep(value, found)
        return found

    return write


Writer = Callable[[Any, Memo | None], Tree]
_WRITERS: dict[type, Writer] = {float: _float, Decimal: _decimal}
_NUMBERS = frozenset(_WRITERS)


def _writer(kind: type) -> Writer:
    if dataclasses.is_dataclass(kind):
        frozen = bool(kind.__dataclass_params__.frozen)  # type: ignore[attr-defined]
        return _fields(tuple(field.name for field in dataclasses.fields(kind)), frozen=frozen)
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _fields(tuple(kind._fields), frozen=True)
    if issubclass(kind, Mapping):
        return _mapping
    if issubclass(kind, (list, tuple)):
        return _sequence
    if issubclass(kind, frozenset):
        return lambda value, memo: [plain(item, memo) for item in sorted(value)]
    if issubclass(kind, StrEnum):
        return lambda value, _memo: str(value.value)
    if issubclass(kind, np.generic):
        return lambda value, _memo: plain(value.item())
    raise DataError(f"a record of plain values was expected, was one with a {kind.__name__}")


# --- reading


@cache
def _reader(hint: Any) -> Callable[[Tree], Any]:
    """Return what reads a tree of this type hint."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = _reader(next(part for part in arguments if part is not type(None)))
        return lambda tree: None if tree is None else inner(tree)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_reader(*arguments)
    if origin is not None and issubclass(origin, tuple) and arguments[-1] is not Ellipsis:
        readers = tuple(_reader(part) for part in arguments)
        return lambda tree: tuple(
            read(item) for read, item in zip(readers, _list_of(tree, len(readers)), strict=True)
        )
    if origin is not None and issubclass(origin, (tuple, list, frozenset)):
        inner = _reader(arguments[0])
        return lambda tree: origin(inner(item) for item in _list_of(tree))
    if hint in (float, Decimal):
        # What is no string was written as it was: a whole number where a float is allowed stays one.
        return lambda tree: hint(tree) if type(tree) is str else tree
    if dataclasses.is_dataclass(hint) or hasattr(hint, "_fields"):
        return _record_reader(hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if hint in _AS_THEY_ARE:
        return lambda tree: tree
    raise DataError(f"a type of plain values was expected, was {hint}")


def _mapping_reader(key: Any, item: Any) -> Callable[[Tree], Any]:
    read_key, read_item = _reader(key), _reader(item)
    if key is str:
        return lambda tree: {name: read_item(part) for name, part in tree.items()}
    return lambda tree: {read_key(json.loads(name)): read_item(part) for name, part in tree.items()}


def _record_reader(kind: Any) -> Callable[[Tree], Any]:
    hints = get_type_hints(kind)
    readers = {name: _reader(hints[name]) for name in _names(kind)}
    return lambda tree: kind(**{name: readers[name](part) for name, part in tree.items()})


def _names(kind: Any) -> tuple[str, ...]:
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    return tuple(kind._fields)


def _list_of(tree: Tree, length: int | None = None) -> list[Tree]:
    if type(tree) is not list or (length is not None and len(tree) != length):
        raise TypeError(f"a list{'' if length is None else f' of {length}'}, was {tree!r}")
    return tree
