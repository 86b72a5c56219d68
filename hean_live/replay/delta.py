"""What changed from one tree to the next, and the next from the first and the change. Pure.

A change of a dict is a dict: under each key that changed, 0 if it is gone, a list of one if it is new or replaced, a dict
if it changed inside. Keys keep their order, for an engine may go by it.
"""

from __future__ import annotations

from hean_live.replay.codec import Tree

_GONE = 0


def difference(old: dict[str, Tree], new: dict[str, Tree]) -> dict[str, Tree]:
    """Return the change from `old` to `new`; empty if they are the same.

    Parameters
    ----------
    old, new : dict
        Trees as `codec.plain` makes them.

    Returns
    -------
    dict

    """
    change: dict[str, Tree] = {}
    for key, value in new.items():
        before = old.get(key, _GONE)
        if before is value and key in old:
            continue
        kind = type(value)
        if kind is type(before) and key in old:
            if kind is dict and _keeps_order(before, value):
                inner = difference(before, value)
                if inner:
                    change[key] = inner
                continue
            if _same(before, value):
                continue
        change[key] = [value]
    if old.keys() - new.keys():
        change |= {key: _GONE for key in old if key not in new}
    return change


def applied(old: dict[str, Tree], change: dict[str, Tree]) -> dict[str, Tree]:
    """Return `old` with a change; `old` stays as it is.

    Raises
    ------
    KeyError, TypeError
        If the change is none of `old`.

    """
    new = dict(old)
    for key, what in change.items():
        if type(what) is list:
            (new[key],) = what
        elif type(what) is dict:
            new[key] = applied(old[key], what)
        else:
            del new[key]
    return new


def _keeps_order(old: dict[str, Tree], new: dict[str, Tree]) -> bool:
    """Return whether `new` lists the keys it shares with `old` first and in their order, as `applied` will."""
    names = list(new)
    if list(old) == names:
        return True
    kept = [key for key in old if key in new]
    return kept == names[: len(kept)]


def _same(old: Tree, new: Tree) -> bool:
    """Return whether two trees are the same, 1 and 1.0 and True being three."""
    kind = type(old)
    if kind is not type(new):
        return False
    if kind is list:
        return len(old) == len(new) and all(map(_same, old, new))
    if kind is dict:
        return list(old) == list(new) and all(_same(old[key], new[key]) for key in old)
    return bool(old == new)
