"""Outlooks: nothing is known at first, and a row holds from its time on."""

from __future__ import annotations

import numpy as np
import pytest

from models.errors import DataError
from models.market.outlook import OUTLOOK, new_outlook, new_outlooks, newest, require_outlooks


def test_a_new_outlook_knows_nothing():
    outlook = new_outlook()
    for name in OUTLOOK.names:
        value = outlook[name]
        assert value == 0 if OUTLOOK[name] == np.int64 else np.isnan(value), name


def test_the_newest_row_not_later_holds():
    rows = new_outlooks(4)
    rows["at_ns"] = [0, 10, 10, 20]
    assert [newest(rows, 0, at) for at in (0, 9, 10, 19, 20, 99)] == [0, 0, 2, 2, 3, 3]
    assert newest(rows, 2, 10) == 2


@pytest.mark.parametrize(
    ("rows", "words"),
    [(np.zeros(2), "OUTLOOK"), (new_outlooks(0), "at least one row")],
    ids=["dtype", "empty"],
)
def test_what_is_no_table_is_refused(rows, words):
    with pytest.raises(DataError, match=words):
        require_outlooks(rows)


def test_disorder_is_refused():
    rows = new_outlooks(2)
    rows["at_ns"] = [2, 1]
    with pytest.raises(DataError, match="never decreases"):
        require_outlooks(rows)
