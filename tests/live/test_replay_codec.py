"""What reaches the engine survives the disk exactly: every float, Decimal, None, and the order of keys."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import fields, replace
from decimal import Decimal as D
from typing import Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hean_live.app.engine import EngineRules
from hean_live.app.snapshot import Snapshot
from hean_live.execution.records import OrderRow
from hean_live.replay.codec import Memo, build, plain
from hean_live.replay.delta import applied, difference
from hean_live.replay.inputs import PollInputs
from hean_live.replay.log import Head
from models.errors import DataError
from tests.live.factories import RULES, snapshot, ticker

SLOW = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
FLOATS = st.floats(allow_nan=True, allow_infinity=True)
DECIMALS = st.decimals(allow_nan=True, allow_infinity=True)
NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1)
ATOMS = st.none() | st.booleans() | NUMBERS | FLOATS | DECIMALS | st.text(max_size=3)
TREES = st.recursive(
    ATOMS.map(plain),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcde"), inner, max_size=4),
    max_leaves=12,
)
RECORDS = st.dictionaries(st.sampled_from("abcde"), TREES, max_size=4)


PLAIN = {int: NUMBERS, float: FLOATS, D: DECIMALS, str: st.text(max_size=3), bool: st.booleans()}


def any_of(hint):
    """Values of a type hint, field by field: hypothesis' own fill a Mapping with other things than dicts."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if origin in (Union, types.UnionType):
        return st.none() | any_of(arguments[0])
    if origin in (Mapping, dict):
        return st.dictionaries(any_of(arguments[0]), any_of(arguments[1]), max_size=2)
    if origin is list or (origin is tuple and arguments[-1] is Ellipsis):
        return st.lists(any_of(arguments[0]), max_size=2).map(origin)
    if origin is tuple:
        return st.tuples(*map(any_of, arguments))
    hints = get_type_hints(hint)
    return st.builds(hint, **{field.name: any_of(hints[field.name]) for field in fields(hint)})


def through_json(tree):
    return json.loads(json.dumps(tree, allow_nan=False))


def exactly(value):
    """Text that tells 1 from 1.0, 0.0 from -0.0, 1.0 from 1.00, and shows the order of keys."""
    return repr(value)


@SLOW
@given(any_of(PollInputs))
def test_inputs_of_any_values_come_back_exactly(inputs):
    assert exactly(build(PollInputs, through_json(plain(inputs)))) == exactly(inputs)


@SLOW
@given(st.builds(ticker, last_price=FLOATS, bid1_price=FLOATS | st.none(), next_funding_ns=NUMBERS))
def test_floats_and_none_are_told_apart(row):
    told = snapshot(tickers={"BTCUSDT": row})
    assert exactly(build(Snapshot, through_json(plain(told)))) == exactly(told)


@SLOW
@given(st.lists(RECORDS, min_size=2, max_size=4))
def test_changes_lead_from_each_tree_to_the_next(trees):
    tree = {}
    for following in trees:
        tree = applied(tree, through_json(difference(tree, following)))
        # The root is a record: its keys are always the same ones.
        assert {key: exactly(tree[key]) for key in tree} == {
            key: exactly(following[key]) for key in following
        }


@pytest.mark.parametrize(
    ("before", "after"),
    [(1, 1.0), (1, True), (0, False), (0.0, "-0.0"), ("1.0", "1.00"), ("nan", None), ({}, []), ([1], [1.0])],
)
def test_values_that_are_equal_and_not_the_same_are_a_change(before, after):
    assert difference({"a": before}, {"a": after}) == {"a": [after]}
    assert difference({"a": after}, {"a": after}) == {}


def test_only_what_changed_is_written():
    old = plain(snapshot())
    new = plain(snapshot(tickers={"BTCUSDT": ticker(mark_price=101.5)}))
    assert difference(old, new) == {"tickers": {"BTCUSDT": {"mark_price": [101.5]}}}


def test_keys_in_another_order_are_a_change():
    old, new = {"halts": {"a": "1", "b": "2"}}, {"halts": {"b": "2", "a": "1"}}
    assert list(applied(old, difference(old, new))["halts"]) == ["b", "a"]


def test_rules_and_rows_come_back():
    assert build(EngineRules, through_json(plain(RULES))) == RULES
    row = OrderRow("id", "S1", "BTCUSDT", 1, "Market", D("0.10"), None, False, "entry", 5, "open")
    assert exactly(build(OrderRow, through_json(plain(row)))) == exactly(row)


def test_scalars_of_numpy_become_pythons():
    assert exactly(plain({"a": np.float64(0.5), "b": np.int64(3)})) == "{'a': 0.5, 'b': 3}"


def test_what_is_no_plain_value_is_refused():
    with pytest.raises(DataError, match="was one with a set"):
        plain({"a": {1, 2}})
    with pytest.raises(DataError, match="the fields of Head were expected"):
        build(Head, {"format": "hean-inputs-1"})
    with pytest.raises(DataError, match="the fields of PollInputs"):
        build(PollInputs, {"snapshot": 5})


def test_a_memo_gives_the_same_trees():
    """With records that came before, changed ones, and mutable parts that changed in place."""
    memo, told = Memo(), snapshot(orders={"BTCUSDT": []})
    row = OrderRow("id", "S1", "BTCUSDT", 1, "Market", D("0.10"), None, False, "entry", 5, "open")
    for at in range(4):
        told.orders["BTCUSDT"].append(replace(row, decision_ns=at))
        told.books.net["ETHUSDT"] = D(at)
        memo.turn()
        found = plain(told, memo)
        assert exactly(found) == exactly(plain(told))
    memo.turn()
    assert plain(told, memo)["instruments"]["BTCUSDT"] is found["instruments"]["BTCUSDT"]
